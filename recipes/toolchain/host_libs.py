"""gmp, mpfr and mpc for the compilers' own arithmetic: static, once for all targets."""

from __future__ import annotations

from muslin.engine.vocabulary import ForbiddenText, Remove, Run, Stage, Step, Touch, Write
from muslin.models.pins import Component
from recipes import component
from recipes.component import LONG_AGO

CONFIGURE = ("--prefix=${out}", "--disable-shared", "--enable-static", "--with-pic")
MAKE = ("make", "MAKEINFO=true")
HEADERS = ("gmp.h", "mpc.h", "mpf2mpfr.h", "mpfr.h")
"""They get an old time: a compiler's tree, handed on, is older than libraries that were made again
for it, and make would compile much of it once more."""
CFLAGS = "CFLAGS=-O2 -pedantic -fomit-frame-pointer"
"""gmp's own but for `-march=`, which it would add for any processor, `k8` for plain x86-64."""
WITH_PATHS = ("lib/*.la", "lib/pkgconfig", "share")
"""What names the folder it was built in, and no compiler needs."""


# Long: one stage, declared from its needs to its checks.
def stage(
    *,
    gmp: Component,
    mpfr: Component,
    mpc: Component,
    machine: str,
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """The three libraries in one folder, as `--with-gmp` and its siblings want them.

    `machine` is the host's, such as `x86_64`. Without it gmp's configure asks the processor at hand
    and takes `-march=` and assembler for it: a compiler that is linked with the result may die with
    SIGILL on another machine, and no two kinds of machines would make the same bytes.
    """
    build = f"--build={machine}-pc-linux-gnu"
    return Stage(
        name="host-libs",
        summary="gmp, mpfr and mpc for the compilers",
        sources=component.sources(gmp, mpfr, mpc),
        tools=tools,
        steps=(
            *(
                step
                for part in (gmp, mpfr, mpc)
                for step in component.unpacked(part, into=f"${{work}}/{part.name}")
            ),
            # Debian strips gmp's manual with its folder; configure insists on the Makefile.
            Write(path="${work}/gmp/doc/Makefile.in", text="all install check clean:\n"),
            *_built("gmp", build, CFLAGS),
            *_built("mpfr", build, "--with-gmp=${out}"),
            *_built("mpc", build, "--with-gmp=${out}", "--with-mpfr=${out}"),
            Remove(root="${out}", patterns=WITH_PATHS),
            *(Touch(path=f"${{out}}/include/{name}", time=LONG_AGO) for name in HEADERS),
        ),
        runs_on="host",
        checks=(
            ForbiddenText(texts=("${cache}",)),
            # gmp.h repeats the flags that gmp was compiled with.
            ForbiddenText(root="${out}/include", texts=("-march=", "-mtune=", "-mcpu=")),
        ),
        guess=110,
        peak=300_000_000,
        kept=5_000_000,
    )


def _built(name: str, *options: str) -> tuple[Step, ...]:
    build = f"${{work}}/build-{name}"
    return (
        Run(argv=(f"../{name}/configure", *CONFIGURE, *options), cwd=build),
        Run(argv=MAKE, cwd=build),
        Run(argv=(*MAKE, "install"), cwd=build),
    )
