"""The driver `musl-cross-make`: the upstream project itself, told by a `config.mak`.

What is said here of its makefiles was read in https://github.com/richfelker/musl-cross-make:
`Makefile` at 3635262e4524c991552789af6f36211a335a77b3 and `litecross/Makefile` at
008e910e968f49c5c2d3ac4b5c1e0a1f90662719.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from muslin.engine.vocabulary import (
    Link,
    Present,
    Relink,
    Remove,
    Run,
    Source,
    Stage,
    Tree,
    Unpack,
    Write,
    escaped,
)
from muslin.models import errors
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component
from recipes.toolchain import compiler, gcc_source, musl_patches, target_libraries

COMPONENTS = {
    "gcc": "GCC_VER",
    "binutils": "BINUTILS_VER",
    "musl": "MUSL_VER",
    "gmp": "GMP_VER",
    "mpc": "MPC_VER",
    "mpfr": "MPFR_VER",
    "linux": "LINUX_VER",
}
"""Its names of the parts and the variables that hold their versions."""
HERE = "${work}/musl-cross-make"
SOURCES = "${work}/sources"
FIXED = (
    "--prefix=",
    "--libdir=/lib",
    "--disable-gnu-indirect-function",
    "--disable-libsanitizer",
    "--disable-multilib",
    "--enable-libstdcxx-time",
    "--enable-tls",
    "--enable-languages=c,c++",
)
"""What it says by itself, behind or before our words (FULL_GCC_CONFIG in litecross/Makefile)."""
PATCHED = """\
for each; do
    if ! test -d "patches/$each"; then
        echo "musl-cross-make has no patches/$each at this commit, and would build it as it is" >&2
        exit 1
    fi
done
"""
MILESTONES = (
    ("musl-cross-make/build/local/*/obj_binutils/.lc_built", "binutils done"),
    ("musl-cross-make/build/local/*/obj_gcc/gcc/.lc_built", "compiler done"),
    ("musl-cross-make/build/local/*/obj_musl/.lc_built", "musl done"),
    ("musl-cross-make/build/local/*/obj_gcc/.lc_built", "libraries done"),
)
"""Its stamps, which are there as soon as a part is built."""


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    source: Source,
    parts: Mapping[str, Source],
    musl: Component,
    musl_files: Tree | None,
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """The toolchain as `make install` leaves it. `parts` are the sources by `COMPONENTS`."""
    versions = {part: _version(part, one) for part, one in parts.items()}
    libgcc = f"${{out}}/lib/gcc/{target.triple}/{versions['gcc']}/libgcc.a"
    return Stage(
        name=f"musl-cross-make-{target.name}",
        target=target.name,
        summary="compiler, assembler, linker, musl and kernel headers",
        sources=(
            ("musl-cross-make", source),
            *((part, one) for part, one in parts.items() if part != "musl"),
            *component.sources(musl),
        ),
        trees=musl_patches.trees(musl_files),
        tools=tools,
        steps=(
            Unpack(archive="${source.musl-cross-make}", into=HERE, strip=1),
            # GCC's are what musl needs. Of the other parts it has patches for few versions, for
            # processors that no target here has; musl's are among our own pins.
            Run(argv=("sh", "-c", PATCHED, "sh", f"gcc-{versions['gcc']}"), cwd=HERE),
            # A folder of sources that is not its own it takes as it is: no download, no check.
            *(
                Link(path=f"{SOURCES}/{_file(part, one)}", target=f"${{source.{part}}}")
                for part, one in parts.items()
            ),
            # It applies what lies there in the order of the names, its own first.
            *component.placed(musl, f"{HERE}/patches/musl-{versions['musl']}"),
            Write(path=f"{HERE}/config.mak", text=config(target, versions)),
            Run(argv=("make", "extract_all"), cwd=HERE),
            # Its own patch for static-pie does not reach ARM.
            *gcc_source.static_pie_on_arm(f"{HERE}/gcc-{versions['gcc']}"),
            *musl_patches.steps(musl_files, into=f"{HERE}/musl-{versions['musl']}"),
            Run(argv=("make", "install", compiler.shown_configuration(target)), cwd=HERE),
            # It builds libgcc without a shared library and again with one: whether the unwinder
            # stays in libgcc.a depends on the order in which jobs finished (see gcc.py).
            Run(
                argv=(
                    f"${{out}}/bin/{target.triple}-ar",
                    "dD",
                    libgcc,
                    *target_libraries.unwinder(target),
                )
            ),
            Remove(root="${out}", patterns=("bin/*-cc",)),  # every driver's toolchain gets one
            Relink(root=f"${{out}}/{target.triple}"),  # musl's loader points to /lib/libc.so
        ),
        runs_on="host",
        shared=True,
        checks=(
            *target_libraries.libgcc_checks(target, ()),
            # Where it knows no architecture of the headers' for a target it says nothing.
            Present(
                root=f"${{out}}/{target.triple}",
                paths=("include/linux/version.h", "include/stdio.h", "lib/libc.a"),
            ),
        ),
        milestones=MILESTONES,
        guess=1700,
        peak=3_500_000_000,
        kept=350_000_000,
    )


def config(target: Target, versions: Mapping[str, str]) -> str:
    """`config.mak`, which both of its makefiles include behind their defaults."""
    ours = (option for option in compiler.OPTIONS if option not in FIXED)
    return "".join(
        f"{line}\n"
        for line in (
            f"TARGET = {target.triple}",
            "OUTPUT = ${out}",
            f"SOURCES = {SOURCES}",
            *(f"{COMPONENTS[part]} = {version}" for part, version in versions.items()),
            _words("COMMON_CONFIG", ("--disable-nls", "--with-debug-prefix-map=${work}=.")),
            _words(
                "COMMON_CONFIG",
                (f"CFLAGS={compiler.OPTIMISATION}", f"CXXFLAGS={compiler.OPTIMISATION}"),
            ),
            _words("BINUTILS_CONFIG", ("--disable-gdb", "--disable-gprof", "--disable-gprofng")),
            _words("BINUTILS_CONFIG", ("--without-zstd",)),
            _words("GCC_CONFIG", (*ours, *target.gcc.configure)),
            _words(
                "GCC_CONFIG",
                (
                    f"CFLAGS_FOR_TARGET={compiler.target_flags('${work}')}",
                    f"CXXFLAGS_FOR_TARGET={compiler.target_flags('${work}')}",
                ),
            ),
        )
    )


def _words(variable: str, words: tuple[str, ...]) -> str:
    """A line that adds words for a shell to a variable of make."""
    return f"{variable} += {' '.join(_word(word) for word in words)}"


def _word(word: str) -> str:
    name, equals, value = word.partition("=")
    quoted = f"{name}{equals}{shlex.quote(value)}" if equals and value else shlex.quote(word)
    if "${" in word:  # a placeholder of the engine's
        return quoted.replace("#", "\\#")
    return escaped(quoted.replace("$", "$$")).replace("#", "\\#")


def _file(part: str, source: Source) -> str:
    """`<part>-<version>.tar.<suffix>`: its makefile looks for no other name."""
    suffix = source.name[source.name.rindex(".tar.") :]
    return f"{part}-{_version(part, source)}{suffix}"


def _version(part: str, source: Source) -> str:
    """The version in a file's name; raises `Unknown` for a name that holds none."""
    match = re.fullmatch(rf"{part}[-_](?P<version>.+?)(?:\.orig)?\.tar\.(?:gz|bz2|xz)", source.name)
    if match is None:
        raise errors.Unknown("file for musl-cross-make", source.name, (f"{part}-VERSION.tar.xz",))
    return match["version"]
