"""The C code in a program: which objects of which component."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from muslin.sbom.part import (
    BY_DECLARATION,
    Part,
    Patch,
    Text,
    cpe,
    purl,
    texts,
)

Row = Mapping[str, Any]
"""What the rules say of a component: `name`, `component`, `version`, `licence`, `cpe`, `file`,
`sha256`, `origin`, `fixes`, `patterns` of its objects, `notices`, `in_image`."""
OTHERS = ("own", "own/*", "crate/*", "rust-std/*")
"""Objects of no component: the project's, and those of crates, which cargo reports."""


def parts(
    rows: Sequence[Row], objects: Sequence[Row], notices: Mapping[str, Path], known_by: str
) -> list[Part]:
    """Components with at least one object in the program."""
    found: dict[str, list[Row]] = {}
    for one in objects:
        for row in rows:
            if any(fnmatchcase(one["file"], pattern) for pattern in row["patterns"]):
                found.setdefault(row["name"], []).append(one)
                break
    return [
        _part(row, notices, known_by, found[row["name"]]) for row in rows if row["name"] in found
    ]


def unexplained(rows: Sequence[Row], objects: Sequence[Row]) -> list[str]:
    """Files with objects in the program of which no rule says what they are of."""
    patterns = [*OTHERS, *(pattern for row in rows for pattern in row["patterns"])]
    files = {one["file"] for one in objects}
    return sorted(f for f in files if not any(fnmatchcase(f, pattern) for pattern in patterns))


def declared(rows: Sequence[Row], notices: Mapping[str, Path], *, prefix: str = "") -> list[Part]:
    """Components whose patterns begin so, where nothing is known of how a program was linked."""
    return [
        _part(row, notices, BY_DECLARATION, ())
        for row in rows
        if any(pattern.startswith(prefix) for pattern in row["patterns"])
    ]


def in_image(rows: Sequence[Row], notices: Mapping[str, Path]) -> list[Part]:
    """Components that lie beside the program."""
    return [_part(row, notices, BY_DECLARATION, ()) for row in rows if row["in_image"]]


def _part(row: Row, notices: Mapping[str, Path], known_by: str, objects: Sequence[Row]) -> Part:
    folder = notices.get(row["notices"])
    names = (f"{one['file'].partition('/')[2]}({one['member']})" for one in objects)
    return Part(
        name=row["name"],
        version=row["version"],
        component=row["component"],
        purl=purl("generic", row["name"], version=row["version"]),
        known_by=known_by,
        licence=row["licence"],
        cpe=cpe(row["cpe"], row["version"]),
        kind="data" if row["in_image"] else "library",
        source=row["file"],
        sha256=row["sha256"],
        origin=row["origin"],
        objects=tuple(sorted(name.removesuffix("()") for name in names)),
        size=sum(one["size"] for one in objects),
        patches=tuple(_patches(folder, row["fixes"])) if folder else (),
        fixes=tuple(row["fixes"]),
        texts=tuple(_texts(folder)) if folder else (),
    )


def _texts(folder: Path) -> Iterator[Text]:
    return texts(folder / "texts", ("*",))


def _patches(folder: Path, fixes: Sequence[str]) -> Iterator[Patch]:
    path = folder / "patches.json"
    for row in json.loads(path.read_text(encoding="utf-8")) if path.exists() else ():
        fixed = tuple(one for one in fixes if one in row["cves"])
        yield Patch(name=row["name"], sha256=row["sha256"], fixes=fixed)
