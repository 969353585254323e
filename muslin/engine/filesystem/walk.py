"""What lies below a folder that a build, an archive or a project filled: looked at before it is
opened, and no deeper than a sound tree goes.

`os.walk` recurses before Python 3.12, `shutil` and `pathlib` do in part to this day, and the system
takes no path of any length. Nothing here recurses, and what is within the limits here is within all
of theirs.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from muslin.engine import errors

DEEPEST = 200
"""Folders in folders. GCC's sources have 12; shutil.copytree fails at some 450."""
LONGEST = 2000
"""Bytes of a folder's path below its root; Linux takes 4095 of a whole path."""
LINKS = 5
"""Links to folders on one path, where they are followed."""
TEXT = 64_000_000
"""Bytes of a file that is read whole, to be written with another text in it."""
MOST = 20_000_000_000
"""Bytes that a stage may leave, unless it says more; the largest leaves 2 GB."""
KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFDIR: "folder",
}

Level = tuple[str, list[os.DirEntry[str]], list[os.DirEntry[str]]]
"""A folder's path, the folders in it, and what else is in it, by name."""


def levels(root: Path, *, follow: bool = False) -> Iterator[Level]:
    """As `os.walk`: each folder before those in it, and what is taken out of the list of folders is
    not entered. A folder that may not be read, or is none, seems empty.

    Raises `TooDeep`, and `LinkedInCircles` where links to folders are followed.
    """
    left: list[tuple[str, int, tuple[str, ...]]] = [(str(root), 0, ())]
    start = len(os.fsencode(root))
    while left:
        path, depth, links = left.pop()
        if depth > DEEPEST or len(os.fsencode(path)) - start > LONGEST:
            raise errors.TooDeep(root, path, DEEPEST, LONGEST)
        if len(links) > LINKS:
            raise errors.LinkedInCircles(root, links)
        folders, others = _sorted(path, follow=follow)
        yield path, folders, others
        left.extend(
            (one.path, depth + 1, (*links, one.path) if one.is_symlink() else links)
            for one in reversed(folders)
        )


def _sorted(path: str, *, follow: bool) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        entries = []
    folders: list[os.DirEntry[str]] = []
    others: list[os.DirEntry[str]] = []
    for one in entries:
        (folders if _is_folder(one, follow=follow) else others).append(one)
    return folders, others


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # a link that leads to itself
        return False


def entries(root: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder, each folder before what it holds. Raises `TooDeep`."""
    for _, folders, others in levels(root):
        yield from folders
        yield from others


def files(root: Path) -> Iterator[Path]:
    """Every file below a folder; no link and nothing that is not a file. Raises `TooDeep`."""
    return (Path(one.path) for one in entries(root) if one.is_file(follow_symlinks=False))


def insist(root: Path, *, follow: bool = False) -> None:
    """Raise what `levels` raises, before something recurses."""
    deque(levels(root, follow=follow), maxlen=0)


def real(path: Path) -> Path:
    """Where a path leads. `Path.resolve` fails of links that lead in a circle before Python 3.13,
    and this one leaves them as they are."""
    return Path(os.path.realpath(path))


def insist_file(path: Path) -> None:
    """Raise `NotAFile` for what is there and is none: to read a FIFO or to write into one waits for
    somebody at its other end, and a device may have no end. Links are followed."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise errors.NotAFile(path, kind(mode))


def kind(mode: int) -> str:
    """What something is that is neither a file nor a link, in words."""
    return KINDS[stat.S_IFMT(mode)]


def opened(path: Path) -> BufferedReader:
    """A file, to be read; raises `NotAFile`."""
    insist_file(path)
    return path.open("rb")


def text(path: Path) -> bytes:
    """All of a file that should be a text of common size; raises `NotAFile` and `TooLarge`."""
    with opened(path) as file:
        content = file.read(TEXT + 1)
    if len(content) > TEXT:
        raise errors.TooLarge(path, TEXT)
    return content
