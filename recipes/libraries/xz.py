"""liblzma of the XZ Utils, static; the programs are not built."""

from __future__ import annotations

from muslin.engine.vocabulary import Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "--disable-doc",
    "--disable-lzma-links",
    "--disable-lzmadec",
    "--disable-lzmainfo",
    "--disable-nls",
    "--disable-scripts",
    "--disable-xz",
    "--disable-xzdec",
    # CRC with instructions that not every processor of a target has, behind a look at it.
    "--disable-arm64-crc32",
    "--disable-clmul-crc",
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/lzma.h`, `usr/lib/liblzma.a`, `usr/lib/pkgconfig/liblzma.pc`."""
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(library.configured(target, *OPTIONS), library.made("install")),
        has=("include/lzma.h", "lib/liblzma.a", "lib/pkgconfig/liblzma.pc"),
        guess=30,
    )


LIBRARY = Library(
    stage=stage,
    link=("-llzma",),
    header=r"lzma(/\w+)?\.h",
    called=("liblzma", "lzma"),
)
