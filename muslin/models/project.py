"""The user's project: the directory that a run is about, and where its settings are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muslin.engine import inputs
from muslin.engine.errors import BadDeclaration
from muslin.engine.formats import documents
from muslin.models import errors
from muslin.models.cargo_manifest import MANIFEST

OWN_FILE = "muslin.toml"
PYPROJECT = "pyproject.toml"
BARE = (MANIFEST, "CMakeLists.txt", "GNUmakefile", "makefile", "Makefile")
"""Files that make a directory a project without a word about Muslin."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A directory with the file that has its settings."""

    root: Path
    declared: Path
    """`muslin.toml`, `pyproject.toml` or `Cargo.toml`; it may be absent."""
    table: dict[str, Any]
    """What the file says of Muslin; empty if nothing."""
    key: str
    """Where in the file, such as `tool.muslin`."""


def find(start: Path) -> Project:
    """The nearest directory upward with settings for Muslin, or else with a project.

    Raises `NoProject`, `BadDeclaration` for a file that cannot be parsed.
    """
    folders = (start, *start.parents)
    for folder in folders:
        if (found := _with_settings(folder)) is not None:
            return found
    for folder in folders:
        if any(inputs.file(folder / name).is_file() for name in BARE):
            return Project(root=folder, declared=folder / OWN_FILE, table={}, key="")
    raise errors.NoProject(start)


def at(root: Path) -> Project:
    """The project in this directory and no other; without settings if it has none."""
    bare = Project(root=root, declared=root / OWN_FILE, table={}, key="")
    return _with_settings(root) or bare


def _with_settings(folder: Path) -> Project | None:
    for name, key in (
        (OWN_FILE, ""),
        (PYPROJECT, "tool.muslin"),
        (MANIFEST, "workspace.metadata.muslin"),
        (MANIFEST, "package.metadata.muslin"),
    ):
        path = folder / name
        if not os.path.lexists(inputs.file(path)):
            continue
        table = _table(path, key)
        if table is None:
            continue
        if key == "package.metadata.muslin":  # which is a service's declaration
            return Project(root=folder, declared=folder / OWN_FILE, table={}, key="")
        return Project(root=folder, declared=path, table=table, key=key)
    return None


def _table(path: Path, key: str) -> dict[str, Any] | None:
    """What a file has under a key; None if it lacks it. Raises `BadDeclaration`."""
    table: Any = documents.toml(path)
    above: list[str] = []
    for part in filter(None, key.split(".")):
        above.append(part)
        table = table.get(part)
        if table is None:
            return None
        if not isinstance(table, dict):
            fault = f"{'.'.join(above)}: it should be a table, not {table!r:.60}"
            raise BadDeclaration(path, [fault])
    return dict(table)
