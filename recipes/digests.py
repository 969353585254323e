"""What stages gave where they were built before: one digest a stage, in `recipes/digests/`.

A digest is of a stage's manifest less its times, so it speaks for every name, mode and byte. It
holds for one key: a host with another compiler has other keys, and nothing to compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.engine.manifest import timeless

Recorded = dict[str, dict[str, str]]
"""Name of a stage -> its `key`, and the `tree`'s digest in hexadecimal SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Names of stages: of the same bytes, of others, and those recorded for no such key."""

    same: tuple[str, ...]
    differing: tuple[str, ...]
    unknown: tuple[str, ...]


def of_entry(entry: Path) -> str:
    """The digest of an entry of the store, by its manifest."""
    manifest = timeless(json.loads((entry / "manifest.json").read_text(encoding="utf-8")))
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def load(path: Path) -> Recorded:
    """What is recorded; nothing where there is no such file yet."""
    if not path.exists():
        return {}
    recorded: Recorded = json.loads(path.read_text(encoding="utf-8"))
    return recorded


def write(path: Path, entries: Mapping[str, Path]) -> None:
    """Record entries by the names of their stages, beside what is recorded of others."""
    new = {name: {"key": at.name, "tree": of_entry(at)} for name, at in entries.items()}
    path.parent.mkdir(exist_ok=True)
    text = json.dumps({**load(path), **new}, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def compare(recorded: Recorded, entries: Mapping[str, Path]) -> Compared:
    """Hold entries, by the names of their stages, to what is recorded."""
    unknown = [name for name, at in entries.items() if _key(recorded, name) != at.name]
    differing = [
        name
        for name, at in entries.items()
        if name not in unknown and recorded[name]["tree"] != of_entry(at)
    ]
    return Compared(
        same=_without(list(entries), (*unknown, *differing)),
        differing=tuple(differing),
        unknown=tuple(unknown),
    )


def _key(recorded: Recorded, name: str) -> str:
    return recorded.get(name, {}).get("key", "")


def _without(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)
