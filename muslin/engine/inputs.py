"""What this process read of what others may change, and how that was found.

Whoever reads a file, lists a folder or looks for a program that a run depends on notes it here,
before it does; `muslin/cli/up_to_date.py` compares in the next run. Imports nothing slow.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

State = list[Any] | None
"""Of a listing the digest of its names; of all else mode, size, time, inode and, where the path is
a link, where it leads; None if it is absent."""

_files: dict[str, State] = {}
_folders: dict[str, State] = {}
_patterns: dict[tuple[str, str], list[str]] = {}


def file(path: Path) -> Path:
    """Note a file that is read, or asked for: that it is absent counts too."""
    _note(os.path.abspath(path))  # noqa: PTH100  # for every file of a run
    return path


def folder(path: Path) -> Path:
    """Note a folder whose names are read."""
    text = os.path.abspath(path)  # noqa: PTH100  # as above
    if text not in _folders:
        _folders[text] = listing(text)
    return path


def matches(root: Path, pattern: str) -> list[Path]:
    """What a pattern finds below a folder, or anywhere if it is absolute, sorted; noted. `**`
    stands for any number of folders, and names that begin with a dot are names."""
    found = _matching(str(root), pattern)
    _patterns.setdefault((str(root), pattern), found)
    return [root / one for one in found]


def program(name: str, folders: str) -> str | None:
    """Where a program lies, the first one of some folders with colons between them; noted."""
    for above in folders.split(":"):
        path = f"{above}/{name}"
        _note(path)
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113  # as above
            return path
    return None


def everything() -> dict[str, Any]:
    """All that was noted so far, in the shape that `differing` takes."""
    return {
        "files": dict(_files),
        "folders": dict(_folders),
        "patterns": [[root, pattern, found] for (root, pattern), found in _patterns.items()],
    }


def differing(noted: dict[str, Any]) -> Iterator[str]:
    """Names of what is not as it was noted."""
    yield from (path for path, was in noted["files"].items() if state(path) != was)
    yield from (f"{path}/" for path, was in noted["folders"].items() if listing(path) != was)
    for root, pattern, was in noted["patterns"]:
        if _matching(root, pattern) != was:
            yield f"{root}: {pattern}"


def state(path: str) -> State:
    """The state of what a path leads to."""
    try:
        found, leads = os.lstat(path), []
        if stat.S_ISLNK(found.st_mode):
            leads = [os.readlink(path)]  # noqa: PTH115  # hundreds of them
            with suppress(FileNotFoundError):
                found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return [found.st_mode, 0, 0, found.st_ino, *leads]
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    return [found.st_mode, found.st_size, changed, found.st_ino, *leads]


def listing(path: str) -> State:
    """The state of a folder's names, less what Python writes there."""
    try:
        names = set(os.listdir(path)) - {"__pycache__"}  # noqa: PTH208  # as above
    except OSError:
        return None
    text = "\0".join(sorted(names))
    return [hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()]


def _note(path: str) -> None:
    if path not in _files:
        _files[path] = state(path)


def _matching(root: str, pattern: str) -> list[str]:
    # Path.glob takes no absolute pattern.
    return sorted(glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True))  # noqa: PTH207
