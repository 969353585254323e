"""A program with a Makefile, built for one target and stripped."""

from __future__ import annotations

from recipes.engine.stage import Copy, Run, Stage, Tree
from recipes.service import Service
from recipes.stages import cross, program
from recipes.stages.cross import Kit
from recipes.target import Target


def stage(service: Service, target: Target, *, source: Tree, kit: Kit, qemu: Stage) -> Stage:
    """`bin/<binary>`, static-pie, by the Makefile's own goals and the usual names."""
    make = (
        "make",
        f"CC={target.triple}-gcc",
        f"CXX={target.triple}-g++",
        f"AR={target.triple}-ar",
        f"RANLIB={target.triple}-ranlib",
    )
    if service.make.program:
        install: Run | Copy = Copy(
            source=f"${{tree.source}}/{service.make.program}", to=f"${{out}}/bin/{service.binary}"
        )
    else:
        where = ("DESTDIR=${out}", "PREFIX=", "prefix=")
        variables = tuple(word for word in service.make.arguments if "=" in word)
        install = Run(argv=(*make, *variables, "install", *where), cwd="${tree.source}")
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("source", source),),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        env=(
            ("PKG_CONFIG", f"{target.triple}-pkg-config"),
            ("CFLAGS", "-O2"),
            ("CXXFLAGS", "-O2"),
            *((("LDLIBS", " ".join(kit.link)),) if kit.link else ()),
        ),
        steps=(
            *cross.steps(target, kit),
            Run(argv=(*make, *service.make.arguments), cwd="${tree.source}"),
            install,
            *program.stripped(target),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
        guess=3,
    )
