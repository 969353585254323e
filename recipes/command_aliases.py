"""What a build for a target finds by plain names: `cc`, `ld`, `pkg-config`, `$(AR)`, `$(HOSTCC)`.

Everything asked for by such a name or variable is the target's. What is for this machine comes from
one folder, `HOST`, under the names that build systems have for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.process.runner import HOST_PATH
from muslin.engine.vocabulary import Link, Write, escaped
from muslin.models.target import Target
from recipes import cross

FOLDER = f"{cross.FOLDER}/plain"
HOST = f"{cross.FOLDER}/host"
UTILITIES = (
    *("addr2line", "ar", "as", "c++filt", "ld", "nm", "objcopy", "objdump", "ranlib"),
    *("readelf", "size", "strings"),
)
COMPILERS = ("c++", "cc", "g++", "gcc")
VARIABLES = ("ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib", "readelf")
"""Utilities that makefiles have a variable for."""
HOST_COMPILER = """\
#!/bin/sh
# This machine's own, which looks for an assembler and a linker on PATH.
PATH={path} exec {name} "$@"
"""
HOST_PKG_CONFIG = """\
#!/bin/sh
# Which libraries this machine has would decide what is built.
case "$*" in --version) echo 0.29.0; exit ;; esac
echo "pkg-config for this machine was asked: $*; there are libraries for the target alone." >&2
echo "What runs while it builds, a build script or procedural macro, brings its own: the" >&2
echo 'feature is often called "vendored", "bundled" or "static".' >&2
exit 1
"""
STRIP = """\
#!/bin/sh
# The pipeline strips in the end, once the code was looked at. `strip -o OUT IN` copies.
to= from=
while test $# -gt 0; do
    case $1 in
    -o) to=$2; shift ;;
    -o?*) to=${1#-o} ;;
    --output-file=*) to=${1#*=} ;;
    -F | -I | -O | -K | -N | -R | --remove-section | --keep-symbol | --strip-symbol) shift ;;
    -*) ;;
    *) from=$1 ;;
    esac
    shift
done
if test -n "$to" && test -n "$from"; then exec cp "$from" "$to"; fi
"""
FOR_THIS_MACHINE: Mapping[str, str] = MappingProxyType(
    {
        "HOSTCC": "gcc",
        "HOSTCXX": "g++",
        # As the crates `cc` and `pkg-config` ask, for what is built to run while it builds.
        "HOST_CC": "gcc",
        "HOST_CXX": "g++",
        "HOST_AR": "ar",
        "HOST_PKG_CONFIG": "pkg-config",
        # As autoconf and meson ask.
        "CC_FOR_BUILD": "gcc",
        "CXX_FOR_BUILD": "g++",
        "PKG_CONFIG_FOR_BUILD": "pkg-config",
    }
)


def steps(target: Target) -> tuple[Link | Write, ...]:
    """The folders of plain names, the target's and this machine's."""
    return (
        *(
            Link(path=f"{FOLDER}/{name}", target=f"${{need.toolchain}}/bin/{target.triple}-{name}")
            for name in UTILITIES
        ),
        *(
            Link(path=f"{FOLDER}/{name}", target=f"../bin/{target.triple}-{name}")
            for name in (*COMPILERS, "pkg-config")
        ),
        Write(path=f"{FOLDER}/strip", text=escaped(STRIP), executable=True),
        *(
            Write(
                path=f"{HOST}/{name}",
                text=HOST_COMPILER.format(path=HOST_PATH, name=name),
                executable=True,
            )
            for name in ("ar", "g++", "gcc")
        ),
        Write(path=f"{HOST}/pkg-config", text=escaped(HOST_PKG_CONFIG), executable=True),
    )


def of_target(target: Target) -> tuple[tuple[str, str], ...]:
    """The variables that name the target's programs, but for its compilers."""
    return (
        *((name.upper(), f"{target.triple}-{name}") for name in VARIABLES),
        ("STRIP", f"{FOLDER}/strip"),
        ("PKG_CONFIG", f"{target.triple}-pkg-config"),
        ("CROSS_COMPILE", f"{target.triple}-"),
    )


def of_host() -> tuple[tuple[str, str], ...]:
    """The variables that name this machine's programs."""
    return tuple((name, f"{HOST}/{program}") for name, program in FOR_THIS_MACHINE.items())
