"""Names and symbols of the members of a static library (`.a`), GNU and BSD format; ar(5)."""

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
INDEX = 64_000_000
"""Bytes of an index that are read."""
WORD = 4
INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED")


def names(path: Path) -> Iterator[str]:
    """The names of all members in order, without the symbol index and the table of long names.

    Raises `BrokenArchive`.
    """
    return (name for _, name in _members(path))


def symbols(path: Path) -> dict[str, frozenset[str]]:
    """The symbols that each member defines for others, by the index of GNU's format; empty if the
    archive has none or one of another format. Raises `BrokenArchive`."""
    by_place = dict(_members(path))
    found: dict[str, set[str]] = {}
    for place, symbol in _index(path):
        found.setdefault(by_place.get(place, ""), set()).add(symbol)
    found.pop("", None)
    return {name: frozenset(defined) for name, defined in found.items()}


def _index(path: Path) -> Iterator[tuple[int, str]]:
    """Where the member of a symbol starts, and the symbol: a count, so many places, so many texts,
    the numbers of four bytes with the largest first."""
    with walk.opened(path) as file:
        file.seek(len(MAGIC))
        header = file.read(HEADER)
        if header[:16].rstrip() != b"/":
            return
        content = file.read(min(int(header[48:58]), INDEX))
    count = int.from_bytes(content[:WORD], "big")
    texts = content[WORD * (count + 1) :].split(b"\0")
    places = (content[start : start + WORD] for start in range(WORD, WORD * (count + 1), WORD))
    for place, text in zip(places, texts, strict=False):
        yield int.from_bytes(place, "big"), text.decode("utf-8", "replace")


def _members(path: Path) -> Iterator[tuple[int, str]]:
    """Where each member starts, and its name."""
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
                    yield at, _whole(name, file, table)
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
