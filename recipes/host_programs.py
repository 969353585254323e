"""Programs that run here, unpacked from the packages of the host's own release."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import (
    CommandOutput,
    Copy,
    Present,
    Remove,
    Run,
    Source,
    Stage,
    Step,
    Unpack,
    Write,
)
from muslin.models import errors

WRAPPER = """\
#!/bin/sh
# Finds its libraries and data beside itself, wherever this folder lies.
here=$(dirname "$(readlink -f "$0")")/..
{environment}exec "$here/usr/bin/{program}" "$@"
"""
LIBRARIES = "$here/usr/lib/{multiarch}"
HELPERS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = MappingProxyType(
    {
        "pkgconf": ({"pkgconf": "pkgconf"}, {}),
        "cmake": ({"cmake": "cmake"}, {}),
        "binutils-multiarch": (
            {
                name: f"{{multiarch}}-{name}"
                for name in ("nm", "objcopy", "objdump", "readelf", "strip")
            },
            {},
        ),
        "tcl": ({"tclsh": "tclsh8.6"}, {"TCL_LIBRARY": "$here/usr/share/tcltk/tcl8.6"}),
    }
)
"""Per group of packages: its programs and their names in the package, and what they want set."""
NOT_OF_A_PROGRAM = ("usr/share/doc", "usr/share/man", "usr/share/zoneinfo")
"""zoneinfo has a link to the host's own /etc."""
NOT_OF_AN_EMULATOR = ("bin", "etc", "sbin", "usr/sbin", "usr/share", "var")
"""Boards without firmware need nothing but the programs and their libraries."""
PLAIN_NAMES = """\
for each in qemu-*-static; do
    if test -e "$each"; then mv "$each" "$(basename "$each" -static)"; fi
done
"""
"""Debian 13 calls its static emulators `qemu-arm`, older releases and Ubuntu `qemu-arm-static`."""
NOT_OF_STD = ("usr/src/*/compiler", "usr/src/*/src")
"""rust-src holds the compiler too, and 32,000 files of its tools."""


def build_tools(sources: tuple[Source, ...], *, multiarch: str) -> Stage:
    """m4, bison, flex and patch, for hosts that lack them."""
    programs = {name: name for name in ("m4", "bison", "flex", "patch")}
    return _packaged(
        "build-tools",
        sources,
        programs,
        summary="m4, bison, flex and patch where the host lacks them",
        environment={
            "M4": "$here/bin/m4",
            "BISON_PKGDATADIR": "$here/usr/share/bison",
            "LD_LIBRARY_PATH": LIBRARIES.format(multiarch=multiarch),
        },
    )


def helper(name: str, sources: tuple[Source, ...], *, multiarch: str) -> Stage:
    """A group of `HELPERS`: programs that some recipes run."""
    libraries = {"LD_LIBRARY_PATH": LIBRARIES.format(multiarch=multiarch)}
    if name not in HELPERS:
        raise errors.Unknown("helper in HELPERS in recipes/host_programs.py", name, HELPERS)
    named, environment = HELPERS[name]
    programs = {called: real.format(multiarch=multiarch) for called, real in named.items()}
    summary = f"{' and '.join(programs)} for recipes that run it"
    return _packaged(
        name, sources, programs, summary=summary, environment=libraries | dict(environment)
    )


def _packaged(
    name: str,
    sources: tuple[Source, ...],
    programs: Mapping[str, str],
    *,
    summary: str,
    environment: Mapping[str, str],
) -> Stage:
    """Packages in a folder that can be moved; `bin` has the programs, by name and real name."""
    return Stage(
        name=name,
        summary=summary,
        sources=_numbered(sources),
        steps=(
            *_unpacked(sources, "${work}/packages", omit=NOT_OF_A_PROGRAM),
            Copy(source="${work}/packages/usr", to="${out}/usr"),
            *(_wrapper(called, real, environment) for called, real in programs.items()),
        ),
        runs_on="host",
        checks=(Present(paths=tuple(f"bin/{program}" for program in programs)),),
        guess=2,
    )


def qemu(sources: tuple[Source, ...]) -> Stage:
    """QEMU's user-mode emulators: static programs, so nothing but them is needed."""
    return Stage(
        name="qemu",
        summary="user-mode emulators for the checks",
        sources=_numbered(sources),
        steps=(
            *_unpacked(sources, "${work}/packages"),
            Copy(source="${work}/packages/usr/bin", to="${out}/bin"),
            Run(argv=("sh", "-c", PLAIN_NAMES), cwd="${out}/bin"),
        ),
        runs_on="host",
        checks=(Present(paths=("bin/qemu-arm", "bin/qemu-aarch64")),),
        guess=4,
        peak=900_000_000,
        kept=400_000_000,
    )


def qemu_system(sources: tuple[Source, ...], *, multiarch: str) -> Stage:
    """QEMU's emulators of whole machines with the libraries they are linked with."""
    places = (f"usr/lib/{multiarch}", f"lib/{multiarch}")
    found = {"LD_LIBRARY_PATH": ":".join(f"$here/{place}" for place in places)}
    programs = ("qemu-system-arm", "qemu-system-aarch64")
    return Stage(
        name="qemu-system",
        summary="emulators of boards",
        sources=_numbered(sources),
        steps=(
            *_unpacked(sources, "${out}", omit=NOT_OF_AN_EMULATOR),
            Remove(root="${out}", patterns=("usr/bin/[!q]*",)),
            *(_wrapper(one, one, found) for one in programs),
        ),
        runs_on="host",
        checks=(
            *(
                CommandOutput(
                    run=Run(argv=(f"${{out}}/bin/{one}", "--version")), expect="QEMU emulator"
                )
                for one in programs
            ),
        ),
        guess=6,
        peak=500_000_000,
        kept=150_000_000,
    )


def rust(sources: tuple[Source, ...], *, multiarch: str) -> Stage:
    """rustc, cargo, the host's std and the sources of std: one component of one origin."""
    packaged = has_crates_of_std(sources)
    return Stage(
        name="rust",
        summary="rustc, cargo, the host's std and rust-src",
        sources=_numbered(sources),
        steps=(
            *(_rust_of_packages(sources, multiarch) if packaged else _rust_of_archives(sources)),
            *(
                Write(
                    path=f"${{out}}/bin/{program}",
                    executable=True,
                    text=RUST_WRAPPER.format(program=program),
                )
                for program in ("rustc", "cargo", "rustdoc")
            ),
        ),
        runs_on="host",
        checks=(Present(paths=("lib/rustlib/src/rust/library/Cargo.lock", "bin/cargo")),),
        guess=18,
        peak=2_000_000_000,
        kept=600_000_000,
    )


def has_crates_of_std(sources: tuple[Source, ...]) -> bool:
    """Whether what std depends on lies beside it in `vendor`. Debian puts it there; upstream's
    rust-src has it since rust-lang/rust#156196 (May 2026), later than the release pinned here."""
    return all(source.name.endswith(".deb") for source in sources)


def _rust_of_packages(sources: tuple[Source, ...], multiarch: str) -> tuple[Step, ...]:
    return (
        *_unpacked(sources, "${work}/packages", omit=NOT_OF_STD),
        Copy(source="${work}/packages/usr/bin", to="${out}/programs"),
        Copy(source=f"${{work}}/packages/usr/lib/{multiarch}", to="${out}/lib"),
        Copy(
            source="${work}/packages/usr/lib/rustlib",
            to="${out}/lib/rustlib",
            omit=("src", "etc"),
        ),
        # Debian keeps one folder per version in usr/src; rustlib/src/rust points to it.
        Copy(
            source="${work}/packages/usr/lib/rustlib/src/rust/library",
            to="${out}/lib/rustlib/src/rust/library",
        ),
    )


def _rust_of_archives(sources: tuple[Source, ...]) -> tuple[Step, ...]:
    """The project's own archives: `<component>-<version>[-<triple>]/<component>/`, each a part of
    one tree; rust-installer's scripts and lists beside it are not needed."""
    parts = tuple(_component(source.name) for source in sources)
    return (
        *(
            Unpack(
                archive=f"${{source.{number}}}",
                into="${work}/rust",
                only=tuple(f"{folder}/{part}/{below}" for below in below_of),
                strip=2,
            )
            for number, (folder, part, below_of) in enumerate(parts)
        ),
        Copy(source="${work}/rust/bin", to="${out}/programs"),
        Copy(source="${work}/rust/lib", to="${out}/lib"),
    )


def _component(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Top folder of an archive, the component in it, and what is taken of it."""
    folder = name[: name.index(".tar.")]
    match folder.split("-"):
        case ["rustc", *_]:
            return folder, "rustc", ("bin", "lib")
        case ["cargo", *_]:
            return folder, "cargo", ("bin",)
        case ["rust", "src", *_]:
            return folder, "rust-src", ("lib/rustlib/src/rust/library",)
        case ["rust", "std", _, *triple]:
            return folder, f"rust-std-{'-'.join(triple)}", ("lib",)
        case _:
            raise errors.Unknown(
                "archive of Rust", name, ("rustc", "cargo", "rust-std", "rust-src")
            )


RUST_WRAPPER = """\
#!/bin/sh
# Finds its libraries beside itself, wherever this folder lies.
here=$(dirname "$(readlink -f "$0")")/..
LD_LIBRARY_PATH=$here/lib exec "$here/programs/{program}" "$@"
"""


def _wrapper(called: str, real: str, environment: Mapping[str, str]) -> Write:
    lines = "".join(f'{name}="{value}"\nexport {name}\n' for name, value in environment.items())
    text = WRAPPER.format(environment=lines, program=real)
    return Write(path=f"${{out}}/bin/{called}", text=text, executable=True)


def _numbered(sources: tuple[Source, ...]) -> tuple[tuple[str, Source], ...]:
    return tuple((str(number), source) for number, source in enumerate(sources))


def _unpacked(
    sources: tuple[Source, ...], into: str, *, omit: tuple[str, ...] = ()
) -> tuple[Step, ...]:
    return tuple(
        Unpack(archive=f"${{source.{number}}}", into=into, omit=omit)
        for number, _ in enumerate(sources)
    )
