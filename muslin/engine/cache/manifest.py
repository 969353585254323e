"""What a finished tree holds, and whether it still does."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.filesystem.content import file_digest
from muslin.engine.filesystem.walk import MOST

Manifest = dict[str, list[Any]]
"""Path -> [size, time in ns, mode, digest], or ["link", target], or ["dir", mode]."""


def seal(tree: Path, at_most: int = MOST) -> Manifest:
    """Make a tree read-only and list it.

    A file's mode is 0555 if its owner may execute it and 0444 otherwise, a directory's 0555: the
    umask of whoever built it leaves no trace. Raises `Unfit` before anything is read if the tree
    has something else than files, folders and links, or files of more than `at_most` bytes.
    """
    manifest: Manifest = {}
    states = _states(tree)
    if sum(state.st_size for state in states.values() if stat.S_ISREG(state.st_mode)) > at_most:
        raise errors.TooLarge(tree, at_most, "; `most` of its stage sets another limit")
    for name in sorted(states, key=lambda name: name.split("/")):
        path, state = tree / name, states[name]
        if stat.S_ISLNK(state.st_mode):
            manifest[name] = ["link", str(path.readlink())]
            continue
        is_dir = stat.S_ISDIR(state.st_mode)
        mode = 0o555 if is_dir or state.st_mode & stat.S_IXUSR else 0o444
        path.chmod(mode)
        if is_dir:
            manifest[name] = ["dir", mode]
        else:
            manifest[name] = [state.st_size, state.st_mtime_ns, mode, file_digest(path)]
    return manifest


def _states(tree: Path) -> dict[str, os.stat_result]:
    """What lies in a tree, by its path there; its folders can be read afterwards."""
    states = {}
    tree.chmod(0o755)
    for entry in walk.entries(tree):
        state = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(state.st_mode):
            Path(entry.path).chmod(0o755)  # before it is listed: its builder may have closed it
        elif not (stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode)):
            raise errors.NotAFile(entry.path, walk.kind(state.st_mode))
        states[os.path.relpath(entry.path, tree)] = state
    return states


def compare(tree: Path, manifest: Manifest, *, digests: bool = False) -> str | None:
    """The first difference between a tree and its manifest, in words; None if there is none.

    Size, time and mode decide; where only the time differs, or `digests` asks, the content does.
    """
    seen, root = 0, str(tree)
    for name, row in manifest.items():
        path = f"{root}/{name}"  # a text: a run with nothing to do spends its time here
        try:
            state = os.lstat(path)
        except OSError:
            return f"{name} is missing"
        seen += 1
        if row[0] == "link":
            if not stat.S_ISLNK(state.st_mode) or str(Path(path).readlink()) != row[1]:
                return f"{name} is no longer a link to {row[1]}"
        elif row[0] == "dir":
            if not stat.S_ISDIR(state.st_mode):
                return f"{name} is no longer a folder"
        elif (fault := _file_fault(path, state, row, digests=digests)) is not None:
            return f"{name} {fault}"
    try:
        there = sum(1 for _ in walk.entries(tree))
    except errors.TooDeep as error:
        return str(error)
    return None if there == seen else f"{there - seen} files were added"


def timeless(manifest: Manifest) -> Manifest:
    """The manifest without the times of files: the same for two builds with the same result."""
    return {
        path: [row[0], *row[2:]] if isinstance(row[0], int) else row
        for path, row in manifest.items()
    }


def tree_digest(manifest: Manifest) -> str:
    """The digest of a manifest without times: of every name, mode and byte, hexadecimal SHA-256."""
    return hashlib.sha256(json.dumps(timeless(manifest), sort_keys=True).encode()).hexdigest()


def _file_fault(path: str, state: os.stat_result, row: list[Any], *, digests: bool) -> str | None:
    size, time_ns, mode, digest = row
    if not stat.S_ISREG(state.st_mode):
        return "is no longer a file"
    if state.st_size != size:
        return f"has {state.st_size} bytes instead of {size}"
    if stat.S_IMODE(state.st_mode) != mode:
        return f"has mode {stat.S_IMODE(state.st_mode):o} instead of {mode:o}"
    if (digests or state.st_mtime_ns != time_ns) and file_digest(Path(path)) != digest:
        return "has other content than when it was built"
    return None
