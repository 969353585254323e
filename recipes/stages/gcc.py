"""Compiler, libgcc, musl and libstdc++ in one tree: a single-stage build.

They cannot be cut apart without carrying a hidden build tree along. The order is musl-cross-make's:
compiler, musl's headers, static libgcc, musl, shared libgcc, the rest.
"""

from __future__ import annotations

from recipes.engine.stage import (
    Copy,
    Link,
    Relink,
    Replace,
    Run,
    Source,
    Stage,
    Step,
    Touch,
    Unpack,
)
from recipes.stages import musl_fixes
from recipes.target import Target

OPTIONS = (
    "--prefix=",  # empty: every path is found from where the compiler lies
    "--libdir=/lib",
    "--enable-languages=c,c++",
    "--disable-bootstrap",
    "--disable-gcov",
    "--disable-gnu-indirect-function",  # musl has no IFUNC
    "--disable-libcc1",
    "--disable-libgomp",
    "--disable-libitm",
    "--disable-libquadmath",
    "--disable-libsanitizer",  # wants glibc's internals
    "--disable-libssp",  # musl has its own
    "--disable-libstdcxx-pch",  # precompiled headers: long to make, and only for equal options
    "--disable-libvtv",
    "--disable-multilib",
    "--disable-nls",
    "--disable-plugin",
    "--enable-checking=release",
    "--enable-default-pie",
    "--enable-libstdcxx-time",
    "--enable-tls",
    "--without-isl",
    "--without-zstd",
)
NO_MANUALS = ("MAKEINFO=true", "BUILD_INFO=", "MANFILES=", "GENERATED_MANPAGES=")
TARGET_FLAGS = "-O2 -g0 -ffile-prefix-map=${work}=."
OPTIMISATION = "-O1"  # measured: the compiler compiles in 60 % of the time it takes at -O2
FAR_FUTURE = 4102444800  # 2100-01-01


ARM_LINK_SPEC = "gcc/config/arm/linux-elf.h"
"""GCC 14 passes -static-pie on to the linker on every Linux target but ARM: there the program
gets an interpreter and shared libraries. aarch64-linux.h has what is missing."""


def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    source: Source,
    member: str,
    musl: Source,
    musl_patches: tuple[Source, ...],
    host_libs: Stage,
    binutils: Stage,
    headers: Stage,
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """The compiler with its target libraries, not yet joined with binutils."""
    return Stage(
        name=f"gcc-{target.name}",
        target=target.name,
        summary="compiler, musl and C++ library",
        sources=(("gcc", source), ("musl", musl), *musl_fixes.sources(musl_patches)),
        needs=(("host-libs", host_libs), ("binutils", binutils), ("headers", headers)),
        tools=tools,
        path=("${need.binutils}/bin",),
        steps=(
            *_sources(member, musl_patches),
            *_sysroot(target),
            *_compiler(target),
            *_musl_headers(target),
            _make("enable_shared=no", "all-target-libgcc"),
            *_musl(target),
            # libstdc++'s configure stops with "Link tests are not allowed" without -lgcc_s.
            _libgcc(target),
            _make(),
            _make("install", "DESTDIR=${out}"),
            # Without this one libgcc_eh.a is missing and every static C++ link fails.
            _libgcc(target, "install", "DESTDIR=${out}"),
        ),
        runs_on="host",
        milestones=(
            ("build/config.status", "configured"),
            ("build/gcc/xgcc", "compiler done"),
            (f"build/{target.triple}/libgcc/libgcc.a", "libgcc done"),
            ("build-musl/lib/libc.so", "musl done"),
            (f"build/{target.triple}/libstdc++-v3/config.status", "C++ library"),
        ),
        guess=1240,
        memory=900_000_000,
        peak=2_400_000_000,
        kept=230_000_000,
    )


def _sources(member: str, musl_patches: tuple[Source, ...]) -> tuple[Step, ...]:
    gcc: tuple[Unpack, ...] = (Unpack(archive="${source.gcc}", into="${work}/gcc", strip=1),)
    if member:  # Debian wraps the tarball in a package
        gcc = (
            Unpack(archive="${source.gcc}", into="${work}/package", only=(member,)),
            Unpack(archive=f"${{work}}/package/{member}", into="${work}/gcc", strip=1),
        )
    return (
        *gcc,
        Unpack(archive="${source.musl}", into="${work}/musl", strip=1),
        *musl_fixes.steps(musl_patches, into="${work}/musl"),
        *static_pie_on_arm("${work}/gcc"),
    )


def static_pie_on_arm(root: str) -> tuple[Replace, ...]:
    """Mend GCC's sources below a folder: see `ARM_LINK_SPEC`."""
    return (
        Replace(
            root=root,
            pattern=ARM_LINK_SPEC,
            old="   %{!static: \\\n",
            new=(
                "   %{static-pie:-Bstatic -pie --no-dynamic-linker -z text} \\\n"
                "   %{!static:%{!static-pie: \\\n"
            ),
        ),
        Replace(
            root=root,
            pattern=ARM_LINK_SPEC,
            old='GNU_USER_DYNAMIC_LINKER "}} \\\n',
            new='GNU_USER_DYNAMIC_LINKER "}}} \\\n',
        ),
    )


def _sysroot(target: Target) -> tuple[Copy | Link, ...]:
    sysroot = f"${{out}}/{target.triple}"
    return (
        Copy(source="${need.headers}", to=sysroot),
        Link(path=f"{sysroot}/usr", target="."),
        Link(path=f"{sysroot}/lib64", target="lib"),  # GCC installs there for some 64-bit targets
    )


def _compiler(target: Target) -> tuple[Run | Touch, ...]:
    return (
        Run(
            argv=(
                "../gcc/configure",  # by a relative path: it ends up in what is compiled
                f"--target={target.triple}",
                f"--with-sysroot=/{target.triple}",
                f"--with-build-sysroot=${{out}}/{target.triple}",
                f"--with-build-time-tools=${{need.binutils}}/{target.triple}/bin",
                *(f"--with-{library}=${{need.host-libs}}" for library in ("gmp", "mpfr", "mpc")),
                *OPTIONS,
                *target.gcc.configure,
            ),
            cwd="${work}/build",
        ),
        _make("configure-gcc", said(target)),
        # Debian's tarball has no manual to compare this stamp with, and make all-gcc would stop.
        Touch(path="${work}/build/gcc/s-tm-texi", time=FAR_FUTURE),
        _make("all-gcc", said(target)),
    )


def said(target: Target) -> str:
    """What `gcc -v` shows as its configuration: the same without the build's folders."""
    words = (f"--target={target.triple}", *OPTIONS, *target.gcc.configure)
    return f"TOPLEVEL_CONFIGURE_ARGUMENTS=../gcc/configure {' '.join(words)}"


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


def _make(*words: str) -> Run:
    return Run(
        argv=(
            "make",
            *NO_MANUALS,
            f"CFLAGS={OPTIMISATION}",
            f"CXXFLAGS={OPTIMISATION}",
            f"CFLAGS_FOR_TARGET={TARGET_FLAGS}",
            f"CXXFLAGS_FOR_TARGET={TARGET_FLAGS}",
            *words,
        ),
        cwd="${work}/build",
    )
