"""libssh2, static, with OpenSSL and zlib."""

from __future__ import annotations

from muslin.engine.vocabulary import Replace, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "--disable-docker-tests",
    "--disable-examples-build",
    "--disable-rpath",
    "--with-crypto=openssl",
    "--with-libssl-prefix=${need.openssl}/usr",
    "--with-libz",
    "--with-libz-prefix=${need.zlib}/usr",
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/libssh2.h`, `usr/lib/libssh2.a`, `usr/lib/pkgconfig/libssh2.pc`."""
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            library.configured(target, *OPTIONS),
            library.made("-C", "src", "install"),
            library.made("install-includeHEADERS", "install-pkgconfigDATA"),
            # pkg-config finds OpenSSL by its own file; where that lay in this build is no matter.
            Replace(
                root="${out}/usr/lib/pkgconfig",
                pattern="libssh2.pc",
                old="-L${need.openssl}/usr/lib ",
                new="",
            ),
        ),
        has=("include/libssh2.h", "lib/libssh2.a", "lib/pkgconfig/libssh2.pc"),
        guess=25,
    )


def environment(_: Target) -> tuple[tuple[str, str], ...]:
    """Also where the crate would compile the sources that it carries along."""
    return (("LIBSSH2_SYS_USE_PKG_CONFIG", "1"),)


LIBRARY = Library(
    stage=stage,
    link=("-lssh2",),
    needs=("openssl", "zlib"),
    environment=environment,
    header=r"libssh2\w*\.h",
    called=("libssh2", "Libssh2"),
)
