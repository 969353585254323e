"""A program with a CMakeLists.txt, built for one target and stripped."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Pick, Run, Stage, Tree, escaped
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import command_aliases, cross
from recipes.cross import Kit
from recipes.programs import evidence, product

ROOT = "${work}/root"
NOT_THERE = (
    "`binary` in service.toml is the name of the program; where no install() puts it anywhere, "
    "`program` under [cmake] is its path below the build's folder"
)
HARD_CODED = (
    "An install(CODE) or install(SCRIPT) writes to a path of its own: name the program it builds "
    'with `program = "path/below/the/build"` under [cmake] in service.toml'
)


# Long: one stage, declared from its needs to its checks.
def stage(service: Service, target: Target, *, source: Tree, kit: Kit, qemu: Stage) -> Stage:
    """`bin/<binary>`, static-pie, as CMake installs it."""
    build, program_to = "${work}/build", f"${{out}}/bin/{service.binary}"
    source_dir = f"${{tree.source}}/{escaped(service.cmake.directory)}".removesuffix("/.")
    take: tuple[Run | Copy | Pick, ...]
    if service.cmake.program:
        take = (Copy(source=f"{build}/{escaped(service.cmake.program)}", to=program_to),)
    else:
        # With / for a prefix, GNUInstallDirs would make it /usr and plain projects would not.
        argv = ("${tool.cmake}/bin/cmake", "--install", build)
        take = (
            Run(argv=argv, env=(("DESTDIR", ROOT),), hint=HARD_CODED),
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
            *product.environment(service),
        ),
        steps=(
            *evidence.maps(kit),
            *cross.steps(target, kit, map_folder=evidence.MAPS),
            *command_aliases.steps(target),
            Run(
                argv=(
                    "${tool.cmake}/bin/cmake",
                    *("-S", source_dir, "-B", build, "-G", "Unix Makefiles"),
                    f"--toolchain={cross.CMAKE_FILE}",
                    "-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_INSTALL_PREFIX=/usr",
                    *map(escaped, service.cmake.options),
                ),
                remedies=kit.remedies,
            ),
            Run(argv=("${tool.cmake}/bin/cmake", "--build", build), remedies=kit.remedies),
            *take,
            *product.stripped(target, service),
            *evidence.linked(service, kit),
        ),
        runs_on="target",
        shared=True,
        judges=(("qemu", qemu),),
        checks=product.checks(service, target),
        guess=5,
    )
