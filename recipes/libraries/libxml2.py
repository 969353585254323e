"""libxml2, static, without compression and network of its own."""

from __future__ import annotations

from muslin.engine.vocabulary import Link, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "--without-ftp",
    "--without-http",
    "--without-icu",
    "--without-lzma",
    "--without-python",
    "--without-readline",
    "--without-zlib",
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/libxml2`, `usr/lib/libxml2.a`, `usr/lib/pkgconfig/libxml-2.0.pc`."""
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            library.configured(target, *OPTIONS),
            library.made("install-libLTLIBRARIES", "install-pkgconfigDATA"),
            library.made("-C", "include", "install"),
            # Also for who asks no pkg-config.
            Link(path="${out}/usr/include/libxml", target="libxml2/libxml"),
        ),
        has=(
            "include/libxml2/libxml/parser.h",
            "lib/libxml2.a",
            "lib/pkgconfig/libxml-2.0.pc",
        ),
        guess=60,
    )


LIBRARY = Library(
    stage=stage,
    link=("-lxml2",),
    header=r"libxml/\w+\.h",
    called=("libxml-2.0", "libxml2", "LibXml2"),
)
