"""The room that a cache takes, and how it is shrunk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recipes.engine.ending import end_leftovers
from recipes.engine.store import DOWNLOADS, Store, remove
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
                remove(record)
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
    folders, which only save time, then downloads and entries, oldest use first."""
    for root, what in ((store.refused, "refused"), (store.scratch, "scratch")):
        yield from sorted(_folders(root, what), key=lambda one: one.used)
    entries = (
        Held(path=store.root / key, name=record.name, bytes=record.bytes, used=used)
        for key, record, used in store.entries()
    )
    downloads = _folders(store.cache / DOWNLOADS, "download")
    yield from sorted([*entries, *downloads], key=lambda one: one.used)


def _folders(root: Path, what: str) -> Iterator[Held]:
    """What lies in a folder of the cache; files, too, where none belongs."""
    for path in root.glob("*"):
        files = [Path(parent, name) for parent, _, names in os.walk(path) for name in names]
        shown = sorted(file.name for file in path.glob("[!.]*"))
        name = shown[0] if what == "download" and len(shown) == 1 else path.name
        yield Held(
            path=path,
            name=f"{what} {name}",
            bytes=sum(one.lstat().st_size for one in (files if path.is_dir() else [path])),
            used=path.lstat().st_mtime,
        )
