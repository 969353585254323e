"""SQLite, static: the amalgamation, compiled with what services expect of it."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, ForbiddenText, Present, Run, Stage, Step, Write, escaped
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "SQLITE_DQS=0",  # "text" in double quotes is an identifier or an error, as SQLite recommends
    "SQLITE_ENABLE_COLUMN_METADATA",  # Debian has it, and sqlx asks for it
    "SQLITE_ENABLE_FTS5",
    "SQLITE_ENABLE_MATH_FUNCTIONS",
    "SQLITE_ENABLE_RTREE",
    "SQLITE_ENABLE_UNLOCK_NOTIFY",
    "SQLITE_OMIT_LOAD_EXTENSION",  # a static program has no dlopen(3)
    "SQLITE_THREADSAFE=1",
)


BUILD = "${work}/build"
PKG_CONFIG = """\
prefix=/usr
exec_prefix=${{prefix}}
libdir=${{exec_prefix}}/lib
includedir=${{prefix}}/include

Name: SQLite
Description: SQL database engine
Version: {version}
Libs: -L${{libdir}} -lsqlite3
Cflags: -I${{includedir}}
"""


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/sqlite3.h`, `usr/lib/libsqlite3.a`, `usr/lib/pkgconfig/sqlite3.pc`."""
    build, triple = BUILD, target.triple
    sources = "${work}/sqlite3" if is_amalgamation(source) else "${work}/sqlite3/src"
    return Stage(
        name=f"sqlite3-{target.name}",
        target=target.name,
        summary="static libsqlite3",
        sources=component.sources(source),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        steps=(
            *cross.steps(target, kit),
            *component.unpacked(source, into="${work}/sqlite3"),
            *(_prepared(source) if is_amalgamation(source) else _joined(triple)),
            Run(
                argv=(
                    *(f"{triple}-gcc", "-O2", "-c", "sqlite3.c"),
                    *(f"-D{option}" for option in OPTIONS),
                ),
                cwd=build,
            ),
            Run(argv=(f"{triple}-ar", "rcsD", "libsqlite3.a", "sqlite3.o"), cwd=build),
            Copy(source=f"{build}/libsqlite3.a", to="${out}/usr/lib/libsqlite3.a"),
            Copy(source=f"{build}/sqlite3.pc", to="${out}/usr/lib/pkgconfig/sqlite3.pc"),
            Copy(source=f"{build}/sqlite3.h", to="${out}/usr/include/sqlite3.h"),
            Copy(source=f"{sources}/sqlite3ext.h", to="${out}/usr/include/sqlite3ext.h"),
            cross.movable(),
        ),
        runs_on="target",
        shared=True,
        checks=(
            Present(paths=("usr/include/sqlite3.h", "usr/lib/libsqlite3.a")),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=45,
    )


def is_amalgamation(source: Component) -> bool:
    """Whether the release holds SQLite joined to one file already."""
    return source.source.name.startswith(("sqlite-autoconf", "sqlite-amalgamation"))


def _joined(triple: str) -> tuple[Step, ...]:
    """The sources' makefile knows how to join them to one, with Tcl and the host's compiler."""
    return (
        Run(
            argv=("../sqlite3/configure", f"--host={triple}", "--prefix=/usr", "--disable-tcl"),
            cwd=BUILD,
        ),
        Run(argv=("make", "sqlite3.c", "sqlite3.pc"), cwd=BUILD),
    )


def _prepared(source: Component) -> tuple[Step, ...]:
    """The release's configure was autoconf's until 3.48 and is SQLite's own since: it is not asked,
    for all that it would make is the file for pkg-config."""
    return (
        Write(path=f"{BUILD}/sqlite3.pc", text=escaped(PKG_CONFIG.format(version=source.version))),
        *(
            Copy(source=f"${{work}}/sqlite3/{name}", to=f"{BUILD}/{name}")
            for name in ("sqlite3.c", "sqlite3.h")
        ),
    )


def environment(_: Target) -> tuple[tuple[str, str], ...]:
    """Also where a crate would compile SQLite's sources that it carries along."""
    return (("LIBSQLITE3_SYS_USE_PKG_CONFIG", "1"),)


LIBRARY = Library(
    stage=stage,
    link=("-lsqlite3",),
    tools=("tcl",),
    environment=environment,
    header="sqlite3\\.h",
    cpe="sqlite:sqlite",
    called=("sqlite3",),
)
