"""The line of a key in a file of TOML: parsers say where a file breaks, not where a key is."""

from __future__ import annotations

import re
from collections.abc import Iterator

BROKEN = re.compile(r"\bline (\d+)\b")
HEADER = re.compile(r"\s*\[(\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
KEY = re.compile(r"\s*([\w\"'.-]+)\s*=")


def line_of(text: str, fault: str) -> int:
    """The line, from 1, that a fault of a declaration is about, such as `serve.0.path: …`; that of
    the table where the key itself is missing, and 0 where neither is found."""
    wanted = tuple(fault.partition(": ")[0].split("."))
    best, found = 0, 0
    for number, path in _keys(text):
        common = _common(wanted, path)
        if common == len(path) and common > best:
            best, found = common, number
    if not found and (match := BROKEN.search(fault)):
        return int(match[1])
    return found


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The line of every table and key, with its path; the tables of a list have their number."""
    table, counts = tuple[str, ...](), dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.fullmatch(line):
            table = _parts(header[2])
            if header[1]:
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = (*table, str(counts[header[2]]))
            yield number, table
        elif key := KEY.match(line):
            yield number, (*table, *_parts(key[1]))


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def _common(wanted: tuple[str, ...], path: tuple[str, ...]) -> int:
    """How many parts two paths share from the start."""
    count = 0
    for one, other in zip(wanted, path, strict=False):
        if one != other:
            break
        count += 1
    return count
