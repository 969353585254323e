"""A program with a Makefile, built for one target and stripped."""

from __future__ import annotations

from recipes.engine.stage import Run, Stage, Strip, Tree
from recipes.service import Service
from recipes.stages import program
from recipes.target import Target


def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    service: Service,
    target: Target,
    *,
    source: Tree,
    toolchain: Stage,
    libraries: tuple[tuple[str, Stage], ...],
    library_env: tuple[tuple[str, str], ...],
    link: tuple[str, ...],
    qemu: Stage,
) -> Stage:
    """`bin/<binary>`, static-pie, by the Makefile's `all` and `install` with the usual names."""
    make = ("make", f"CC={target.triple}-gcc", f"CXX={target.triple}-g++", f"AR={target.triple}-ar")
    includes = " ".join(f"-I${{need.{name}}}/usr/include" for name, _ in libraries)
    folders = " ".join(f"-L${{need.{name}}}/usr/lib" for name, _ in libraries)
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("source", source),),
        needs=(("toolchain", toolchain), *libraries),
        path=("${need.toolchain}/bin",),
        env=(
            ("CFLAGS", "-O2 -ffile-prefix-map=${work}=."),
            ("CXXFLAGS", "-O2 -ffile-prefix-map=${work}=."),
            ("CPPFLAGS", includes),
            ("LDFLAGS", f"-static-pie {folders}".rstrip()),
            *((("LDLIBS", " ".join(link)),) if link else ()),
            *library_env,
        ),
        steps=(
            Run(argv=(*make, "all"), cwd="${tree.source}"),
            Run(argv=(*make, "install", "DESTDIR=${out}", "PREFIX="), cwd="${tree.source}"),
            Strip(
                program=f"{target.triple}-strip",
                root="${out}/bin",
                options=("-s",),
                kind="programs",
            ),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
        guess=3,
    )
