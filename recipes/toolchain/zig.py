"""The driver `zig`: clang, lld and LLVM's runtime out of zig's wheel, in the shape of a GCC.

Of the wheel its program is used, which is clang and lld too (`zig clang`, `zig ld.lld`: without
zig's own caches and its guesses of the processor), and the sources of compiler-rt, libunwind and
libc++, which are compiled here for the target's processor. musl and the kernel's headers are those
of the other drivers.
"""

from __future__ import annotations

from muslin.engine.vocabulary import (
    CommandOutput,
    Copy,
    Folder,
    Link,
    Members,
    Present,
    Relink,
    Remove,
    Replace,
    Run,
    Stage,
    Step,
    Tree,
    UnpackWheel,
    Write,
)
from muslin.models import errors
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component
from recipes.toolchain import musl_patches, zig_texts

PROGRAM = "ziglang/zig"
TAKEN = (
    PROGRAM,
    "ziglang/LICENSE",
    *(
        f"ziglang/lib/{name}"
        for name in (
            *("compiler_rt", "compiler_rt.zig", "include", "libcxx", "libcxxabi", "libunwind"),
            "std",
        )
    ),
)
"""What the driver uses of 413 MB."""
LIB = "${work}/zig-lib"
PATCHED = "/* zig patch: instead of including __config_site, zig adds -D flags when compiling */"
ALIASES = ("libgcc.a", "libatomic.a")
"""Names by which builds ask for what compiler-rt has."""
VFP = (
    ("UnwindRegistersSave.S", "  vstmia r0, {d16-d31}\n"),
    ("UnwindRegistersRestore.S", "  vldmia r0, {d16-d31}\n"),
)


def program(source: Component) -> Stage:
    """`zig` with the sources of its libraries, for this machine."""
    return Stage(
        name="zig",
        summary="zig: clang, lld and the sources of LLVM's runtime",
        sources=component.sources(source),
        steps=(UnpackWheel(wheel="${source.zig}", into="${out}", only=TAKEN, strip=1),),
        runs_on="host",
        checks=(
            CommandOutput(run=Run(argv=("${out}/zig", "version")), expect=source.version),
            Present(root="${out}/lib", paths=("libcxx/include/vector", "include/stdarg.h")),
        ),
        guess=6,
        peak=400_000_000,
        kept=250_000_000,
    )


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    zig: Stage,
    binutils: Stage,
    musl: Component,
    musl_files: Tree | None,
    headers: Stage,
) -> Stage:
    """The parts of a toolchain, as `assemble.stage` takes them; raises `NoZig`."""
    if target.zig is None:
        raise errors.NoZig(target.name)
    sysroot = f"${{out}}/{target.triple}"
    return Stage(
        name=f"zig-{target.name}",
        target=target.name,
        summary="clang, lld, musl and LLVM's runtime",
        sources=component.sources(musl),
        trees=musl_patches.trees(musl_files),
        needs=(("zig", zig), ("binutils", binutils), ("headers", headers)),
        env=(
            ("ZIG_GLOBAL_CACHE_DIR", "${work}/zig-cache"),
            ("ZIG_LOCAL_CACHE_DIR", "${work}/zig-cache"),
        ),
        steps=(
            Copy(source="${need.zig}/zig", to="${out}/libexec/zig/zig"),
            Copy(source="${need.zig}/LICENSE", to="${out}/libexec/zig/LICENSE"),
            Copy(
                source="${need.binutils}",
                to="${out}/libexec/binutils",
                omit=("usr/include", "usr/share"),
            ),
            Copy(source="${need.zig}/lib/include", to="${out}/lib/clang/include"),
            Copy(source="${need.headers}", to=sysroot),
            Link(path=f"{sysroot}/usr", target="."),
            Link(path=f"{sysroot}/lib64", target="lib"),
            Folder(path=f"{sysroot}/lib"),
            *zig_texts.programs(target),
            *_compiler_rt(target, sysroot),
            *_musl(target, musl, musl_files, sysroot),
            *_without_libc(target, sysroot),
            *_start_files(target, sysroot),
            *_runtime(target, sysroot),
        ),
        runs_on="host",
        checks=(
            Present(root=sysroot, paths=("include/linux/version.h", "lib/libc.a", "lib/libc++.a")),
            Members(root=sysroot, pattern="lib/libgcc.a", exactly=("compiler_rt.o",)),
        ),
        milestones=(
            ("compiler_rt.o", "compiler-rt done"),
            ("build-musl/lib/libc.so", "musl done"),
            ("runtime/libunwind.a", "C++ library"),
        ),
        guess=120,
        memory=700_000_000,
        peak=900_000_000,
        kept=260_000_000,
    )


def _compiler_rt(target: Target, sysroot: str) -> tuple[Step, ...]:
    """Arithmetic and atomics that the processor does not have, written in Zig."""
    assert target.zig is not None
    argv = (
        *("${need.zig}/zig", "build-obj", "--zig-lib-dir", "${need.zig}/lib"),
        *("-target", target.zig.target, f"-mcpu={target.zig.cpu}", "-O", "ReleaseFast"),
        *("-fPIC", "-fstrip", "-fno-stack-check", "-fno-stack-protector"),
        *("-ffunction-sections", "-fdata-sections", "--name", "compiler_rt"),
        "${need.zig}/lib/compiler_rt.zig",
    )
    return (Run(argv=argv), *_archive(target, sysroot))


def _archive(target: Target, sysroot: str) -> tuple[Step, ...]:
    first, *others = ALIASES
    argv = (f"${{out}}/bin/{target.triple}-ar", "rcsD", f"{sysroot}/lib/{first}", "compiler_rt.o")
    return (
        Remove(root=f"{sysroot}/lib", patterns=ALIASES),
        Run(argv=argv),
        *(Link(path=f"{sysroot}/lib/{name}", target=first) for name in others),
    )


def _musl(
    target: Target, musl: Component, musl_files: Tree | None, sysroot: str
) -> tuple[Step, ...]:
    build, bin_ = "${work}/build-musl", f"${{out}}/bin/{target.triple}-"
    return (
        *component.unpacked(musl, into="${work}/musl"),
        *musl_patches.steps(musl_files, into="${work}/musl"),
        Run(
            argv=(
                *("../musl/configure", f"--host={target.triple}", "--prefix="),
                *(f"CC={bin_}gcc", f"LIBCC={sysroot}/lib/libgcc.a", f"CROSS_COMPILE={bin_}"),
            ),
            cwd=build,
        ),
        Run(argv=("make", "install", f"DESTDIR={sysroot}"), cwd=build),
        Relink(root=sysroot),
    )


def _without_libc(target: Target, sysroot: str) -> tuple[Step, ...]:
    bin_ = f"${{out}}/bin/{target.triple}-"
    script = (
        "sh",
        "-c",
        zig_texts.LOCALIZE,
        f"{bin_}nm",
        f"{sysroot}/lib/libc.a",
        f"{bin_}objcopy",
    )
    return (Run(argv=script), *_archive(target, sysroot))


def _start_files(target: Target, sysroot: str) -> tuple[Step, ...]:
    """What clang asks for beside musl's own, and where it looks for it and for compiler-rt."""
    compiler = (f"${{out}}/bin/{target.triple}-gcc", "-O2", "-fPIC", "-c")
    processor, _, rest = target.triple.partition("-")
    resources = f"${{out}}/lib/clang/lib/{processor}-unknown-{rest}"
    back = f"../../../../{target.triple}/lib"
    return (
        Write(path="${work}/crtbegin.c", text=zig_texts.START),
        Write(path="${work}/crtend.c", text=""),
        *(
            step
            for name in ("crtbegin", "crtend")
            for step in (
                Run(argv=(*compiler, f"{name}.c", "-o", f"{sysroot}/lib/{name}.o")),
                Link(path=f"{resources}/clang_rt.{name}.o", target=f"{back}/{name}.o"),
            )
        ),
        Link(path=f"{resources}/libclang_rt.builtins.a", target=f"{back}/{ALIASES[0]}"),
    )


def _runtime(target: Target, sysroot: str) -> tuple[Step, ...]:
    """libunwind and libc++, with libc++abi in it."""
    lib, headers = f"{sysroot}/lib", f"{sysroot}/include/c++/v1"
    unwind = f"{LIB}/libunwind/src"
    return (
        *(
            Copy(source=f"${{need.zig}}/lib/{name}", to=f"{LIB}/{name}")
            for name in ("libcxx", "libcxxabi", "libunwind")
        ),
        *(
            Replace(
                root=f"{LIB}/libcxx/include/__configuration",
                pattern=f"{name}.h",
                old=PATCHED,
                new="#include <__config_site>",
            )
            for name in ("experimental", "hardening", "language")
        ),
        Write(path=f"{LIB}/libcxx/include/__config_site", text=zig_texts.CONFIG_SITE),
        # Demand-saved registers that no processor without NEON has, and claims of VFPv3: unwinding
        # data of the target's code names neither.
        *(Replace(root=unwind, pattern=name, old=line, new="") for name, line in VFP),
        *(
            Replace(root=unwind, pattern=name, old=f"  .fpu {fpu}\n", new="  .fpu vfpv2\n")
            for name, _ in VFP
            for fpu in ("vfpv3-d16", "vfpv3")
        ),
        Write(
            path="${work}/runtime/Makefile",
            text=zig_texts.RUNTIME.replace("{triple}", target.triple),
        ),
        Run(argv=("make", "all"), cwd="${work}/runtime"),
        Copy(source=f"{LIB}/libcxx/include", to=headers),
        Copy(source=f"{LIB}/libcxxabi/include", to=headers),
        Copy(source="${work}/runtime/libc++.a", to=f"{lib}/libc++.a"),
        Link(path=f"{lib}/libstdc++.a", target="libc++.a"),  # crates ask for it by this name
        Copy(source="${work}/runtime/libunwind.a", to=f"{lib}/libunwind.a"),
        Link(path=f"{lib}/libgcc_eh.a", target="libunwind.a"),
    )
