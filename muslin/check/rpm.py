"""Where the files of an RPM package begin.

Source: the Linux Standard Base 5.0, Core, chapter 22 (package file format).
"""

from __future__ import annotations

import struct
from typing import IO

from muslin.audit.finding import Refused

LEAD = b"\xed\xab\xee\xdb"
LEAD_SIZE = 96
HEADER = b"\x8e\xad\xe8\x01"
MOST = 256 << 20
"""Bytes of a header; rpm takes no larger one."""
ENTRIES = 0x10000
"""Entries of its index, of 16 bytes each, as rpm limits them."""


def payload(file: IO[bytes]) -> int:
    """The offset of the compressed cpio archive, behind the lead and two headers.

    Raises `Refused` where one of them is damaged.
    """
    behind_signature = _behind_header(file, LEAD_SIZE, "signature")
    return _behind_header(file, behind_signature + -behind_signature % 8, "header")


def _behind_header(file: IO[bytes], at: int, what: str) -> int:
    file.seek(at)
    fixed = file.read(16)
    if len(fixed) < 16 or not fixed.startswith(HEADER):
        raise Refused(f"it is no sound RPM package: no {what} at byte {at}")
    entries, size = struct.unpack(">II", fixed[8:])
    if entries > ENTRIES or size > MOST:
        raise Refused(f"it is no sound RPM package: its {what} is larger than rpm takes")
    return at + 16 + 16 * int(entries) + int(size)
