"""Members of a cpio archive, as initial RAM disks and RPM packages have them: the `newc` format.

Source: the Linux kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from muslin.audit.finding import Refused
from muslin.check.budget import Budget

MAGIC = (b"070701", b"070702")
"""Without and with a sum of the content."""
STRIPPED = b"07070X"
"""RPM's own for files of 4 GiB and more: sizes are in the package's header alone."""
HEADER = 110
"""Bytes: the magic and thirteen numbers of eight hexadecimal digits."""
END = "TRAILER!!!"
LONGEST = 4096
REGULAR = 0o100000
KIND = 0o170000


def members(file: IO[bytes], size: int, budget: Budget) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of every regular file in an archive of so many bytes.

    Raises `Refused` where a header is damaged or the archive breaks off.
    """
    at = 0
    while True:
        file.seek(at)
        header = file.read(HEADER)
        if header.startswith(STRIPPED):
            raise Refused("it is an RPM package with files of 4 GiB or more, which is not read")
        if len(header) < HEADER or not header.startswith(MAGIC):
            raise Refused(f"it is no sound cpio archive: no header at byte {at}")
        mode, length, named = (_number(header, field, at) for field in (1, 6, 11))
        if not 0 < named <= LONGEST:
            raise Refused(f"a name in it has {named} letters; {LONGEST} are the most")
        name = file.read(named).rstrip(b"\0").decode("utf-8", "replace")
        start = _padded(at + HEADER + named)
        if name == END:
            return
        if start + length > size:
            raise Refused(f"it is no sound cpio archive: it breaks off in {name!r}")
        budget.take_member()
        if mode & KIND == REGULAR:
            yield name, start, length
        at = _padded(start + length)


def _number(header: bytes, field: int, at: int) -> int:
    digits = header[6 + 8 * field : 14 + 8 * field]
    try:
        return int(digits.decode("ascii"), 16)
    except ValueError as error:
        raise Refused(f"it is no sound cpio archive: {digits!r} at byte {at}") from error


def _padded(offset: int) -> int:
    return offset + -offset % 4
