"""Names of the members of a static library (`.a`), GNU and BSD format; ar(5)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recipes.errors import BrokenArchive

MAGIC = b"!<arch>\n"
HEADER = 60
"""Bytes before each member: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2."""
INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED")


def names(path: Path) -> Iterator[str]:
    """The names of all members in order, without the symbol index and the table of long names.

    Raises `BrokenArchive`.
    """
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        raise BrokenArchive(path, "it is not a static library")
    table, at = b"", len(MAGIC)
    while at < len(content):
        header = content[at : at + HEADER]
        if header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise BrokenArchive(path, f"no member starts at byte {at}")
        size, name = int(header[48:58]), header[:16].rstrip().decode("latin-1")
        body = content[at + HEADER : at + HEADER + size]
        if name == "//":
            table = body
        elif name not in INDEXES:
            yield _whole(name, body, table)
        at += HEADER + size + size % 2


def _whole(name: str, body: bytes, table: bytes) -> str:
    if name.startswith("/"):  # GNU: an offset into the table of long names
        start = int(name[1:])
        return table[start : table.index(b"\n", start)].decode().removesuffix("/")
    if name.startswith("#1/"):  # BSD: before the content
        return body[: int(name[3:])].rstrip(b"\0").decode()
    return name.removesuffix("/")
