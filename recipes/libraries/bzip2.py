"""bzip2's library, static; the programs are not built."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Run, Stage, Write, escaped
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

PKG_CONFIG = """\
prefix=/usr
exec_prefix=${{prefix}}
libdir=${{exec_prefix}}/lib
includedir=${{prefix}}/include

Name: bzip2
Description: Lossless, block-sorting data compression
Version: {version}
Libs: -L${{libdir}} -lbz2
Cflags: -I${{includedir}}
"""


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/bzlib.h`, `usr/lib/libbz2.a`, and the `bzip2.pc` that distributions add."""
    tools = (("CC", "gcc"), ("AR", "ar"), ("RANLIB", "ranlib"))
    upstream = source.version.partition("-")[0]
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            Run(
                argv=(
                    *("make", "libbz2.a", "CFLAGS=-O2 -D_FILE_OFFSET_BITS=64"),
                    *(f"{name}={target.triple}-{tool}" for name, tool in tools),
                ),
                cwd=library.SOURCES,
            ),
            Copy(source=f"{library.SOURCES}/libbz2.a", to="${out}/usr/lib/libbz2.a"),
            Copy(source=f"{library.SOURCES}/bzlib.h", to="${out}/usr/include/bzlib.h"),
            Write(
                path="${out}/usr/lib/pkgconfig/bzip2.pc",
                text=escaped(PKG_CONFIG.format(version=upstream)),
            ),
        ),
        has=("include/bzlib.h", "lib/libbz2.a", "lib/pkgconfig/bzip2.pc"),
        guess=4,
    )


LIBRARY = Library(
    stage=stage,
    link=("-lbz2",),
    header=r"bzlib\.h",
    called=("bzip2", "bz2"),
)
