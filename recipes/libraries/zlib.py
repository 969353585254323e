"""zlib, static."""

from __future__ import annotations

from muslin.engine.vocabulary import ForbiddenText, Present, Remove, Run, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit
from recipes.library import Library


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/zlib.h`, `usr/lib/libz.a`, `usr/lib/pkgconfig/zlib.pc`."""
    return Stage(
        name=f"zlib-{target.name}",
        target=target.name,
        summary="static libz",
        sources=component.sources(source),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        # Its configure is not autoconf's: it takes the triple and the flags from here.
        env=(("CHOST", target.triple), ("CFLAGS", "-O3")),
        steps=(
            *cross.steps(target, kit),
            *component.unpacked(source, into="${work}/zlib"),
            Run(argv=("./configure", "--static", "--prefix=/usr"), cwd="${work}/zlib"),
            Run(argv=("make", "install", "DESTDIR=${out}"), cwd="${work}/zlib"),
            cross.movable(),
            Remove(root="${out}", patterns=("usr/share",)),
        ),
        runs_on="target",
        shared=True,
        checks=(
            Present(paths=("usr/include/zlib.h", "usr/lib/libz.a", "usr/lib/pkgconfig/zlib.pc")),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=5,
    )


LIBRARY = Library(stage=stage, link=("-lz",), header="zlib\\.h", cpe="zlib:zlib", called=("zlib",))
