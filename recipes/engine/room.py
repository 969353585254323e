"""The room that a cache takes, and how it is shrunk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recipes.engine.ending import end_leftovers
from recipes.engine.store import DOWNLOADS, LOGS, Store, remove
from recipes.engine.watching import RECORDS


@dataclass(frozen=True, kw_only=True)
class Held:
    """Something that takes room in the cache."""

    path: Path
    name: str
    bytes: int
    used: float
    """Seconds since 1970."""


def collect(store: Store, at_most: int, *, dry: bool = False) -> list[Held]:
    """Remove what was used longest ago until the cache has at most this many bytes.

    Also removes what killed runs left behind. Refuses while a run uses the cache.
    """
    with store.alone():
        if not dry:
            for leftover in [*store.root.glob(".[ng]*"), *store.work.glob("*")]:
                end_leftovers(leftover)
                remove(leftover)
            for record in (store.cache / RECORDS).glob("*"):  # they only save time
                record.unlink()
        there = list(held(store))
        total = sum(one.bytes for one in there)
        gone = []
        for one in there:
            if total <= at_most:
                break
            if not dry:
                remove(one.path)
            total -= one.bytes
            gone.append(one)
        return gone


def held(store: Store) -> Iterator[Held]:
    """Everything that a clean-up may take, in the order in which it does: refused entries, scratch
    folders, which only save time, then downloads, entries and logs, oldest use first."""
    for root, what in ((store.refused, "refused"), (store.scratch, "scratch")):
        yield from sorted(_folders(root, what), key=lambda one: one.used)
    entries = (
        Held(path=store.root / key, name=record.name, bytes=record.bytes, used=used)
        for key, record, used in store.entries()
    )
    downloads = _folders(store.cache / DOWNLOADS, "download")
    yield from sorted([*entries, *downloads, *_logs(store)], key=lambda one: one.used)


def _logs(store: Store) -> Iterator[Held]:
    root = store.cache / LOGS
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            said = path.stat()
            name = f"log {path.relative_to(root)}"
            yield Held(path=path, name=name, bytes=said.st_size, used=said.st_mtime)


def _folders(root: Path, what: str) -> Iterator[Held]:
    for folder in root.glob("*"):
        files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
        shown = [path.name for path in sorted(folder.iterdir()) if path.name[0] != "."]
        name = shown[0] if what == "download" and len(shown) == 1 else folder.name
        yield Held(
            path=folder,
            name=f"{what} {name}",
            bytes=sum(path.lstat().st_size for path in files),
            used=folder.stat().st_mtime,
        )
