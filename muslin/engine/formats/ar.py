"""Names of the members of a static library (`.a`), GNU and BSD format; ar(5)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from muslin.engine import errors
from muslin.engine.filesystem import walk

MAGIC = b"!<arch>\n"
HEADER = 60
"""Bytes before each member: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2."""
TABLE = 16_000_000
"""Bytes of names that are read; those of all of LLVM in one archive are fewer."""
INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED")


def names(path: Path) -> Iterator[str]:
    """The names of all members in order, without the symbol index and the table of long names.

    Raises `BrokenArchive`.
    """
    with walk.opened(path) as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise errors.BrokenArchive(path, "it is not a static library")
        table, at = b"", len(MAGIC)
        while header := file.read(HEADER):
            if header[58:] != b"`\n" or not header[48:58].strip().isdigit():
                raise errors.BrokenArchive(path, f"no member starts at byte {at}")
            size, name = int(header[48:58]), header[:16].rstrip().decode("latin-1")
            if name == "//":
                table = file.read(min(size, TABLE))
            elif name not in INDEXES:
                try:
                    yield _whole(name, file, table)
                except ValueError as error:
                    why = f"the member at byte {at} has no sound name"
                    raise errors.BrokenArchive(path, why) from error
            at += HEADER + size + size % 2
            file.seek(at)


def _whole(name: str, file: IO[bytes], table: bytes) -> str:
    if name.startswith("/"):  # GNU: an offset into the table of long names
        start = int(name[1:])
        return table[start : table.index(b"\n", start)].decode().removesuffix("/")
    if name.startswith("#1/"):  # BSD: before the content
        return file.read(max(0, min(int(name[3:]), TABLE))).rstrip(b"\0").decode()
    return name.removesuffix("/")
