"""Take the entry of a key from a remote into the local store, if it is all that it should be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from muslin.engine.cache import records, store
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Entry, Store
from muslin.engine.errors import BrokenArchive, Unfit, UnsafeArchive
from muslin.engine.fetch.failures import Fault
from muslin.engine.formats.canonical_json import Document
from muslin.engine.remote import packed
from muslin.engine.remote.access import Access, Miss, Vouched
from muslin.engine.remote.action import Blob
from muslin.engine.remote.packed import Bomb

PACKED = 8_000_000_000
"""Bytes of a packed entry; the largest of a toolchain has some 100 MB."""
FILES = 1_000_000
"""Files, links and directories of an entry; the largest has 30 000."""
SPARE = 500_000_000
"""Bytes of the disk that stay free."""
ARCHIVE = "entry.tar.zst"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A stage that is asked for."""

    name: str
    key: str
    document: Document
    """What the key is the digest of."""
    proof: str
    """The key of its checks and of those of all that it is made from."""
    at_most: int
    """Bytes that its tree may have."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Takes entries from a remote."""

    access: Access
    store: Store

    def take(self, wanted: Wanted) -> Entry | None:
        """Restore an entry, without a mark of passed checks; None if it has to be built here, with
        a line if it could have been otherwise."""
        if self.access.is_off:
            return None
        try:
            return self._taken(wanted)
        except Fault as fault:
            self.access.give_up(fault)
        except Miss as miss:
            self._tell(wanted, str(miss))
        except (Bomb, BrokenArchive, UnsafeArchive, Unfit, OSError) as error:
            self._tell(wanted, str(error).splitlines()[0])
        return None

    def _tell(self, wanted: Wanted, why: str) -> None:
        if not self.access.cancelled.is_set():
            place = self.access.remote.place
            self.access.tell(f"{wanted.name} is not taken from the shared store {place}: {why}")

    def _taken(self, wanted: Wanted) -> Entry | None:
        if (accepted := self.access.accepted(wanted.key)) is None:
            return None
        found, signers = accepted
        about = found.statement.entry
        record = Record(
            name=wanted.name,
            document=wanted.document,
            wall_seconds=about.wall_seconds,
            cpu_seconds=about.cpu_seconds,
            memory=about.memory,
            built_with={
                **about.built_with,
                records.RESTORED: self.access.remote.place,
                "signed by": " ".join(sorted(signers)),
            },
        )
        with self.store.at_once(wanted.key) as mine:
            if not mine:  # another run has it in hand
                return None
            with self._directory(wanted.key) as folder:
                tree = self.unpacked(found, folder, at_most=wanted.at_most)
                entry = self.store.commit(
                    wanted.key,
                    tree,
                    record,
                    wanted.at_most,
                    expected=about.tree.sha256,
                    vouched=wanted.proof if about.proof == wanted.proof else "",
                )
        self.access.patience.renew()
        return entry

    @contextmanager
    def _directory(self, key: str) -> Iterator[Path]:
        folder = self.store.work / f"{key[:20]}-restored"
        store.remove(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            store.remove(folder)

    def unpacked(self, found: Vouched, folder: Path, *, at_most: int) -> Path:
        """Download and unpack an entry into a folder; its tree, not compared yet.

        Raises `Miss`, `Fault`, `Bomb`, `BrokenArchive`, `UnsafeArchive`.
        """
        about, blob = found.statement.entry, found.entry
        assert blob is not None
        self._insist_on_limits(found, blob, at_most)
        archive, tree = folder / ARCHIVE, folder / "tree"
        with archive.open("xb") as file:
            self.access.fetch(blob, file.write)
        packed.unpack_into(
            archive, tree, files=about.files, at_most=about.unpacked_bytes, before_each=self._go_on
        )
        archive.unlink()
        return tree

    def _go_on(self) -> None:
        if self.access.cancelled.is_set():
            raise Miss("the run ends")

    def _insist_on_limits(self, found: Vouched, blob: Blob, at_most: int) -> None:
        about = found.statement.entry
        for what, count, most in (
            ("bytes packed", blob.size, PACKED),
            ("bytes", about.unpacked_bytes, at_most),
            ("files", about.files, FILES),
        ):
            if count > most:
                raise Miss(f"it has {count} {what}, and {most} are the most")
        free = shutil.disk_usage(self.store.cache).free
        if free < blob.size + about.unpacked_bytes + SPARE:
            raise Miss(f"the disk has {free} bytes free, which are too few")
