"""libgcc, musl and libstdc++ in the compiler's own tree: the rest of a single-stage build.

The order is musl-cross-make's: compiler (a stage of its own), musl's headers, static libgcc, musl,
shared libgcc, the rest.

libgcc is configured once, with a shared library: `libgcc.a` then holds arithmetic and
`libgcc_eh.a` the unwinder. musl-cross-make builds it twice, first without, which puts the unwinder
into `libgcc.a` too; whether the second build removes it again depends on the order in which
parallel jobs finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import (
    Check,
    Copy,
    ForbiddenText,
    Link,
    Members,
    Relink,
    Remove,
    Replace,
    Run,
    Stage,
    Tree,
)
from muslin.models.declaration import Declaration
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component
from recipes.toolchain import compiler, musl_patches

NO_SHARED = (("enable_shared", "no"),)
"""For the configure scripts of libstdc++ and libatomic, which stay static. It is no variable on
make's command line: that would overrule libgcc's makefile."""
LIBGCC = ("libgcc.a", "libgcc_eh.a")
DWARF = ("emutls.o", "unwind-c.o", "unwind-dw2-fde-dip.o", "unwind-dw2.o", "unwind-sjlj.o")
LIBGCC_EH: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EM_ARM": ("emutls.o", "libunwind.o", "pr-support.o", "unwind-arm.o", "unwind-c.o"),
        "EM_386": (*DWARF, "heap-trampoline.o"),
        "EM_X86_64": (*DWARF, "heap-trampoline.o"),
        "EM_AARCH64": (
            *(*DWARF, "heap-trampoline.o", "__aarch64_have_sme.o", "__arm_sme_state.o"),
            *("__arm_tpidr2_restore.o", "__arm_tpidr2_save.o", "__arm_za_disable.o"),
        ),
    }
)
"""What belongs into libgcc_eh.a and into no libgcc.a, by machine; of others `DWARF` is expected
(LIB2ADDEH in GCC 14's libgcc/Makefile.in and config/, as far as config.host takes it)."""
MEMBERS = "recipes/toolchain/libgcc.toml"


class LibgccMembers(Declaration):
    """The objects of libgcc.a."""

    version: str
    """Of GCC."""
    members: dict[str, tuple[str, ...]]
    """By target."""


WITH_PATHS = ("lib/gcc/*/*/install-tools", "libexec/gcc/*/*/install-tools", "**/*.la", "*/lib/*.py")
"""What names the folder it was built in: tools that repair a host's headers, libtool's files,
pretty printers."""

PIC = tuple(
    f"{variable}={compiler.target_flags('${work}')} -fPIC"
    for variable in ("CFLAGS_FOR_TARGET", "CXXFLAGS_FOR_TARGET")
)
"""So that libstdc++.a can go into a user's shared library; --with-pic does not reach all of it."""
UNWINDER = ("pr-support.c", "unwind-arm.c", "unwind-dw2.c", "unwind-dw2-fde-dip.c")
"""What every Rust program is linked with, and every C++ program that throws. At -Os it is 14 kB
less of 35 on x86_64."""


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    made: Stage,
    musl: Component,
    musl_files: Tree | None,
    headers: Stage,
    members: tuple[str, ...],
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """The compiler with its target libraries, not yet joined with binutils. `made` is what
    `compiler.stage` left, `members` are those of `libgcc.a`, where they are known."""
    return Stage(
        name=f"gcc-{target.name}",
        target=target.name,
        summary="compiler, musl and C++ library",
        sources=component.sources(musl),
        trees=musl_patches.trees(musl_files),
        needs=(("compiler", made), ("headers", headers), *compiler.siblings(made)),
        tools=tools,
        path=("${need.binutils}/bin",),
        steps=(
            *compiler.copied("${need.compiler}", "${work}"),
            *component.unpacked(musl, into="${work}/musl"),
            *musl_patches.steps(musl_files, into="${work}/musl"),
            *_sysroot(target),
            *_musl_headers(target),
            compiler.make("configure-target-libgcc", root="${work}"),
            _small_unwinder(target),
            _libgcc(target, *LIBGCC),  # the shared one is linked with musl
            *_musl(target),
            # libstdc++'s configure stops with "Link tests are not allowed" without -lgcc_s.
            _libgcc(target),
            compiler.make(*PIC, root="${work}", env=NO_SHARED),
            compiler.make(*PIC, "install", "DESTDIR=${out}", root="${work}", env=NO_SHARED),
            Remove(root="${out}", patterns=WITH_PATHS),
        ),
        runs_on="host",
        shared=True,
        checks=(*libgcc_checks(target, members), ForbiddenText(texts=("${cache}",))),
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
    archives = [f"${{work}}/build/{target.triple}/libgcc/{name}" for name in LIBGCC]
    compiler = f"${{work}}/build/gcc/xgcc -B${{work}}/build/gcc/ --sysroot=${{out}}/{target.triple}"
    return (
        Run(
            argv=(
                "../musl/configure",
                f"--host={target.triple}",
                "--prefix=",
                f"CC={compiler}",
                # It is not there yet when configure asks the compiler for it.
                f"LIBCC=-Wl,--start-group {' '.join(archives)} -Wl,--end-group",
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
    return Run(argv=("make", "-C", f"{target.triple}/libgcc", *words), cwd="${work}/build")


def libgcc_checks(target: Target, members: tuple[str, ...]) -> tuple[Check, ...]:
    """That both archives of libgcc hold what belongs there."""
    return (
        Members(pattern="lib/gcc/*/*/libgcc_eh.a", exactly=unwinder(target)),
        Members(pattern="lib/gcc/*/*/libgcc.a", exactly=members, lacks=unwinder(target)),
    )


def unwinder(target: Target) -> tuple[str, ...]:
    """The objects of libgcc_eh.a."""
    return LIBGCC_EH.get(target.machine, DWARF)
