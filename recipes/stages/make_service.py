"""A program with a Makefile, built for one target and stripped."""

from __future__ import annotations

from recipes.engine.stage import Copy, Link, Run, Stage, Tree, Write
from recipes.service import Service
from recipes.stages import cross, program
from recipes.stages.cross import Kit
from recipes.target import Target

PLAIN = f"{cross.FOLDER}/plain"
"""Binary utilities by their plain names, for Makefiles that know no others."""
NO_STRIP = """\
#!/bin/sh
# The pipeline strips in the end, once the code was looked at.
"""


def stage(service: Service, target: Target, *, source: Tree, kit: Kit, qemu: Stage) -> Stage:
    """`bin/<binary>`, static-pie, by the Makefile's own goals and the usual names."""
    # The compilers win over what the Makefile says. Of `AR = ar rcu` they would take the flags.
    make = ("make", f"CC={target.triple}-gcc", f"CXX={target.triple}-g++")
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
        path=(PLAIN, *cross.PATH),
        env=(
            ("PKG_CONFIG", f"{target.triple}-pkg-config"),
            ("AR", f"{target.triple}-ar"),
            ("RANLIB", f"{target.triple}-ranlib"),
            ("CFLAGS", "-O2"),
            ("CXXFLAGS", "-O2"),
            *((("LDLIBS", " ".join(kit.link)),) if kit.link else ()),
        ),
        steps=(
            *cross.steps(target, kit),
            *(
                Link(
                    path=f"{PLAIN}/{name}", target=f"${{need.toolchain}}/bin/{target.triple}-{name}"
                )
                for name in ("ar", "nm", "objcopy", "ranlib")
            ),
            Write(path=f"{PLAIN}/strip", text=NO_STRIP, executable=True),
            Run(argv=(*make, *service.make.arguments), cwd="${tree.source}"),
            install,
            *program.stripped(target, service),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
        guess=3,
    )
