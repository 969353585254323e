"""gmp, mpfr and mpc for the compilers' own arithmetic: static, once for all targets."""

from __future__ import annotations

from recipes.engine.stage import Run, Source, Stage, Step, Touch, Unpack, Write

CONFIGURE = ("--prefix=${out}", "--disable-shared", "--enable-static", "--with-pic")
MAKE = ("make", "MAKEINFO=true")
HEADERS = ("gmp.h", "mpc.h", "mpf2mpfr.h", "mpfr.h")
LONG_AGO = 946684800
"""2000-01-01: a compiler's tree, handed on, is older than libraries that were made again for it,
and make would compile much of it once more."""


def stage(*, gmp: Source, mpfr: Source, mpc: Source, tools: tuple[tuple[str, Stage], ...]) -> Stage:
    """The three libraries in one folder, as `--with-gmp` and its siblings want them."""
    return Stage(
        name="host-libs",
        summary="gmp, mpfr and mpc for the compilers",
        sources=(("gmp", gmp), ("mpfr", mpfr), ("mpc", mpc)),
        tools=tools,
        steps=(
            *(
                Unpack(archive=f"${{source.{name}}}", into=f"${{work}}/{name}", strip=1)
                for name in ("gmp", "mpfr", "mpc")
            ),
            # Debian strips gmp's manual with its folder; configure insists on the Makefile.
            Write(path="${work}/gmp/doc/Makefile.in", text="all install check clean:\n"),
            *_built("gmp"),
            *_built("mpfr", "--with-gmp=${out}"),
            *_built("mpc", "--with-gmp=${out}", "--with-mpfr=${out}"),
            *(Touch(path=f"${{out}}/include/{name}", time=LONG_AGO) for name in HEADERS),
        ),
        runs_on="host",
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
