"""A program with a Makefile, built for one target and stripped."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Pick, Run, Stage, Tree, escaped
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import command_aliases, cross
from recipes.cross import Kit
from recipes.programs import evidence, product

ROOT = "${work}/root"
INSTALLED = ("DESTDIR", "PREFIX", "prefix")
"""What makefiles put before the places where they install."""
WITH_VALUES = ("-C", "-f", "-I", "-o", "-W", "--directory", "--file", "--makefile")
"""Options of make whose value is the next word; not -j and -l, which need none."""
HARD_CODED = (
    "Its `install` writes to a path of its own whatever DESTDIR and PREFIX say: name the program "
    'it builds with `program = "path/below/the/project"` under [make] in service.toml'
)
NOT_THERE = (
    "`binary` in service.toml is the name of the program; where `make install` leaves it out, "
    "`program` under [make] is its path below the project"
)


# Long: one stage, declared from its needs to its checks.
def stage(service: Service, target: Target, *, source: Tree, kit: Kit, qemu: Stage) -> Stage:
    """`bin/<binary>`, static-pie, by the Makefile's own goals and the usual names."""
    # The compilers win over what the Makefile says. Of `AR = ar rcu` they would take the flags.
    make = ("make", f"CC={target.triple}-gcc", f"CXX={target.triple}-g++")
    alone = () if service.make.parallel else ("-j1",)
    arguments = tuple(map(escaped, service.make.arguments))
    program_to = f"${{out}}/bin/{service.binary}"
    install: tuple[Run | Copy | Pick, ...]
    if service.make.program:
        made = f"${{tree.source}}/{escaped(service.make.program)}"
        install = (Copy(source=made, to=program_to),)
    else:
        # Whichever of them a makefile knows, and if it knows both: all of it ends below ROOT.
        where = tuple(
            f"{name}={ROOT}" + ("" if name == "DESTDIR" else "/usr") for name in INSTALLED
        )
        words = (*_without_goals(arguments), "install", *where)
        install = (
            Run(argv=(*make, *alone, *words), cwd="${tree.source}", hint=HARD_CODED),
            Pick(root=ROOT, name=service.binary, to=program_to, hint=NOT_THERE),
        )
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("source", source),),
        needs=kit.needs,
        tools=kit.tools,
        path=(command_aliases.FOLDER, *cross.PATH),
        env=(
            *command_aliases.of_target(target),
            *command_aliases.of_host(),
            ("CFLAGS", "-O2"),
            ("CXXFLAGS", "-O2"),
            *product.environment(service),
            *((("LDLIBS", " ".join(kit.link)),) if kit.link else ()),
        ),
        steps=(
            *evidence.maps(kit),
            *cross.steps(target, kit, map_folder=evidence.MAPS),
            *command_aliases.steps(target),
            Run(
                argv=(*make, *alone, *arguments),
                cwd="${tree.source}",
                remedies=kit.remedies,
            ),
            *install,
            *product.stripped(target, service),
            *evidence.linked(service, kit),
        ),
        runs_on="target",
        shared=True,
        judges=(("qemu", qemu),),
        checks=product.checks(service, target),
        guess=3,
    )


def _without_goals(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """make's options and variables, which `install` wants too: `-C src all X=1` -> `-C src X=1`."""
    kept: list[str] = []
    for at, word in enumerate(arguments):
        is_value = at > 0 and arguments[at - 1] in WITH_VALUES
        if is_value or word.startswith("-") or "=" in word:
            kept.append(word)
    return tuple(kept)
