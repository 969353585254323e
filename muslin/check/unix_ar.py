"""Members of an ar archive, as Debian packages are: deb(5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from muslin.audit.finding import Refused
from muslin.audit.objects import ARCHIVE, HEADER

FIRST = b"debian-binary"
"""The first member of a Debian package."""


def is_deb(head: bytes) -> bool:
    """Whether an archive that begins with these bytes is a Debian package."""
    return head.startswith(FIRST, len(ARCHIVE))


def members(file: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of every member. Raises `Refused` where it breaks off."""
    end = file.seek(0, 2)
    at = len(ARCHIVE)
    while at < end:
        file.seek(at)
        header = file.read(HEADER)
        if len(header) < HEADER or header[58:60] != b"`\n" or not header[48:58].strip().isdigit():
            raise Refused(f"it is no sound Debian package: no header at byte {at}")
        start, size = at + HEADER, int(header[48:58])
        if start + size > end:
            raise Refused("it is no sound Debian package: it breaks off")
        name = header[:16].decode("latin-1").strip().removesuffix("/")
        yield name, start, size
        at = start + size + size % 2
