"""The archive that Linux unpacks as its first file system: cpio in the format `newc`.

Documentation/driver-api/early-userspace/buffer-format.rst of the kernel describes it.
"""

from __future__ import annotations

import io
import itertools
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from muslin.engine import errors
from muslin.engine.filesystem import walk

END = "TRAILER!!!"
CONSOLE = (5, 1)
"""Major and minor number of `/dev/console`; Documentation/admin-guide/devices.txt."""
MOST = 0xFFFFFFFF
"""Bytes of a file: a header has eight hexadecimal digits for them."""

Member = tuple[str, int, int, IO[bytes], tuple[int, int]]
"""Path, mode, size, content, and number of a device."""


def write(root: Path, path: Path) -> None:
    """Pack what a folder holds, sorted, owned by root and without times."""
    members = itertools.chain(
        (
            _empty("dev", stat.S_IFDIR | 0o755),
            _empty("dev/console", stat.S_IFCHR | 0o600, CONSOLE),
        ),
        _below(root),
        (_empty(END, 0),),
    )
    with path.open("wb") as made:
        for number, member in enumerate(members, 1):
            _add(made, number, member)


def _add(made: IO[bytes], number: int, member: Member) -> None:
    name, mode, size, content, device = member
    called = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, *device, len(called), 0)
    made.write(b"070701" + b"".join(b"%08X" % field for field in fields) + called)
    made.write(bytes(-made.tell() % 4))
    with content:
        shutil.copyfileobj(content, made)
    made.write(bytes(-made.tell() % 4))


def _empty(name: str, mode: int, device: tuple[int, int] = (0, 0)) -> Member:
    return name, mode, 0, io.BytesIO(), device


def _below(root: Path) -> Iterator[Member]:
    paths = (Path(entry.path) for entry in walk.entries(root))
    for one in sorted(paths):
        name = one.relative_to(root).as_posix()
        state = one.lstat()
        if stat.S_ISLNK(state.st_mode):
            target = os.fsencode(one.readlink())
            yield name, stat.S_IFLNK | 0o777, len(target), io.BytesIO(target), (0, 0)
        elif stat.S_ISDIR(state.st_mode):
            yield _empty(name, stat.S_IFDIR | 0o755)
        elif state.st_size > MOST:
            raise errors.TooLarge(one, MOST)
        else:
            mode = 0o755 if state.st_mode & 0o100 else 0o644
            yield name, stat.S_IFREG | mode, state.st_size, walk.opened(one), (0, 0)
