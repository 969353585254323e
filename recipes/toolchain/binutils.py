"""Assembler, linker and friends for one target, relocatable."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import ForbiddenText, Remove, Replace, Run, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component

OPTIONS = (
    "--prefix=",  # empty: every path is found from where the program lies
    "--libdir=/lib",
    "--disable-gdb",
    "--disable-gprof",
    "--disable-gprofng",
    "--disable-multilib",
    "--disable-nls",
    "--disable-separate-code",  # pads every program to page borders otherwise
    "--disable-werror",
    "--enable-deterministic-archives",
    "--without-zstd",  # the host may not have it
)
MENDS: Mapping[str, tuple[Replace, ...]] = MappingProxyType(
    {
        # A static-pie would keep relocations against its own symbols, which nobody resolves: it
        # dies before main(). binutils-gdb 39c7793ba8be mends it, after 2.44.
        "EM_RISCV": (
            Replace(
                root="${work}/binutils",
                pattern="bfd/elfnn-riscv.c",
                old="|| !SYMBOLIC_BIND ((INFO), (H))",
                new="|| !(bfd_link_pie ((INFO)) || SYMBOLIC_BIND ((INFO), (H)))",
            ),
        ),
    }
)
"""By the machine whose back end it is in: others do not compile it."""
OPTIMISATION = "-O1"  # the tools are as quick, and compile in two thirds of the time


def stage(target: Target, *, source: Component, tools: tuple[tuple[str, Stage], ...]) -> Stage:
    """`bin/<triple>-as` and the rest, and `<triple>/bin` and `<triple>/lib/ldscripts`."""
    make = ("make", "MAKEINFO=true")
    return Stage(
        name=f"binutils-{target.name}",
        target=target.name,
        summary="assembler and linker",
        sources=component.sources(source),
        tools=tools,
        env=(("CFLAGS", OPTIMISATION), ("CXXFLAGS", OPTIMISATION)),
        steps=(
            *component.unpacked(source, into="${work}/binutils"),
            *MENDS.get(target.machine, ()),
            Run(
                argv=(
                    "../binutils/configure",
                    f"--target={target.triple}",
                    f"--with-sysroot=/{target.triple}",
                    *OPTIONS,
                ),
                cwd="${work}/build",
            ),
            Run(argv=make, cwd="${work}/build"),
            Run(argv=(*make, "install-strip", "DESTDIR=${out}"), cwd="${work}/build"),
            Remove(root="${out}", patterns=("share", "include", "lib/*.a", "lib/*.la")),
        ),
        runs_on="host",
        shared=True,
        checks=(ForbiddenText(texts=("${cache}",)),),
        guess=105,
        peak=800_000_000,
        kept=60_000_000,
    )
