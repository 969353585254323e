"""The project's own files as stages take them: which belong to a service, by their digests."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipes import declaration, errors
from recipes.engine.stage import File, Tree

LEFT_BEHIND = {"target": "Cargo.toml", "build": "Makefile"}
"""Folders that a build leaves beside its own file."""
DECLARATION = "service.toml"


def workspace_root(folder: Path) -> Path:
    """The nearest folder with a Cargo.lock, the package's own or its workspace's."""
    for root in (folder, *folder.parents):
        if (root / "Cargo.lock").is_file():
            return root
    why = "build: there is no Cargo.lock; run `cargo generate-lockfile` beside its Cargo.toml"
    raise errors.BadDeclaration(folder / DECLARATION, [why])


def members(root: Path) -> list[str]:
    """The folders of a workspace's members, as its manifest's patterns find them."""
    workspace = _workspace(root)
    excluded = {root / name for name in workspace.get("exclude", ())}
    found = {
        path.parent
        for pattern in workspace.get("members", ())
        for path in root.glob(f"{pattern}/Cargo.toml")
    }
    return sorted(str(path.relative_to(root)) for path in found - excluded)


def member(root: Path, folder: Path) -> str:
    """A service's folder as its workspace knows it, `.` for a workspace of its own.

    Raises `BadDeclaration` where the workspace does not know it, or names others by their whole
    names: members are laid out and built one at a time, and cargo would miss those.
    """
    if root == folder:
        return "."
    name = str(folder.relative_to(root))
    own = "add an empty [workspace] to its Cargo.toml and run `cargo generate-lockfile` in it"
    fault = ""
    if name not in members(root):
        fault = f"{root / 'Cargo.toml'} has no member {name}, and it has no Cargo.lock of its own"
    whole = [one for one in _workspace(root).get("members", ()) if not set("*?[") & set(one)]
    if others := [one for one in whole if one != name]:
        fault = f"{root / 'Cargo.toml'} names the member {others[0]}; only patterns can be used"
    if fault:
        raise errors.BadDeclaration(folder / DECLARATION, [f"build: {fault}: {own}"])
    return name


def _workspace(root: Path) -> dict[str, Any]:
    path = root / "Cargo.toml"
    table: dict[str, Any] = declaration.load(path).get("workspace", {}) if path.is_file() else {}
    return table


def tree(root: Path, patterns: tuple[str, ...], *, also: tuple[str, ...] = ()) -> Tree:
    """The project's own files below a folder, less what builds leave there."""
    keyed = _files(root, patterns)
    return Tree(
        root=root,
        files=keyed,
        also=tuple(file for file in _files(root, also) if file not in keyed),
    )


def _files(root: Path, patterns: tuple[str, ...]) -> tuple[File, ...]:
    wanted = [pattern.split("/") for pattern in patterns]
    return tuple(
        File(
            path=str(path),
            sha256=hashlib.sha256((root / path).read_bytes()).hexdigest(),
            executable=bool((root / path).stat().st_mode & 0o100),
        )
        for path in sorted(_sources(root))
        if any(_matches(path.parts, pattern) for pattern in wanted)
    )


def _sources(root: Path) -> Iterator[Path]:
    """Every file below a folder, less hidden ones, declarations and what builds leave behind."""
    for here, folders, names in os.walk(root):
        folders[:] = [
            folder
            for folder in folders
            if not folder.startswith(".") and LEFT_BEHIND.get(folder, "") not in names
        ]
        for name in names:
            # A declaration is read by us; what it says is in the keys of what it concerns.
            if not name.startswith(".") and name != DECLARATION and Path(here, name).is_file():
                yield Path(here, name).relative_to(root)


def _matches(parts: tuple[str, ...], pattern: list[str]) -> bool:
    """`**` at the second-last place stands for any number of folders."""
    if "**" not in pattern:
        return len(parts) == len(pattern) and all(map(fnmatch.fnmatchcase, parts, pattern))
    above = pattern[: pattern.index("**")]
    return len(parts) > len(above) and all(map(fnmatch.fnmatchcase, parts, above))
