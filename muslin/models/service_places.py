"""Where services are: a directory that declares one, or a cargo package, a service for each of its
programs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muslin.engine import errors, inputs
from muslin.models import cargo_manifest, cargo_program
from muslin.models.cargo_manifest import MANIFEST

NAME = r"[a-z0-9]+([._-][a-z0-9]+)*"
"""What a repository of images can be called."""
FILE = "service.toml"
LONGEST = 100
"""Characters of a service's name: stages, logs and reports have more around it."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One service, before its declaration is read."""

    folder: Path
    program: str = ""
    """The program of a package that declares nothing."""
    release: str = ""
    """The version of a package of the registry, which its program prints as a check."""
    said: Mapping[str, object] = field(default_factory=dict, hash=False)
    """What the project's settings say of it over that, as a `service.toml` would."""
    said_in: Path = Path()
    """The file with these settings."""

    @property
    def declared(self) -> Path:
        """The file that declares it."""
        return declaring(self.folder)


def named(folders: Iterable[Path]) -> dict[str, Place]:
    """The services in these folders by name; their declarations are not read for it.

    Raises `BadDeclaration` for a name that no image can have, or that two have.
    """
    found: dict[str, Place] = {}
    for folder in folders:
        found |= _in(folder, found)
    return found


def _in(folder: Path, known: Mapping[str, Place]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for name, place in packaged(folder) if _is_bare(folder) else [(folder.name, _at(folder))]:
        insist_on_name(place, name, {**known, **found})
        found[name] = place
    return found


def _at(folder: Path) -> Place:
    return Place(folder=folder)


def packaged(folder: Path, *, release: str = "") -> Iterator[tuple[str, Place]]:
    """The services of a package that declares nothing, by name: a package with one program gives
    its own name, one with several the programs' names."""
    programs = cargo_program.programs(folder)
    for program in programs:
        name = program if len(programs) > 1 else cargo_manifest.package(folder).name
        place = Place(folder=folder, program=program, release=release)
        yield name.lower().replace("_", "-"), place


def insist_on_name(place: Place, name: str, known: Mapping[str, Place]) -> None:
    """Raise `BadDeclaration` if a service cannot have a name beside those that are known."""
    if fault := _fault_of_name(place, name, known):
        raise errors.BadDeclaration(place.declared, [fault])


def _fault_of_name(place: Place, name: str, known: Mapping[str, Place]) -> str:
    what = f"its program {place.program}" if place.program else "its folder"
    if not re.fullmatch(NAME, name):
        return (
            f"{what} is called {name!r}, and an image cannot be: rename it, to lower-case "
            "letters and digits with one of - . _ between them"
        )
    if len(name) > LONGEST:
        return f"the name of {what} has {len(name)} characters: rename it, to {LONGEST} at most"
    if name in known:
        return f"the name {name} is {known[name].folder}'s already: rename one of the two"
    try:
        os.fsencode(place.folder).decode()
    except UnicodeDecodeError:
        return f"the path of its folder, {str(place.folder)!r}, is not UTF-8: move or rename it"
    return ""


def inferred(root: Path) -> Iterator[Path]:
    """The folders of a project that declares no service: as for cargo, the workspace's default
    members, else the package itself, else all members; those of them that have a program."""
    if declares(root):
        yield root
    elif found := list(cargo_program.default_members(root)):
        yield from filter(cargo_program.is_one, found)
    elif cargo_program.is_one(root):
        yield root
    elif not cargo_manifest.manifest(root).package:
        yield from filter(cargo_program.is_one, cargo_program.members(root))


def declares(folder: Path) -> bool:
    """Whether a folder holds a service."""
    return _has_file(folder) or bool(cargo_manifest.declared(folder))


def declaring(folder: Path) -> Path:
    """`service.toml`, or the `Cargo.toml` whose `[package.metadata.muslin]` says the same."""
    says_cargo = cargo_manifest.declared(folder) or cargo_program.is_one(folder)
    if not _has_file(folder) and says_cargo:
        return folder / MANIFEST
    return folder / FILE


def _has_file(folder: Path) -> bool:
    # A link that leads nowhere is said to be one, when it is read.
    return os.path.lexists(inputs.file(folder / FILE))


def _is_bare(folder: Path) -> bool:
    return not declares(folder) and cargo_program.is_one(folder)
