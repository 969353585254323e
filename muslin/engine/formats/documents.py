"""TOML and JSON that people and other programs wrote, read within bounds.

Whatever lies at a path, a table comes back that everything behind it can bear, or a
`BadDeclaration` that names the file, the key and the fault.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from muslin.engine import errors, inputs

LARGEST = 16 << 20
"""Bytes of a file; the largest lock of a project has some hundred thousand."""
DEEPEST = 64
"""Tables and lists within each other."""
DOTS = 1000
"""Dots in a line: tomllib's time grows with the square of a dotted key's parts."""
LARGEST_NUMBER = (1 << 63) - 1
"""TOML's own bound, in both directions."""
SHOWN = 120
"""Characters of a key that are shown."""

_Key = tuple[Any, str | int]
"""A key's parent and its own name, up to an empty tuple."""


def toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file."""
    return toml_of(path, text(path))


def toml_of(path: Path, content: str) -> dict[str, Any]:
    """The same of a text that was read already."""
    table: dict[str, Any] = _parsed(path, content, "TOML", _toml)
    return table


def json_table(path: Path) -> dict[str, Any]:
    """The table of a JSON file."""
    value = _parsed(path, text(path), "JSON", json.loads)
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else f"{value!r:.60}"
        raise errors.BadDeclaration(path, [f"it should hold a table, {{…}}, not {kind}"])
    return value


def text(path: Path, *, strict: bool = True) -> str:
    """The text of a regular file in UTF-8, without a byte order mark; if it is not `strict`, what
    is no UTF-8 is replaced."""
    try:
        return _content(path).decode("utf-8-sig", "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        fault = f"line {line} is not UTF-8 ({error.reason}): save the file in that encoding"
        raise errors.BadDeclaration(path, [fault]) from error


def is_file(path: Path) -> bool:
    """Whether there is a regular file; false for what this user cannot look at."""
    return os.path.isfile(inputs.file(path))  # noqa: PTH113  # Path.is_file raises for some of it


def is_folder(path: Path) -> bool:
    """Whether there is a folder; false for what this user cannot look at."""
    return os.path.isdir(inputs.file(path))  # noqa: PTH112  # as above


def real(path: Path) -> Path:
    """The path without links; one that leads in a circle stays as it is."""
    return Path(os.path.realpath(inputs.file(path)))  # Path.resolve raises for a circle before 3.13


def key_of(parts: tuple[str | int, ...]) -> str:
    """A key in words: `serve.0.path`."""
    words = map(str, parts)
    whole = ".".join(word if word.isprintable() else repr(word) for word in words)
    return whole if len(whole) <= SHOWN else f"{whole[: SHOWN // 2]}…{whole[-SHOWN // 2 :]}"


def texts(value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in a value, keys too, with its key; the value is within the bounds."""
    match value:
        case str():
            yield (), value
        case dict():
            for name, part in value.items():
                yield (name,), name
                yield from (((name, *key), found) for key, found in texts(part))
        case list():
            for number, part in enumerate(value):
                yield from (((number, *key), found) for key, found in texts(part))
        case _:
            pass


def _content(path: Path) -> bytes:
    try:
        state = inputs.file(path).stat()
        if stat.S_ISDIR(state.st_mode):
            raise errors.BadDeclaration(path, ["it is a folder, and should be a file"])
        if not stat.S_ISREG(state.st_mode):
            raise errors.BadDeclaration(path, ["it is a device or a pipe, and should be a file"])
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise errors.BadDeclaration(path, [f"it cannot be read: {why}"]) from error
    if len(content) > LARGEST:
        raise errors.BadDeclaration(path, [f"it has more than {LARGEST >> 20} MiB"])
    return content


def _parsed(path: Path, content: str, kind: str, parse: Callable[[str], Any]) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    try:
        value = parse(content)
    except RecursionError as error:
        fault = f"not {kind} that can be read: it is nested too deeply"
        raise errors.BadDeclaration(path, [fault]) from error
    except ValueError as error:
        raise errors.BadDeclaration(path, [f"not {kind}: {error}"]) from error
    if faults := list(_beyond(value)):
        raise errors.BadDeclaration(path, faults)
    return value


def _toml(text: str) -> dict[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DOTS:
            raise ValueError(f"line {number} has more than {DOTS} dots")
    return tomllib.loads(text)


def _beyond(value: object) -> Iterator[str]:
    """What is nested too deeply, and numbers of more than 64 bits, with their keys."""
    left: list[tuple[object, int, _Key | tuple[()]]] = [(value, 0, ())]
    while left:
        part, depth, key = left.pop()
        match part:
            case dict() | list() if depth > DEEPEST:
                yield f"{_shown(key)}: it is nested more than {DEEPEST} deep"
            case dict():
                left += [(inner, depth + 1, (key, name)) for name, inner in part.items()]
            case list():
                left += [(inner, depth + 1, (key, number)) for number, inner in enumerate(part)]
            case int() if abs(part) > LARGEST_NUMBER:
                yield f"{_shown(key)}: the number has more than 64 bits"
            case _:
                pass


def _shown(key: _Key | tuple[()]) -> str:
    parts: list[str | int] = []
    while key:
        key, name = key
        parts.append(name)
    return key_of(tuple(reversed(parts)))
