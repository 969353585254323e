"""Key -> folder: what was built, found again, and never believed blindly.

    <cache>/store/<key>/tree/          the output, read-only
    <cache>/store/<key>/stage.json     what it is, from what, when, how long it took
    <cache>/store/<key>/manifest.json  every file: size, time, mode, digest
    <cache>/store/<key>/checks/<key>   a file for each set of checks it passed
    <cache>/refused/<key>/             an entry that failed a check, for a look; never used

An entry appears by one rename, so there is a whole one or none.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from recipes import errors
from recipes.engine import removal
from recipes.engine.manifest import Manifest, compare, seal, timeless
from recipes.engine.stage import MOST

DOWNLOADS = "downloads"
LOGS = "logs"
GONE = ".gone-"
"""How the names begin of what is being removed; the number of the process follows."""
REFUSED = ".refused"
"""How the mark of failed checks ends."""
FORMAT = 1
"""Of the cache's folders and files; raised when an older Muslin could no longer read them."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of how an entry came to be."""

    name: str
    document: dict[str, Any]
    wall_seconds: float
    cpu_seconds: float
    built_with: dict[str, str]
    """Provenance: programs of the host that took part and are not in the key."""
    memory: int = 0
    """Bytes of the largest process."""
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A whole, unharmed entry."""

    key: str
    folder: Path
    record: Record

    @property
    def tree(self) -> Path:
        """The stage's output."""
        return self.folder / "tree"


class Store:
    """The folder of finished stages. Safe to share between processes of one machine."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.root = cache / "store"
        self.work = cache / "work"
        self.scratch = cache / "scratch"
        self.refused = cache / "refused"
        self._locks = cache / "locks"
        self._held: dict[str, int] = {}
        """Key -> thread of this process that holds its lock."""
        self._insist_on_format()
        for folder in (self.root, self.work, self.scratch, self._locks):
            folder.mkdir(parents=True, exist_ok=True)

    def _insist_on_format(self) -> None:
        """Leave a newer Muslin's cache alone: what it wrote would look damaged here."""
        path = self.cache / "format"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".format.{os.getpid()}")
            aside.write_text(f"{FORMAT}\n", encoding="utf-8")
            aside.replace(path)
        said = path.read_text(encoding="utf-8").strip()
        if said != str(FORMAT):
            why = f"its files have the format {said!r} and this Muslin knows {FORMAT}"
            raise errors.CacheUnusable(self.cache, why)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Held by every run that builds or reads, which waits for a clean-up that is at work;
        a clean-up waits for no run and refuses."""
        with (self._locks / "in-use").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a run that was killed had begun to remove."""
        for folder in (self.work, self.scratch, self.root):
            for path in folder.glob(f"{GONE}*"):
                if not Path("/proc", path.name.split("-")[1]).exists():
                    with suppress(FileNotFoundError):  # another run sweeps too
                        remove(path)

    @contextmanager
    def lock(
        self, key: str, waiting: Callable[[], None], still: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """One builder per key; `waiting` is called once if another run has it, `still` again and
        again until it has not, and ends the waiting by raising."""
        lock = filelock.FileLock(self._locks / f"{key}.lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            waiting()
            while not lock.is_locked:
                still()
                with suppress(filelock.Timeout):
                    lock.acquire(timeout=0.5, poll_interval=0.1)
        self._held[key] = threading.get_ident()
        try:
            yield
        finally:
            del self._held[key]
            lock.release()

    def find(self, key: str, damaged: Callable[[str], None] = lambda _: None) -> Entry | None:
        """The entry if it is there and whole; a damaged one is reported and removed.

        Removed under the key's lock only: another run may be building it anew this very moment,
        and is then left to it.
        """
        seen = self._seen(key)
        if isinstance(seen, str):
            if self._held.get(key) == threading.get_ident():
                return self._sorted_out(key, damaged)
            try:
                with filelock.FileLock(self._locks / f"{key}.lock", blocking=False):
                    return self._sorted_out(key, damaged)
            except filelock.Timeout:
                return None
        return seen

    def _sorted_out(self, key: str, damaged: Callable[[str], None]) -> Entry | None:
        """A second look, with nobody else at work on it; what is damaged goes."""
        seen = self._seen(key)
        if isinstance(seen, str):
            damaged(seen)
            remove(self.root / key)
            return None
        return seen

    def _seen(self, key: str) -> Entry | str | None:
        """The entry, or what is wrong with it, or None where there is none."""
        folder = self.root / key
        try:
            record = Record(**json.loads((folder / "stage.json").read_text(encoding="utf-8")))
            manifest: Manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            return f"its record cannot be read ({error})" if folder.exists() else None
        if (fault := compare(folder / "tree", manifest)) is not None:
            return fault
        os.utime(folder / "stage.json")
        return Entry(key=key, folder=folder, record=record)

    def commit(self, key: str, out: Path, record: Record, at_most: int = MOST) -> Entry:
        """Publish `out` as the entry for `key`: read-only, listed, in one rename.

        Raises `Unfit` for what cannot be published, or has more than `at_most` bytes.
        """
        manifest = seal(out, at_most)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        size = sum(row[0] for row in manifest.values() if isinstance(row[0], int))
        record = dataclasses.replace(record, bytes=size)
        (aside / "checks").mkdir()
        (aside / "stage.json").write_text(
            json.dumps(dataclasses.asdict(record), indent=1), encoding="utf-8"
        )
        (aside / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        out.rename(aside / "tree")
        aside.chmod(0o755)
        folder = self.root / key
        try:
            aside.rename(folder)
        except OSError as error:
            remove(aside)
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            # Somebody else was first; theirs is as good.
        return Entry(key=key, folder=folder, record=record)

    def passed(self, entry: Entry, checks_key: str) -> bool:
        """Whether these checks were passed by this entry before."""
        return (entry.folder / "checks" / checks_key).exists()

    def mark_passed(self, entry: Entry, checks_key: str) -> None:
        """Remember that these checks were passed."""
        (entry.folder / "checks" / checks_key).touch()

    def mark_refused(self, entry: Entry, by: str) -> None:
        """Remember that an entry was refused; `by` is the key of its checks, or of the stage that
        refused it."""
        (entry.folder / "checks" / f"{by}{REFUSED}").touch()

    def was_refused(self, key: str, by: str) -> bool:
        """Whether an entry was refused by these checks or this stage."""
        return (self.root / key / "checks" / f"{by}{REFUSED}").exists()

    def is_marked(self, entry: Entry) -> bool:
        """Whether an entry was refused by anything."""
        return any((entry.folder / "checks").glob(f"*{REFUSED}"))

    def clear_marks(self, entry: Entry) -> None:
        """Forget that it was refused."""
        for mark in (entry.folder / "checks").glob(f"*{REFUSED}"):
            mark.unlink()

    def is_as_before(self, entry: Entry) -> bool:
        """Whether an entry is, file by file, what was refused under its key before."""
        try:
            before, now = (
                json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
                for folder in (self.refused / entry.key, entry.folder)
            )
        except (OSError, ValueError):
            return False
        return timeless(before) == timeless(now)

    def set_aside(self, key: str) -> Path | None:
        """Move an entry that was refused out of the store, in the place of an earlier one of its
        key; where it lies now, or None if there is none. The next run builds it again."""
        aside = self.refused / key
        with suppress(FileNotFoundError):
            self.refused.mkdir(exist_ok=True)
            if aside.exists():
                remove(aside)
            (self.root / key).rename(aside)
            return aside
        return None

    def drop(self, key: str) -> None:
        """Forget an entry."""
        remove(self.root / key)

    def entries(self) -> Iterator[tuple[str, Record, float]]:
        """Key, record and time of last use (seconds since 1970) of everything there is."""
        for folder in sorted(self.root.glob("[0-9a-f]*")):
            path = folder / "stage.json"
            try:
                yield (
                    folder.name,
                    Record(**json.loads(path.read_text(encoding="utf-8"))),
                    path.stat().st_mtime,
                )
            except (OSError, ValueError, TypeError):
                # A record that cannot be read is oldest of all: the next clean-up takes it.
                unreadable = Record(
                    name="unreadable", document={}, wall_seconds=0, cpu_seconds=0, built_with={}
                )
                yield folder.name, unreadable, 0.0

    def verify(self) -> dict[str, str]:
        """Compare every file of every entry by digest; key -> fault of those that differ."""
        faults = {}
        for key, _, _ in self.entries():
            fault: str | None
            try:
                manifest = json.loads(
                    (self.root / key / "manifest.json").read_text(encoding="utf-8")
                )
                fault = compare(self.root / key / "tree", manifest, digests=True)
            except (OSError, ValueError) as error:
                fault = f"its record cannot be read ({error})"
            if fault is not None:
                faults[key] = fault
        return faults

    def drop_damaged(self) -> dict[str, str]:
        """Compare every file by digest and remove what differs; key -> fault. Refuses while a run
        uses the cache."""
        with self.alone():
            faults = self.verify()
            for key in faults:
                self.drop(key)
            return faults

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No run uses the cache meanwhile; raises `CacheInUse` where one does."""
        with (self._locks / "in-use").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise errors.CacheInUse(self.cache) from None
            yield


def remove(path: Path) -> None:
    """Remove a file or a tree, read-only or not, at any depth, all or what is left of it."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    # Out of sight first: a half-removed entry must not be found under its key.
    if not path.name.startswith(GONE):
        aside = path.with_name(f"{GONE}{os.getpid()}-{time.monotonic_ns()}")
        path.rename(aside)
        path = aside
    removal.remove_tree(path)
