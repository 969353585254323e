"""libgcc, musl and libstdc++ in the compiler's own tree: the rest of a single-stage build.

The order is musl-cross-make's: compiler (a stage of its own), musl's headers, static libgcc, musl,
shared libgcc, the rest.
"""

from __future__ import annotations

from recipes.engine.stage import Copy, Link, Relink, Replace, Run, Source, Stage, Tree, Unpack
from recipes.stages import compiler, musl_fixes, musl_own
from recipes.target import Target

NO_SHARED = "enable_shared=no"
"""The configure scripts that make starts find it in their environment. libstdc++ and libatomic
stay static; libgcc is made shared afterwards, for with that comes libgcc_eh.a."""

PIC = tuple(
    f"{variable}={compiler.target_flags('${work}')} -fPIC"
    for variable in ("CFLAGS_FOR_TARGET", "CXXFLAGS_FOR_TARGET")
)
"""So that libstdc++.a can go into a user's shared library; --with-pic does not reach all of it."""
UNWINDER = ("pr-support.c", "unwind-arm.c", "unwind-dw2.c", "unwind-dw2-fde-dip.c")
"""What every Rust program is linked with, and every C++ program that throws. At -Os it is 14 kB
less of 35 on x86_64."""


def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    made: Stage,
    musl: Source,
    musl_patches: tuple[Source, ...],
    musl_files: Tree | None,
    headers: Stage,
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """The compiler with its target libraries, not yet joined with binutils. `made` is what
    `compiler.stage` left."""
    return Stage(
        name=f"gcc-{target.name}",
        target=target.name,
        summary="compiler, musl and C++ library",
        sources=(("musl", musl), *musl_fixes.sources(musl_patches)),
        trees=musl_own.trees(musl_files),
        needs=(("compiler", made), ("headers", headers), *compiler.siblings(made)),
        tools=tools,
        path=("${need.binutils}/bin",),
        steps=(
            *compiler.copied("${need.compiler}", "${work}"),
            Unpack(archive="${source.musl}", into="${work}/musl", strip=1),
            *musl_fixes.steps(musl_patches, into="${work}/musl"),
            *musl_own.steps(musl_files, into="${work}/musl"),
            *_sysroot(target),
            *_musl_headers(target),
            compiler.make(NO_SHARED, "configure-target-libgcc", root="${work}"),
            _small_unwinder(target),
            compiler.make(NO_SHARED, "all-target-libgcc", root="${work}"),
            *_musl(target),
            # libstdc++'s configure stops with "Link tests are not allowed" without -lgcc_s.
            _libgcc(target),
            compiler.make(NO_SHARED, *PIC, root="${work}"),
            compiler.make(NO_SHARED, *PIC, "install", "DESTDIR=${out}", root="${work}"),
            # Without this one libgcc_eh.a is missing and every static C++ link fails.
            _libgcc(target, "install", "DESTDIR=${out}"),
        ),
        runs_on="host",
        milestones=(
            (f"build/{target.triple}/libgcc/libgcc.a", "libgcc done"),
            ("build-musl/lib/libc.so", "musl done"),
            (f"build/{target.triple}/libstdc++-v3/config.status", "C++ library"),
        ),
        guess=330,
        memory=900_000_000,
        peak=2_400_000_000,
        kept=230_000_000,
    )


def _sysroot(target: Target) -> tuple[Copy | Link, ...]:
    sysroot = f"${{out}}/{target.triple}"
    return (
        Copy(source="${need.headers}", to=sysroot),
        Link(path=f"{sysroot}/usr", target="."),
        Link(path=f"{sysroot}/lib64", target="lib"),  # GCC installs there for some 64-bit targets
        Link(path="${work}/sysroot", target=sysroot),
    )


def _small_unwinder(target: Target) -> Replace:
    """libgcc's makefile has a variable of flags for each file."""
    flags = "".join(f"CFLAGS-{name} = -Os\n" for name in UNWINDER)
    first = "gcc_compile_bare = "
    return Replace(
        root=f"${{work}}/build/{target.triple}/libgcc",
        pattern="Makefile",
        old=f"\n{first}",
        new=f"\n{flags}{first}",
    )


def _musl_headers(target: Target) -> tuple[Run, ...]:
    build = "${work}/build-musl"
    compiler = f"${{work}}/build/gcc/xgcc -B${{work}}/build/gcc/ --sysroot=${{out}}/{target.triple}"
    return (
        Run(
            argv=(
                "../musl/configure",
                f"--host={target.triple}",
                "--prefix=",
                f"CC={compiler}",
                # It is not there yet when configure asks the compiler for it.
                f"LIBCC=${{work}}/build/{target.triple}/libgcc/libgcc.a",
                f"CROSS_COMPILE={target.triple}-",
            ),
            cwd=build,
        ),
        Run(argv=("make", "install-headers", f"DESTDIR=${{out}}/{target.triple}"), cwd=build),
    )


def _musl(target: Target) -> tuple[Run | Relink, ...]:
    build = "${work}/build-musl"
    return (
        Run(argv=("make",), cwd=build),
        Run(argv=("make", "install", f"DESTDIR=${{out}}/{target.triple}"), cwd=build),
        Relink(root=f"${{out}}/{target.triple}"),
    )


def _libgcc(target: Target, *words: str) -> Run:
    # Its own Makefile holds the flags for the target; the compiler's would take their place.
    argv = ("make", "-C", f"{target.triple}/libgcc", "enable_shared=yes", *words)
    return Run(argv=argv, cwd="${work}/build")
