"""The toolchain as users get it: assembled, stripped, relocatable, and proved."""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Check,
    CommandOutput,
    Copy,
    Deduplicate,
    Elf,
    ForbiddenText,
    InputFile,
    Link,
    Present,
    Remove,
    Run,
    Size,
    Stage,
    Strip,
)
from muslin.models.target import Target
from recipes.emulator import emulated
from recipes.toolchain import target_libraries

AT_MOST = 240_000_000  # bytes, everything together; riscv64 has 230 MB, x86_64 177 MB
UNWANTED = (
    "share",
    "include",
    *target_libraries.WITH_PATHS,
    "lib/gcc/*/*/plugin",
    "bin/*-lto-dump",
    "bin/*-gcov*",
    "bin/*-gcc-[0-9]*",
)

C_PROGRAM = """\
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static _Thread_local int mine;
static _Atomic unsigned long long sum;  /* 64 bits: wants libatomic below ARMv6K */

static void *work(void *argument)
{
    mine = *(int *)argument;
    atomic_fetch_add(&sum, (unsigned long long)mine);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    int numbers[4];
    for (int i = 0; i < 4; i++) {
        numbers[i] = i + 1;
        if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0) return 1;
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("sum %llu, root %.3f\\n", (unsigned long long)sum, sqrt((double)sum * 10.0));
    return 0;
}
"""
CXX_PROGRAM = """\
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

int main()
{
    std::exception_ptr caught;
    std::thread thread([&caught] {
        try { throw std::runtime_error(std::string("across ") + "threads"); }
        catch (...) { caught = std::current_exception(); }
    });
    thread.join();
    try { std::rethrow_exception(caught); }
    catch (const std::exception &error) { std::cout << error.what() << std::endl; }
}
"""


PROGRAMS = (
    *("gcc", "g++", "cc", "c++", "cpp", "ar", "as", "ld", "nm", "objcopy", "objdump"),
    *("ranlib", "readelf", "strip"),
)
"""What `bin` has behind the triple, whichever driver made it."""


# Long: one stage, declared from its needs to its checks.
def stage(
    target: Target,
    *,
    parts: tuple[tuple[str, Stage], ...],
    qemu: Stage,
    known: Stage,
    compiled: bool = True,
) -> Stage:
    """`bin/<triple>-gcc` and friends and a sysroot, in a folder that can be moved. `parts` are what
    a driver made, the one with binutils first; `compiled` says whether its programs were built
    here, so that they are to be stripped and two of them may be one."""
    triple = target.triple
    doubled = ("${out}/bin", f"${{out}}/{triple}/bin")
    return Stage(
        name=f"toolchain-{target.name}",
        target=target.name,
        summary="compiler, assembler, linker and sysroot, to be unpacked anywhere",
        needs=parts,
        steps=(
            *(Copy(source=f"${{need.{alias}}}", to="${out}") for alias, _ in parts),
            Remove(root="${out}", patterns=UNWANTED),
            Link(path=f"${{out}}/bin/{triple}-cc", target=f"{triple}-gcc"),
            *(
                Strip(program="strip", root=f"${{out}}/{folder}", options=("-s",), kind="programs")
                for folder in (("bin", "libexec", f"{triple}/bin") if compiled else ())
            ),
            *(
                Strip(
                    program=f"${{need.{parts[0][0]}}}/bin/{triple}-strip",
                    root=f"${{out}}/{folder}",
                    options=("--strip-debug", "--enable-deterministic-archives"),
                    kind=kind,
                )
                for folder in (f"{triple}/lib", "lib/gcc")
                for kind in ("libraries", "programs")
            ),
            # binutils installs every program twice, GCC has two names for g++.
            *((Deduplicate(folders=doubled),) if compiled else ()),
        ),
        runs_on="host",
        shared=True,
        judges=(("qemu", qemu), ("known", known)),
        checks=(
            Present(paths=tuple(f"bin/{triple}-{program}" for program in PROGRAMS)),
            Present(root=f"${{out}}/{triple}", paths=("include/stdio.h", "lib/libc.a")),
            Size(at_most=AT_MOST),
            ForbiddenText(texts=("${cache}",)),
            Elf(root=f"${{out}}/{triple}/lib", patterns=("*.so*", "*.o"), machine=target.machine),
            *_programs(target),
        ),
        guess=4,
        peak=400_000_000,
        kept=180_000_000,
    )


def _programs(target: Target) -> tuple[Check, ...]:
    """C and C++, dynamic in form (static-pie) and static, run by a processor of the baseline."""
    checks: list[Check] = [
        InputFile(path="${work}/x.c", text=C_PROGRAM),
        InputFile(path="${work}/x.cc", text=CXX_PROGRAM),
    ]
    languages = (
        ("gcc", "x.c", ("-lm", "-latomic"), "sum 10, root 10.000"),
        ("g++", "x.cc", (), "across threads"),
    )
    for compiler, text, libraries, expect in languages:
        for form in ("-static", "-static-pie"):
            made = f"${{work}}/{compiler}{form}"
            argv = (f"${{out}}/bin/{target.triple}-{compiler}", "-O2", form, text, "-o", made)
            checks += [
                CommandOutput(run=Run(argv=(*argv, *libraries))),
                Elf(
                    root="${work}",
                    patterns=(f"{compiler}{form}",),
                    machine=target.machine,
                    static=True,
                ),
                CommandOutput(run=Run(argv=emulated(target, made)), expect=expect),
            ]
    return tuple(checks)
