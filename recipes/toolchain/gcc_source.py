"""GCC's sources, which every target's compiler is made of: unpacked once, and mended."""

from __future__ import annotations

from muslin.engine.vocabulary import Present, Remove, Replace, Stage, Touch
from muslin.models.pins import Component
from recipes import component
from recipes.component import LONG_AGO
from recipes.toolchain import precompiled_headers

ARM_LINK_SPEC = "gcc/config/arm/linux-elf.h"
"""GCC 14 passes -static-pie on to the linker on every Linux target but ARM: there the program
gets an interpreter and shared libraries. aarch64-linux.h has what is missing."""

PACKED = (
    "gcc/config/aarch64/aarch64-linux.h",
    "gcc/config/i386/gnu-user.h",
    "gcc/config/i386/gnu-user64.h",
)
"""What passes -static-pie on to the linker where that can pack relative relocations (DT_RELR:
binutils 2.44 for AArch64 and x86; musl reads it since 1.2.4). Each takes 24 bytes otherwise."""

MAKEFILE = "gcc/Makefile.in"
GENERATED = "insn-%.o gimple-match-%.o generic-match-%.o"
"""Large files that this makefile writes: 120 s of CPU at -O1 for armv6, of some 780 for the whole
compiler, and half of it at -O0. Users of the compiler lose some 4 %."""
OF_THE_ANALYZER = ("analyzer", "analyzer-language", "analyzer-pass", "analyzer-selftests")
"""Enough of it for the compiler to link where it is disabled. The others compile to nothing, after
half a second of headers each."""

NOT_BUILT = (
    *("gcc/ada", "gcc/fortran", "gcc/go", "gcc/jit", "gcc/m2"),
    *("gnattools", "gotools", "libada", "libffi", "libgfortran", "libgm2", "libgo", "libgrust"),
    *("libitm", "libobjc", "libphobos", "libsanitizer", "libvtv"),
    *("gcc/testsuite/g*", "gcc/testsuite/c*", "gcc/testsuite/obj*", "gcc/testsuite/rust"),
    *("libgomp/testsuite", "libstdc++-v3/testsuite/[0-9a-z]*"),
)
"""Much of the tarball: tests that run where GCC is developed, less what configure and make want
(libstdc++'s `Makefile.in`, `selftests`), and other languages, less those (d and rust) of which
genhooks reads a file in every build."""


def stage(*, source: Component) -> Stage:
    """GCC's sources, once for all targets."""
    return Stage(
        name="gcc-source",
        summary="GCC's sources, unpacked and patched",
        sources=component.sources(source),
        steps=(
            *component.unpacked(source, into="${out}"),
            Remove(root="${out}", patterns=NOT_BUILT),  # patches change files in there too
            *static_pie_on_arm("${out}"),
            *_packed_relocations("${out}"),
            *_less_to_compile("${out}"),
            _not_of_this_host("${out}"),
            *precompiled_headers.in_sources("${out}", makefile=MAKEFILE, time=LONG_AGO),
            *(
                Touch(path=f"${{out}}/{path}", time=LONG_AGO)
                for path in (ARM_LINK_SPEC, *PACKED, MAKEFILE)
            ),
        ),
        runs_on="nowhere",
        checks=(Present(paths=("configure", "gcc/BASE-VER", "libstdc++-v3/configure")),),
        guess=10,
        peak=1_500_000_000,
        kept=400_000_000,
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


def _packed_relocations(root: str) -> tuple[Replace, ...]:
    """See `PACKED`: by default what is an option of the linker."""
    option = "-pie --no-dynamic-linker -z text"
    return tuple(
        Replace(root=root, pattern=path, old=option, new=f"{option} -z pack-relative-relocs")
        for path in PACKED
    )


def _not_of_this_host(root: str) -> Replace:
    """libtool writes what the host's /etc/ld.so.conf names into scripts that the tree of a compiler
    keeps. It asks in order to leave those folders out of run paths, and nothing here has any."""
    asked = "if test -f /etc/ld.so.conf; then"
    return Replace(root=root, pattern="*/configure", old=asked, new="if false; then")


def _less_to_compile(root: str) -> tuple[Replace, ...]:
    """GCC's makefile takes such words from its own lines alone, not from make's command."""
    flags = "INTERNAL_CFLAGS = -DIN_GCC @CROSS@\n"
    objects = " ".join(f"analyzer/{name}.o" for name in OF_THE_ANALYZER)
    changes = (
        (flags, f"{flags}{GENERATED}: private INTERNAL_CFLAGS += -O0\n"),
        ("\t$(ANALYZER_OBJS) \\\n", f"\t{objects} \\\n"),
        # To look for what GCC's developers want to be warned of takes 3 % of the time. Narrowing is
        # an error where it is not allowed.
        ("  $(WARN_CXXFLAGS) @DEFS@\n", "  -Wno-narrowing @DEFS@\n"),
    )
    return tuple(Replace(root=root, pattern=MAKEFILE, old=old, new=new) for old, new in changes)
