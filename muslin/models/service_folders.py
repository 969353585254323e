"""The directories of services that patterns such as `services/*` find."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.formats import documents
from muslin.models import service_places
from muslin.models.project import Project

MAGIC = frozenset("*?[")
"""Characters that make a pattern of a path."""


def found(project: Project, patterns: tuple[str, ...]) -> list[Path]:
    """The folders that patterns find, less those that hold no service; raises `BadDeclaration`
    for one that is named in full and holds none. Without patterns, the project itself or, if it is
    a cargo workspace without a package, its members with a program."""
    if not patterns:
        return list(service_places.inferred(project.root))
    declared, key = project.declared, f"{project.key}.services" if project.key else "services"
    folders, faults = set[Path](), []
    for pattern in patterns:
        there = set(_matching(project.root, pattern))
        services = {folder for folder in there if service_places.declares(folder)}
        if not services and not MAGIC & set(pattern):
            faults.append(f"{key}: {pattern} {_lack(there)}")
        folders |= services
    if faults:
        raise engine_errors.BadDeclaration(declared, faults)
    return sorted(folders)


def _lack(there: set[Path]) -> str:
    """Why the directories that a pattern without wildcards means hold no service."""
    if not there:
        return "is no directory; paths start where this file is"
    return "has neither a service.toml nor a Cargo.toml with [package.metadata.muslin]"


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    """The folders, wherever links lead, that a pattern means. Everything that it passes is asked
    for by its own name, so that a watch notices what becomes a folder later."""
    try:
        whole = Path(pattern).expanduser()
    except RuntimeError:  # a home of nobody's: a folder's name
        whole = Path(pattern)
    start = Path(whole.anchor) if whole.is_absolute() else folder
    parts = whole.parts[1:] if whole.is_absolute() else whole.parts
    found = [start]
    for part in parts:
        found = [inner for outer in found for inner in _inside(outer, part)]
    return map(documents.real, found)


def _inside(folder: Path, pattern: str) -> Iterator[Path]:
    """The folders in a folder that a pattern without slashes means; none where this user may not
    look."""
    names = [pattern]
    if MAGIC & set(pattern):
        with suppress(OSError):
            there = sorted(os.listdir(inputs.folder(folder)))  # noqa: PTH208  # a listing is all that is wanted
            shown = [name for name in there if not name.startswith(".")]
            names = fnmatch.filter(there if pattern.startswith(".") else shown, pattern)
    for name in names:
        if documents.is_folder(folder / name):
            yield folder / name
