"""A file of the store, copied to where a person takes it."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

from muslin.engine.filesystem import atomic

CHUNK = 1 << 18
"""Bytes that are read, hashed and written while they lie in a processor's own cache."""


class _OtherContentError(Exception):
    """The copied file is not the one in the manifest."""


class _Buffer(threading.local):
    """Each thread's own, for all files that it copies."""

    def __init__(self) -> None:
        self.bytes = memoryview(bytearray(CHUNK))


_buffer = _Buffer()


def place(source: Path, path: Path, row: list[int | str]) -> bool:
    """Copy a file that a manifest lists in such a row, whole or not at all; false if the content
    is not what it says."""
    _, time_ns, mode, digest = row
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with atomic.replacing(path) as aside:
            if _copied(source, aside) != digest:
                raise _OtherContentError
            aside.chmod(int(mode) | 0o200)
            os.utime(aside, ns=(int(time_ns), int(time_ns)))
    except _OtherContentError:
        return False
    return True


def _copied(source: Path, to: Path) -> str:
    """The SHA-256 of what was copied."""
    found, buffer = hashlib.sha256(), _buffer.bytes
    with source.open("rb", buffering=0) as reading, to.open("wb") as writing:
        while count := reading.readinto(buffer):
            found.update(buffer[:count])
            writing.write(buffer[:count])
    return found.hexdigest()
