"""What a build for a target finds: a compiler that knows its libraries, pkg-config and CMake.

A project is built unchanged, and few ask for static programs. So compilers by the toolchain's names
come first on PATH that add what the project cannot know: where the libraries lie, that programs
are static, and that no path of the build gets into them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from muslin.engine.vocabulary import Replace, Stage, Write
from muslin.models.target import Target

FOLDER = "${work}/cross"
PATH = (f"{FOLDER}/bin", "${need.toolchain}/bin")
CMAKE_FILE = f"{FOLDER}/toolchain.cmake"
REMAPS: Mapping[str, str] = MappingProxyType({"${work}": "."})
"""What a path of the build is called in a program, where a recipe has no better names."""

COMPILER = """\
#!/bin/sh
# Static, whatever the project says, unless it links something else than a program. Atomics of
# 64 bits are calls on some processors, and few projects name the library that has them. Symbols
# stay until the code was looked at; the pipeline strips what is left of them.
link="-static-pie{words}"
atomic=-latomic
malloc=
allocator={allocator}
for word; do
    shift
    case $word in
    -s | -Wl,-s | -Wl,--strip-all) continue ;;
    -static | -static-pie) link="{words}" ;;
    -no-pie) link="-static{words}" ;;
    -shared | -r | -nostdlib | -c | -E | -S | -M | -MM) link= atomic= allocator= ;;
    -*) ;;
    *) malloc=yes ;;  # without a file `cc -v` would link
    esac
    set -- "$@" "$word"
done
{map}exec "{compiler}" $link ${{malloc:+$allocator}} "$@" {flags} $atomic
"""
MAP = """\
# The linker's map says of what a program is made. Without a file `cc -v` would link.
case " $* " in
*" -c "* | *" -E "* | *" -S "* | *" -M "* | *" -MM "* | *" -r "*) ;;
*) test -z "$malloc" || set -- "$@" "-Wl,-Map=$(mktemp "{maps}/XXXXXXXX")" ;;
esac
"""
PKG_CONFIG = """\
#!/bin/sh
# The libraries for {triple}, all of them static, and none of this machine's own.
{here}unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
export PKG_CONFIG_LIBDIR="{folders}"
exec "{program}" --static "$@"
"""
CMAKE = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_C_COMPILER "{bin}/{triple}-gcc")
set(CMAKE_CXX_COMPILER "{bin}/{triple}-g++")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static-pie")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Atomics of 64 bits are calls on some processors; FindOpenSSL does not name the library.
set(CMAKE_C_STANDARD_LIBRARIES_INIT "-latomic")
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "-latomic")
# Programs that a configuration tries out run on the emulated baseline processor.
set(CMAKE_CROSSCOMPILING_EMULATOR "{emulator}" -cpu "{cpu}")
set(PKG_CONFIG_EXECUTABLE "{bin}/{triple}-pkg-config" CACHE FILEPATH "")
list(APPEND CMAKE_FIND_ROOT_PATH {roots})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# FindOpenSSL wants to be told that a static libcrypto wants more libraries.
set(BUILD_SHARED_LIBS OFF CACHE BOOL "")
set(OPENSSL_USE_STATIC_LIBS ON)
"""


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What a build for a target works with."""

    toolchain: Stage
    libraries: tuple[tuple[str, Stage], ...] = ()
    """Those asked for and those that they are made of, each before what it needs."""
    link: tuple[str, ...] = ()
    """What a linker is told to link all of them, in order."""
    allocator: str = ""
    """An object that serves malloc(3) in the place of musl, linked in front of all else."""
    stack: int | None = None
    """Bytes of a thread's stack, where it is not musl's."""
    remedies: tuple[tuple[str, str], ...] = ()
    """What to do about libraries that it lacks, by what builds then say: see `Run`."""
    maps: bool = True
    """Whether its linker leaves a map of each program in a directory, as GNU ld does."""
    tools: tuple[tuple[str, Stage], ...]
    """Programs of this machine: `pkgconf`, `emulator`, and what a recipe asks for."""

    @property
    def needs(self) -> tuple[tuple[str, Stage], ...]:
        """The needs of a stage that builds with it."""
        return (("toolchain", self.toolchain), *self.libraries)

    @property
    def linker_words(self) -> tuple[str, ...]:
        """What a compiler is told for every program."""
        return (f"-Wl,-z,stack-size={self.stack}",) if self.stack else ()

    @property
    def prefixes(self) -> dict[str, str]:
        """Where each library lies."""
        return {name: f"${{need.{name}}}/usr" for name, _ in self.libraries}


# Long: every file that a build for another machine is given.
def steps(
    target: Target, kit: Kit, *, remaps: Mapping[str, str] = REMAPS, map_folder: str = ""
) -> tuple[Write, ...]:
    """Compilers, pkg-config and CMake's toolchain file, below `FOLDER`. The compilers leave a map
    of each program that they link in `map_folder`, if that is given."""
    folders = list(kit.prefixes.values())
    maps = {**remaps, **{folder: f"/{name}" for name, folder in kit.prefixes.items()}}
    flags = (
        *(f'"-ffile-prefix-map={path}={called}"' for path, called in maps.items()),
        *(word for folder in folders for word in ("-isystem", f'"{folder}/include"')),
        *(f'"-L{folder}/lib"' for folder in folders),
    )
    return (
        *(
            Write(
                path=f"{FOLDER}/bin/{target.triple}-{name}",
                text=COMPILER.format(
                    compiler=f"${{need.toolchain}}/bin/{target.triple}-{name}",
                    flags=" ".join(flags),
                    allocator=kit.allocator,
                    words="".join(f" {word}" for word in kit.linker_words),
                    map=MAP.format(maps=map_folder) if map_folder and kit.maps else "",
                ),
                executable=True,
            )
            for name in ("gcc", "g++", "cc", "c++")
        ),
        Write(
            path=f"{FOLDER}/bin/{target.triple}-pkg-config",
            text=pkg_config(target, program="${tool.pkgconf}/bin/pkgconf", prefixes=folders),
            executable=True,
        ),
        Write(
            path=CMAKE_FILE,
            text=cmake(
                target,
                programs=f"{FOLDER}/bin",
                roots=folders,
                emulator=f"${{tool.emulator}}/bin/{target.qemu.program}",
            ),
        ),
    )


def pkg_config(target: Target, *, program: str, prefixes: Sequence[str], here: str = "") -> str:
    """A `pkg-config` that finds these and nothing else; `here` is a line that says where the paths
    start."""
    folders = ":".join(f"{prefix}/lib/pkgconfig" for prefix in prefixes)
    return PKG_CONFIG.format(triple=target.triple, here=here, folders=folders, program=program)


def cmake(target: Target, *, programs: str, roots: Sequence[str], emulator: str) -> str:
    """A toolchain file for CMake."""
    return CMAKE.format(
        processor=target.triple.partition("-")[0],
        triple=target.triple,
        bin=programs,
        roots=" ".join(f'"{root}"' for root in roots),
        emulator=emulator,
        cpu=target.qemu.cpu,
    )


def bindgen(target: Target, *, sysroot: str, prefixes: Sequence[str]) -> tuple[str, str]:
    """Where the crate `bindgen` finds headers; libclang, which reads them, is the machine's own.
    <https://rust-lang.github.io/rust-bindgen/command-line-usage.html>"""
    suffix = target.rust.triple.replace("-", "_")
    folders = [f"{prefix}/include" for prefix in (sysroot, *prefixes)]
    words = " ".join((f"--sysroot={sysroot}", *(f"-isystem {folder}" for folder in folders)))
    return f"BINDGEN_EXTRA_CLANG_ARGS_{suffix}", words


def environment(target: Target, kit: Kit) -> tuple[tuple[str, str], ...]:
    """For crates that compile C, run CMake, ask pkg-config or read headers."""
    suffix = target.rust.triple.replace("-", "_")
    sysroot = f"${{need.toolchain}}/{target.triple}"
    return (
        # Names that the crates `cc`, `pkg-config` and `cmake` read before all others.
        (f"CC_{suffix}", f"{target.triple}-gcc"),
        (f"CXX_{suffix}", f"{target.triple}-g++"),
        (f"AR_{suffix}", f"{target.triple}-ar"),
        (f"PKG_CONFIG_{suffix}", f"{target.triple}-pkg-config"),
        (f"PKG_CONFIG_ALL_STATIC_{suffix}", "1"),
        (f"CMAKE_TOOLCHAIN_FILE_{suffix}", CMAKE_FILE),
        bindgen(target, sysroot=sysroot, prefixes=list(kit.prefixes.values())),
    )


def movable(folder: str = "${out}/usr/lib/pkgconfig") -> Replace:
    """pkg-config finds what belongs to a .pc file from where the file lies."""
    return Replace(
        root=folder, pattern="*.pc", old="prefix=/usr\n", new="prefix=$${pcfiledir}/../..\n"
    )
