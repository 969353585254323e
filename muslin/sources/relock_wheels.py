"""Pins of the wheels that Muslin depends on in its builder image, moved to the newest that fit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from muslin import installation
from muslin.engine.fetch.archive.client import ARCHITECTURES
from muslin.engine.fetch.package_index import Located, PackageIndex, Platform
from muslin.engine.source import IndexFile, Source
from muslin.models import declaration
from muslin.models.pin_files import Package, WheelLock
from muslin.sources import relock
from muslin.sources.available import Note, Obtain

MACHINES = {architecture: machine for machine, architecture in ARCHITECTURES.items()}
"""What the kernel calls a machine, by Debian's name of it."""


def move(  # noqa: PLR0913  # named at the call
    path: Path,
    index: PackageIndex,
    note: Note,
    *,
    pip: Source,
    obtain: Obtain,
    requirements: Sequence[str] = (),
    python: tuple[int, int] = sys.version_info[:2],
) -> None:
    """Move the wheels of a file to their newest versions, each of which is fetched; by default
    those that Muslin requires.

    They stay as they are, with a note, where another Python runs than theirs: pip evaluates the
    markers of requirements for the Python that it runs in. Raises `IndexFailed`.
    """
    old = declaration.read(path, WheelLock)
    if f"{python[0]}.{python[1]}" != old.python:
        note(f"{path.name} stays as it is: its wheels are found by Python {old.python} alone")
        return
    asked = requirements or installation.requirements()
    platforms = {
        architecture: Platform(python=old.python, machine=MACHINES[architecture], glibc=old.glibc)
        for architecture in old.platforms
    }
    found = {
        architecture: tuple(
            _package(located, pip, obtain)
            for located in index.resolve(asked, platform, pip=obtain(pip))
        )
        for architecture, platform in platforms.items()
    }
    new = old.model_copy(update={"platforms": found})
    relock.write(path, new, schema=path.stem)


def _package(located: Located, pip: Source, obtain: Callable[[Source], Path]) -> Package:
    """The pin of a wheel; an index does not say its size, so it is fetched."""
    origin = IndexFile(project=located.project, version=located.version, pip=pip)
    wheel = Source(name=located.file, sha256=located.sha256, size=0, origins=(origin,))
    return Package(
        name=located.project,
        version=located.version,
        file=located.file,
        size=obtain(wheel).stat().st_size,
        sha256=located.sha256,
    )
