"""What of the host the pipeline leans on: what was found where, and how to get the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muslin import installation
from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.filesystem.content import file_digest
from muslin.engine.process import landlock
from muslin.engine.process.runner import HOST_PATH
from muslin.engine.stage import Host

REQUIRED = ("gcc", "g++", "make", "perl", "strip", "sh")
"""What nobody can bring along; `strip` is the host compiler's own, from its binutils."""
AWKS = ("gawk", "mawk", "nawk", "awk")
"""In the order in which autoconf's AC_PROG_AWK looks for them."""
BROUGHT_ALONG = ("m4", "bison", "flex", "patch")
REMEDY = (
    "apt-get install --no-install-recommends gcc g++ libc6-dev make perl\n"
    "  or set MUSLIN_HOST=root, which brings them along"
)
NEEDED_BYTES = 12_000_000_000
"""Disk for a cold run of four targets: its peak, rounded up."""
PYTHON = (3, 11)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    subject: str
    state: str
    """`found`, `brought along` or `missing`."""
    detail: str


def host() -> Host:
    """This machine, as far as it can change what runs on it. Starts no process."""
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    return Host(machine=platform.machine(), libc=", ".join((libc or "not glibc", *_odd_awks())))


def _odd_awks() -> list[str]:
    """What `configure` and scripts take for awk, unless it is mawk: GCC sorts its options by it, so
    the compiler's own bytes differ (measured with gawk)."""
    taken = next(filter(None, map(where, AWKS)), None)
    found = {Path(path).resolve().name for path in (taken, where("awk")) if path}
    return sorted(found - {"mawk"})


def in_root(digest: str) -> Host:
    """This machine with the programs of a host root, known by the digest of its packages."""
    return Host(machine=platform.machine(), libc=f"host root {digest}")


def missing_tools() -> bool:
    """Whether one of the programs that can be brought along is not there."""
    return any(where(program) is None for program in BROUGHT_ALONG)


def where(program: str) -> str | None:
    """Where a stage would find a program of the host; the user's own PATH plays no part."""
    return inputs.program(program, HOST_PATH)


def insist(root: Path = Path("/"), *, native: bool = True) -> None:
    """Raise `HostProgramMissing` if something is not there that must be, `CargoConfiguration` if
    something is that must not; only a `native` build needs programs of the machine."""
    if not native:
        return
    missing = [program for program in REQUIRED if where(program) is None]
    if missing:
        raise engine_errors.HostProgramMissing(missing, REMEDY)
    for name in ("config.toml", "config"):
        if (path := inputs.file(root / ".cargo" / name)).exists():
            raise engine_errors.CargoConfiguration(path)


def places(project: Path) -> tuple[str, ...]:
    """Paths of this machine and its user that nothing built for others should name.

    One of a single name, such as `/root`, is the end of too many others to mean anything.
    """
    paths = {project, installation.ROOT, Path(sys.prefix), Path.home()}
    own = (path for path in paths if len(path.parts) > 2 and path.parts[1] != "usr")
    return tuple(sorted(f"{path}/" for path in own))


def provenance() -> dict[str, str]:
    """The host's own compiler: it takes part and is in no key."""
    compiler = where("gcc")
    return {"gcc": str(Path(compiler).resolve())} if compiler else {}


def compiler() -> str:
    """The host's own compiler by name and content: releases of one version differ too."""
    there = where("gcc")
    return f"{Path(there).resolve().name} {file_digest(Path(there))}" if there else "none"


# Long: a list, one finding after the other.
def findings(cache: Path) -> Iterator[Finding]:
    """Everything the pipeline asks of this machine."""
    version = platform.python_version()
    fits = sys.version_info >= PYTHON
    yield Finding(
        subject="python",
        state="found" if fits else "missing",
        detail=version if fits else f"{version}, and 3.11 or newer is required",
    )
    for program in REQUIRED:
        found = where(program)
        yield Finding(
            subject=program,
            state="found" if found else "missing",
            detail=found or f"to get it: {REMEDY}",
        )
    for program in BROUGHT_ALONG:
        found = where(program)
        yield Finding(
            subject=program,
            state="found" if found else "brought along",
            detail=found or "unpacked into the cache from the host release's packages",
        )
    for subject in ("rustc and cargo", "qemu-user"):
        yield Finding(
            subject=subject,
            state="brought along",
            detail="unpacked into the cache from pinned files",
        )
    machine = host()
    glibc = machine.libc.startswith("glibc")
    yield Finding(
        subject="host",
        state="found" if glibc else "missing",
        detail=f"{machine.machine}, {machine.libc}, {len(os.sched_getaffinity(0))} cores",
    )
    abi = landlock.abi()
    yield Finding(
        subject="confinement",
        state="found" if abi >= landlock.LEAST_ABI else "missing",
        detail=f"Landlock, ABI {abi}: a build writes to its own folders alone"
        if abi >= landlock.LEAST_ABI
        else "no Landlock (Linux 5.19): a Makefile can write wherever you can",
    )
    free = shutil.disk_usage(cache).free
    yield Finding(
        subject="disk",
        state="found" if free >= NEEDED_BYTES else "scarce",
        detail=f"{free / 1e9:.0f} GB free in {cache}; all four targets take "
        f"{NEEDED_BYTES / 1e9:.0f} GB, one a third; MUSLIN_CACHE moves it",
    )
