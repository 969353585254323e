"""Zstandard, static, with threads."""

from __future__ import annotations

from muslin.engine.vocabulary import Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

FLAGS = (
    "-DZSTD_MULTITHREAD",
    "-DDYNAMIC_BMI2=0",  # no second copy of the decoder for x86-64 processors with BMI2
    "-DZSTD_DISABLE_ASM=1",  # which is for those processors alone
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/zstd.h`, `usr/lib/libzstd.a`, `usr/lib/pkgconfig/libzstd.pc`."""
    variables = (
        *(f"{name}={target.triple}-{tool}" for name, tool in (("CC", "gcc"), ("AR", "ar"))),
        f"CPPFLAGS_STATICLIB={' '.join(FLAGS)}",
        "ZSTD_NO_ASM=1",
        "PREFIX=/usr",
    )
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            library.made(
                *("-C", "lib", *variables, "install-static", "install-includes", "install-pc")
            ),
        ),
        has=("include/zstd.h", "lib/libzstd.a", "lib/pkgconfig/libzstd.pc"),
        guess=45,
    )


def environment(_: Target) -> tuple[tuple[str, str], ...]:
    """Also where the crate would compile the sources that it carries along."""
    return (("ZSTD_SYS_USE_PKG_CONFIG", "1"),)


LIBRARY = Library(
    stage=stage,
    link=("-lzstd",),
    environment=environment,
    header=r"(zstd|zdict|zstd_errors)\.h",
    called=("zstd", "libzstd"),
)
