"""What programs said: the ends of their logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from muslin.engine.filesystem import walk

TAIL = 25
"""Lines that a message has."""


def tail(log: Path, start: int = 0) -> list[str]:
    """The last lines of a log, of what is behind `start`."""
    return end_of(log, start).decode(errors="replace").splitlines()[-TAIL:]


def last_said(log: Path) -> str:
    """What the last command of a log said, up to a megabyte."""
    return end_of(log, most=1_000_000).decode(errors="replace").rpartition("\n$ ")[2]


def for_people(path: Path) -> bytes:
    """The last of what a program printed, without the messages that are for other programs: JSON,
    an object a line, whose first may be cut."""
    lines = end_of(path).splitlines(keepends=True)
    return b"".join(one for one in lines if not (one.endswith(b"}\n") and b'":' in one))


def end_of(path: Path, start: int = 0, most: int = 16384) -> bytes:
    """The last bytes of a file, of what is behind `start`."""
    with walk.opened(path) as file:  # a program may have put something else in its place
        file.seek(max(start, path.stat().st_size - most))
        return file.read()


@contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes] | None]:
    """A file for what a program prints, if it has one of its own."""
    if path is None:
        yield None
    else:
        with path.open("wb") as file:
            yield file
