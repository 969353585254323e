"""What recipes of static C libraries have in common: unpacked, built, made movable, checked."""

from __future__ import annotations

from collections.abc import Sequence

from muslin.engine.vocabulary import ForbiddenText, Present, Remove, Run, Stage, Step
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit

SOURCES = "${work}/source"
"""Where a library's sources are, patched."""
BUILD = "${work}/build"
"""Where CMake builds."""
LEFT_BEHIND = ("usr/bin", "usr/lib/*.la", "usr/share")
"""Programs, libtool's files with paths of the build, and manuals."""


def stage(  # noqa: PLR0913  # the fields that differ
    target: Target,
    *,
    source: Component,
    kit: Kit,
    steps: Sequence[Step],
    has: tuple[str, ...],
    guess: float,
) -> Stage:
    """`usr/include`, `usr/lib/*.a` and pkg-config files that can be moved: what `steps` install
    below `${out}`, which must have at least the files in `has`, below `usr/`."""
    return Stage(
        name=f"{source.name}-{target.name}",
        target=target.name,
        summary=f"static {source.name}",
        sources=component.sources(source),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        env=(("PKG_CONFIG", f"{target.triple}-pkg-config"), ("CFLAGS", "-O2")),
        steps=(
            *cross.steps(target, kit),
            *component.unpacked(source, into=SOURCES),
            *steps,
            cross.movable(),
            Remove(root="${out}", patterns=LEFT_BEHIND),
        ),
        runs_on="target",
        checks=(
            Present(paths=tuple(f"usr/{path}" for path in has)),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=guess,
        peak=300_000_000,
    )


def configured(target: Target, *options: str, folder: str = SOURCES) -> Run:
    """Run autoconf's configure for a static library in `/usr`."""
    words = (f"--host={target.triple}", "--prefix=/usr", "--disable-shared", *options)
    return Run(argv=("./configure", *words), cwd=folder)


def made(*words: str, folder: str = SOURCES) -> Run:
    """Run make, whose goals install into `${out}`."""
    return Run(argv=("make", *words, "DESTDIR=${out}"), cwd=folder)


def by_cmake(*options: str, folder: str = SOURCES) -> tuple[Run, ...]:
    """Configure, build and install by CMake, which the recipe has among its tools."""
    cmake = "${tool.cmake}/bin/cmake"
    return (
        Run(
            argv=(
                *(cmake, "-S", folder, "-B", BUILD, "-G", "Unix Makefiles"),
                f"--toolchain={cross.CMAKE_FILE}",
                "-DCMAKE_BUILD_TYPE=Release",
                "-DCMAKE_INSTALL_PREFIX=/usr",
                "-DCMAKE_INSTALL_LIBDIR=lib",
                *options,
            )
        ),
        Run(argv=(cmake, "--build", BUILD)),
        Run(argv=(cmake, "--install", BUILD), env=(("DESTDIR", "${out}"),)),
    )
