"""mimalloc, an allocator that a program gets in the place of musl's: musl's has one lock for all
threads. <https://microsoft.github.io/mimalloc/overrides.html>"""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Elf, Folder, ForbiddenText, Run, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit
from recipes.library import Library

OBJECT = "usr/lib/mimalloc.o"
OPTIONS = (
    "-O3",
    "-DNDEBUG",
    "-DMI_MALLOC_OVERRIDE=1",  # malloc, free and C++'s new are its own
    "-DMI_NO_GETENV=1",  # a program that is handed out takes no orders for its allocator
    "-fvisibility=hidden",
    "-ftls-model=initial-exec",
    "-fno-builtin-malloc",
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/lib/mimalloc.o`, which is linked in front of everything else, and its headers."""
    return Stage(
        name=f"mimalloc-{target.name}",
        target=target.name,
        summary="an allocator for threads",
        sources=component.sources(source),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        steps=(
            *cross.steps(target, kit),
            *component.unpacked(source, into="${work}/mimalloc"),
            Folder(path="${out}/usr/lib"),
            Run(
                argv=(
                    *(f"{target.triple}-gcc", *OPTIONS, "-Iinclude"),
                    *("-c", "src/static.c", "-o", f"${{out}}/{OBJECT}"),
                ),
                cwd="${work}/mimalloc",
            ),
            Copy(source="${work}/mimalloc/include", to="${out}/usr/include"),
        ),
        runs_on="target",
        shared=True,
        checks=(
            Elf(patterns=(OBJECT,), machine=target.machine),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=6,
    )


LIBRARY = Library(stage=stage, link=())
