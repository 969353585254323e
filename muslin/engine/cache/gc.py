"""The room that a cache takes, and how it is shrunk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muslin.engine import errors
from muslin.engine.cache import layout
from muslin.engine.cache.store import Store, remove
from muslin.engine.filesystem import walk
from muslin.engine.process.termination import end_leftovers

DIGEST = re.compile(r"[0-9a-f]{64}")


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
            for record in (store.cache / layout.UNCHANGED).glob("*"):  # they only save time
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
    """Everything that a clean-up may take, in the order in which it does: refused entries, those
    of others that differ, scratch folders, which only save time, then downloads, entries and logs,
    oldest use first."""
    roots = (
        (store.refused, "refused"),
        (store.cache / layout.DIFFERING, "differing"),
        (store.scratch, "scratch"),
    )
    for root, what in roots:
        yield from sorted(_folders(root, what), key=lambda one: one.used)
    entries = (
        Held(path=store.root / key, name=record.name, bytes=record.bytes, used=used)
        for key, record, used in store.entries()
    )
    downloads = _folders(store.cache / layout.DOWNLOADS, "download")
    yield from sorted(
        [*entries, *downloads, *_logs(store), *_indexes(store)], key=lambda one: one.used
    )


def _logs(store: Store) -> Iterator[Held]:
    root = store.cache / layout.LOGS
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            said = path.stat()
            name = f"log {path.relative_to(root)}"
            yield Held(path=path, name=name, bytes=said.st_size, used=said.st_mtime)


def _indexes(store: Store) -> Iterator[Held]:
    """Indexes of the Debian archive; the small signed files that name them stay."""
    for path in (store.cache / layout.ARCHIVE).glob("*/*"):
        if path.is_file() and not path.is_symlink() and DIGEST.fullmatch(path.name):
            said = path.stat()
            name = f"index {path.parent.name}/{path.name[:12]}"
            yield Held(path=path, name=name, bytes=said.st_size, used=said.st_mtime)


def _folders(root: Path, what: str) -> Iterator[Held]:
    """What lies in a folder of the cache; files, too, where none belongs."""
    for path in root.glob("*"):
        shown = sorted(file.name for file in path.glob("[!.]*"))
        name = shown[0] if what == "download" and len(shown) == 1 else path.name
        yield Held(
            path=path,
            name=f"{what} {name}",
            bytes=_bytes(path) if path.is_dir() else path.lstat().st_size,
            used=path.lstat().st_mtime,
        )


def _bytes(folder: Path) -> int:
    """What the files below a folder take; what lies too deep is not counted, and can go like the
    rest."""
    total = 0
    with suppress(errors.TooDeep):
        for entry in walk.entries(folder):
            if not entry.is_dir(follow_symlinks=False):
                total += entry.stat(follow_symlinks=False).st_size
    return total
