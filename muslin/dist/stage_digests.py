"""What stages gave where they were built before: one digest a stage, in `recipes/digests/`.

A digest is of a stage's manifest less its times, so it speaks for every name, mode and byte. It
holds for one key. What runs on the host holds for one compiler of the host besides, since that one
compiled it; what is for the target was compiled by ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from pydantic import RootModel

from muslin.engine.cache.manifest import Manifest, timeless, tree_digest
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign


class Row(TypedDict, total=False):
    """What is recorded of a stage."""

    key: str
    tree: str
    """The tree's digest, hexadecimal SHA-256."""
    compiler: str
    """The host's, if the stage's product runs on the host."""


class _Recorded(Foreign):
    key: str = ""
    tree: str = ""
    compiler: str = ""


class _Record(RootModel[dict[str, _Recorded]]):
    """A file of them, by the names of stages."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a stage gave here."""

    entry: Path
    """Its folder in the store, which is called by its key."""
    compiler: str = ""
    """As in `Row`."""

    @property
    def row(self) -> Row:
        """What is recorded of it."""
        row: Row = {"key": self.entry.name, "tree": of_entry(self.entry)}
        return {**row, "compiler": self.compiler} if self.compiler else row


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Names of stages: of the same bytes, of others, and those recorded of another key or host."""

    same: tuple[str, ...]
    differing: tuple[str, ...]
    unknown: tuple[str, ...]


def listed(entry: Path) -> Manifest:
    """Path -> what is known of it, less its time, of an entry of the store."""
    return timeless(_manifest(entry))


def of_entry(entry: Path) -> str:
    """The digest of an entry of the store, by its manifest."""
    return tree_digest(_manifest(entry))


def _manifest(entry: Path) -> Manifest:
    manifest: Manifest = json.loads((entry / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def load(path: Path) -> dict[str, Row]:
    """What is recorded, by the names of stages; nothing where there is no such file yet."""
    if not path.exists():
        return {}
    rows = declaration.parse(path, documents.json_table(path), _Record).root
    return {
        name: Row(**row.model_dump(exclude_unset=True))  # type: ignore[typeddict-item]  # of the same keys
        for name, row in rows.items()
    }


def write(path: Path, given: Mapping[str, Given]) -> None:
    """Record what stages gave, by their names, beside what is recorded of others."""
    rows = {**load(path), **{name: one.row for name, one in given.items()}}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def compare(recorded: Mapping[str, Row], given: Mapping[str, Given]) -> Compared:
    """Hold what stages gave, by their names, to what is recorded."""
    same, differing, unknown = [], [], []
    for name, one in given.items():
        row, was = one.row, recorded.get(name, {})
        if {**row, "tree": ""} != {**was, "tree": ""}:
            unknown.append(name)
        elif row == was:
            same.append(name)
        else:
            differing.append(name)
    return Compared(same=tuple(same), differing=tuple(differing), unknown=tuple(unknown))
