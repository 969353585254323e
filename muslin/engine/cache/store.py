"""Key -> folder: what was built, found again, and never believed blindly.

    <cache>/store/<key>/tree/          the output, read-only
    <cache>/store/<key>/stage.json     what it is, from what, when, how long it took
    <cache>/store/<key>/manifest.json  every file: size, time, mode, digest
    <cache>/store/<key>/SHA256SUMS     digests of both, which vouch for them
    <cache>/store/<key>/checks/<key>   a file for each set of checks it passed
    <cache>/refused/<key>/             an entry that failed a check, for a look; never used

An entry appears by one rename, so there is a whole one or none.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from muslin.engine import errors
from muslin.engine.cache import layout, records
from muslin.engine.cache.locks import Locks
from muslin.engine.cache.manifest import compare, seal, timeless, tree_digest
from muslin.engine.cache.records import Record
from muslin.engine.cache.verdicts import Marks
from muslin.engine.filesystem import atomic, removal
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.filesystem.walk import MOST

GONE = ".gone-"
"""How the names begin of what is being removed; the number of the process follows."""
TREE, CHECKS = "tree", "checks"
FORMAT = 1
"""Of the cache's folders and files; raised when an older Muslin could no longer read them."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A whole, unharmed entry."""

    key: str
    folder: Path
    record: Record

    @property
    def tree(self) -> Path:
        """The stage's output."""
        return self.folder / TREE


# Long: every way in which an entry comes, is found and goes, under one set of locks.
class Store(Locks):
    """The folder of finished stages. Safe to share between processes of one machine."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        self.root = cache / layout.STORE
        self.work = cache / layout.WORK
        self.scratch = cache / layout.SCRATCH
        self.refused = cache / layout.REFUSED
        self._compared: set[str] = set()
        """Keys of entries whose every digest this process has compared."""
        with errors.explained(cache):
            self._insist_on_format()
            for folder in (self.root, self.work, self.scratch, self.locks):
                folder.mkdir(parents=True, exist_ok=True)
            self._insist_on_one_file_system()

    def _insist_on_format(self) -> None:
        """Leave a newer Muslin's cache alone: what it wrote would look damaged here."""
        path = self.cache / layout.FORMAT
        try:
            text = atomic.read(path).decode(errors="replace").strip()
        except FileNotFoundError:
            self.cache.mkdir(parents=True, exist_ok=True)
            atomic.write(path, f"{FORMAT}\n")
            return
        except DamagedError as error:
            raise errors.CacheUnusable(self.cache, str(error)) from error
        if text != str(FORMAT):
            why = f"its files have the format {text!r} and this Muslin knows {FORMAT}"
            hint = f"If no newer Muslin has used this cache, write {FORMAT} into {path}"
            raise errors.CacheUnusable(self.cache, why, hint)

    def _insist_on_one_file_system(self) -> None:
        """Finished stages are moved into the store, and refused ones out of it, by a rename."""
        for folder in (self.work, self.refused):
            if folder.exists() and folder.stat().st_dev != self.root.stat().st_dev:
                raise errors.SeveralFileSystems(folder, self.root)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Held by every run that builds or reads, which waits for a clean-up that is at work;
        a clean-up waits for no run and refuses."""
        with super().in_use():
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a run that was killed had begun to remove."""
        for folder in (self.work, self.scratch, self.root):
            for path in folder.glob(f"{GONE}*"):
                if not Path("/proc", path.name.split("-")[1]).exists():
                    with suppress(FileNotFoundError):  # another run sweeps too
                        remove(path)

    def find(
        self, key: str, damaged: Callable[[str], None] = lambda _: None, *, digests: bool = False
    ) -> Entry | None:
        """The entry if it is there and whole; a damaged one is reported and removed.

        Sizes, times and modes decide; with `digests` the content does, read once in a run. Removed
        under the key's lock only: another run may be building it anew this very moment, and is
        then left to it.
        """
        found = self._look(key, digests=digests)
        if isinstance(found, str):
            with self.at_once(key) as mine:
                return self._sorted_out(key, damaged, digests=digests) if mine else None
        return found

    def reread(self, key: str, damaged: Callable[[str], None] = lambda _: None) -> None:
        """Compare every digest of an entry whose content is in doubt, whatever was compared before,
        and remove it if it is damaged; both as `find` does it."""
        self._compared.discard(key)
        self.find(key, damaged, digests=True)

    def _sorted_out(
        self, key: str, damaged: Callable[[str], None], *, digests: bool
    ) -> Entry | None:
        """A second look, with nobody else at work on it; what is damaged goes."""
        found = self._look(key, digests=digests)
        if isinstance(found, str):
            damaged(found)
            self.drop(key)
            return None
        return found

    def _look(self, key: str, *, digests: bool) -> Entry | str | None:
        """The entry, which counts as used now, or its fault, or None where there is none."""
        folder = self.root / key
        found = self._judged(folder, digests=digests and key not in self._compared)
        if isinstance(found, Record):
            if digests:
                self._compared.add(key)
            os.utime(folder / records.STAGE)
            return Entry(key=key, folder=folder, record=found)
        return found

    def _judged(self, folder: Path, *, digests: bool) -> Record | str | None:
        """An entry's record, or its fault, or None where there is no entry."""
        try:
            found = records.read(folder)
            fault = compare(folder / TREE, found.manifest, digests=digests)
        except (OSError, ValueError, DamagedError) as error:
            # Where it was removed meanwhile, there is none.
            return f"its record cannot be read ({error})" if os.path.lexists(folder) else None
        if fault is None and not (atomic.is_folder(folder / TREE)):
            fault = f"its {TREE} is no folder"
        if fault is None and not found.vouched:
            with suppress(OSError):  # a full disk, for example: it is as good as before
                atomic.write(folder / records.SUMS, found.sums)
        return fault or found.record

    def commit(  # noqa: PLR0913  # named at the call
        self,
        key: str,
        out: Path,
        record: Record,
        at_most: int = MOST,
        *,
        expected: str = "",
        vouched: str = "",
    ) -> Entry:
        """Publish `out` as the entry for `key`: read-only, listed, in one rename.

        `vouched` is the key of the checks that a restored entry's signers vouch for. Raises `Unfit`
        for what cannot be published, or has more than `at_most` bytes, and `OtherTree` if a digest
        of the tree is `expected` and it has another.
        """
        manifest = seal(out, at_most)
        if expected and (found := tree_digest(manifest)) != expected:
            raise errors.OtherTree(out, expected, found)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        size = sum(row[0] for row in manifest.values() if isinstance(row[0], int))
        record = dataclasses.replace(record, bytes=size)
        try:
            records.write(aside, key, record, manifest)
            (aside / CHECKS).mkdir()
            if vouched:
                Marks(aside / CHECKS).vouch(vouched)
            self._move(out, aside / TREE)
            aside.chmod(0o755)
            entry = self._publish(key, aside, record)
        except OSError:
            remove(aside)
            raise
        self._compared.add(key)
        return entry

    def _move(self, out: Path, tree: Path) -> None:
        try:
            out.rename(tree)
        except OSError as error:
            if error.errno == errno.EXDEV:  # a folder of one device that is mounted twice
                raise errors.SeveralFileSystems(out.parent, self.root) from error
            raise

    def _publish(self, key: str, aside: Path, record: Record) -> Entry:
        """Rename an entry into its place, if no whole one is there."""
        folder = self.root / key
        try:
            aside.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            if isinstance(theirs := self._look(key, digests=False), Entry):
                remove(aside)  # somebody else was first; theirs is as good
                return theirs
            remove(folder)
            aside.rename(folder)
        return Entry(key=key, folder=folder, record=record)

    def marks(self, key: str) -> Marks:
        """The verdicts on an entry."""
        return Marks(self.root / key / CHECKS)

    def is_as_before(self, entry: Entry) -> bool:
        """Whether an entry is, file by file, what was refused under its key before."""
        try:
            before, now = (
                timeless(records.read(folder).manifest)
                for folder in (self.refused / entry.key, entry.folder)
            )
        except (OSError, DamagedError):
            return False
        return before == now

    def set_aside(self, key: str) -> Path | None:
        """Move an entry that was refused out of the store, in the place of an earlier one of its
        key; where it lies now, or None if there is none. The next run builds it again."""
        aside = self.refused / key
        self.refused.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            remove(aside)
            (self.root / key).rename(aside)
            return aside
        return None

    def drop(self, key: str) -> None:
        """Forget an entry."""
        self._compared.discard(key)
        remove(self.root / key)

    def entries(self) -> Iterator[tuple[str, Record, float]]:
        """Key, record and time of last use (seconds since 1970) of everything there is."""
        for folder in sorted(self.root.glob("[!.]*")):
            try:
                record = records.record_of(folder)
                used = (folder / records.STAGE).stat().st_mtime
            except (OSError, DamagedError):
                # A record that cannot be read is oldest of all: the next clean-up takes it.
                record, used = records.UNREADABLE, 0.0
            yield folder.name, record, used

    def drop_damaged(self) -> dict[str, str]:
        """Compare every file by digest and remove what differs; key -> fault. Refuses while a run
        uses the cache."""
        with self.alone():
            faults = self.verify()
            for key in faults:
                self.drop(key)
            return faults

    def verify(self) -> dict[str, str]:
        """Compare every file of every entry by digest; key -> fault of those that differ."""
        judged = {key: self._judged(self.root / key, digests=True) for key, _, _ in self.entries()}
        return {key: fault for key, fault in judged.items() if isinstance(fault, str)}


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
