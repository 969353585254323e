"""The project's own files as stages take them: which belong to a service, by their digests."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from recipes import errors
from recipes.engine.stage import File, Tree

LEFT_BEHIND = {"target": "Cargo.toml", "build": "Makefile"}
"""Folders that a build leaves beside its own file."""
DECLARATION = "service.toml"


def workspace_root(folder: Path) -> Path:
    """The nearest folder with a Cargo.lock, the package's own or its workspace's."""
    for root in (folder, *folder.parents):
        if (root / "Cargo.lock").is_file():
            return root
    raise errors.BadDeclaration(
        folder / "service.toml", ["build: a cargo service needs a Cargo.lock; run cargo once"]
    )


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
