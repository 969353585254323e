"""A program with a CMakeLists.txt, built for one target and stripped."""

from __future__ import annotations

from recipes.engine.stage import Copy, Run, Stage, Tree
from recipes.service import Service
from recipes.stages import cross, program
from recipes.stages.cross import Kit
from recipes.target import Target


def stage(service: Service, target: Target, *, source: Tree, kit: Kit, qemu: Stage) -> Stage:
    """`bin/<binary>`, static-pie, as CMake installs it."""
    build = "${work}/build"
    made = f"{build}/{service.cmake.program}"
    install: tuple[Run, ...] = ()
    if not service.cmake.program:
        # With / for a prefix, GNUInstallDirs would make it /usr and plain projects would not.
        made = f"${{work}}/root/usr/bin/{service.binary}"
        argv = ("${tool.cmake}/bin/cmake", "--install", build)
        install = (Run(argv=argv, env=(("DESTDIR", "${work}/root"),)),)
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("source", source),),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        steps=(
            *cross.steps(target, kit),
            Run(
                argv=(
                    "${tool.cmake}/bin/cmake",
                    *("-S", "${tree.source}", "-B", build, "-G", "Unix Makefiles"),
                    f"--toolchain={cross.CMAKE_FILE}",
                    "-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_INSTALL_PREFIX=/usr",
                    *service.cmake.options,
                ),
            ),
            Run(argv=("${tool.cmake}/bin/cmake", "--build", build)),
            *install,
            Copy(source=made, to=f"${{out}}/bin/{service.binary}"),
            *program.stripped(target, service),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
        guess=5,
    )
