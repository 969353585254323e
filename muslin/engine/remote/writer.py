"""Put what was built here and passed its checks on a remote, signed."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from muslin.engine.cache import layout, records, store
from muslin.engine.cache.manifest import tree_digest
from muslin.engine.cache.store import Entry, Store
from muslin.engine.errors import BrokenArchive, Unfit, UnsafeArchive
from muslin.engine.fetch.failures import Fault
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.remote import action, envelope, packed, statement, travel
from muslin.engine.remote.access import Access, Miss, Vouched
from muslin.engine.remote.action import Blob, Signed
from muslin.engine.remote.client import Refused
from muslin.engine.remote.packed import Bomb
from muslin.engine.remote.reader import Reader
from muslin.engine.remote.statement import Digest, Resource

if TYPE_CHECKING:
    from muslin.engine.remote.signing import PrivateKey

SHOWN = 3
"""Ties to this machine that are named."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An entry that passed its checks here, and what is to be said of it."""

    entry: Entry
    target: str
    checks: str
    """The key of the checks that it passed."""
    proof: str
    """As in `Wanted`."""
    dependencies: tuple[Resource, ...]
    at_most: int


# Long: one queue, with its thread and all that it may find.
@dataclass(kw_only=True)
class Writer:
    """Signs and writes entries."""

    access: Access
    reader: Reader
    store: Store
    key: PrivateKey
    places: tuple[str, ...]
    """Paths of this machine that no entry may name."""
    version: str
    """Of Muslin."""
    done: Callable[[str, int], None]
    """Takes the name of a stage that was pushed, and the bytes of its packed entry."""
    is_off: bool = field(default=False)
    """Whether the remote does not let us write."""

    def push(self, offer: Offer) -> bool:
        """Put an entry on the remote, unless it has it; whether it has it now. Whatever fails is
        said and ends nothing."""
        if self.access.is_off or self.is_off:
            return False
        name = offer.entry.record.name
        try:
            if ties := list(itertools.islice(travel.ties(offer.entry.tree, self.places), SHOWN)):
                self.access.tell(f"{name} is not shared: {'; '.join(map(str, ties))}")
            else:
                return self._push(offer)
        except Refused as fault:
            self.is_off = True
            self.access.tell(f"the shared store {self.access.remote.place} {fault}")
        except Fault as fault:
            self.access.give_up(fault)
        except (Miss, DamagedError, Unfit, OSError) as error:
            if not self.access.cancelled.is_set():
                self.access.tell(f"{name} is not shared: {str(error).splitlines()[0]}")
        return False

    def _push(self, offer: Offer) -> bool:
        key = offer.entry.key
        tree = tree_digest(records.read(offer.entry.folder).manifest)
        signed = self.access.signed(key) or ()
        known = self._known(key, signed)
        for other in known:
            if other.statement.entry.tree.sha256 != tree:
                self._differs(offer, tree, other)
                return False
        own = self.key.public.id
        entries = {one.entry for one in known if one.entry is not None}
        said = any(one.signer == own and one.statement.entry.proof == offer.proof for one in known)
        if said and entries:
            return True
        size = self._write(offer, tree, signed, is_there=bool(entries))
        self.access.patience.renew()
        self.done(offer.entry.record.name, size)
        return True

    def _known(self, key: str, signed: tuple[Signed, ...]) -> list[Vouched]:
        """The records that we or those whom we trust have signed."""
        keys = {**self.access.trusted, self.key.public.id: self.key.public}
        known = []
        for one in signed:
            try:
                known.append(self.access.vouched(key, one, keys))
            except Miss:
                continue  # of others, or damaged: it is written again
        return known

    def _write(self, offer: Offer, tree: str, signed: tuple[Signed, ...], *, is_there: bool) -> int:
        """Blob before record before action: what an action names is there. Bytes of the blob."""
        key, remote = offer.entry.key, self.access.remote
        archive = self.store.work / f"{key[:20]}-packed-{os.getpid()}"
        archive.unlink(missing_ok=True)
        try:
            blob = packed.pack(offer.entry.tree, archive, before_each=self._go_on)
            record = envelope.sealed(self._statement(offer, tree, blob), self.key)
            if not is_there:
                with archive.open("rb") as file:
                    remote.put_blob(blob.sha256, blob.size, file)
        finally:
            archive.unlink(missing_ok=True)
        written = Blob(sha256=hashlib.sha256(record).hexdigest(), size=len(record))
        remote.put_blob(written.sha256, written.size, io.BytesIO(record))
        signer = self.key.public.id[: action.ID]
        others = [one for one in signed if one.signer != signer][: action.MOST - 1]
        ours = Signed(signer=signer, record=written, entry=None if is_there else blob)
        remote.put_action(key, action.written([*others, ours]))
        return blob.size

    def _statement(self, offer: Offer, tree: str, blob: Blob) -> bytes:
        entry = offer.entry
        files, size = packed.size(entry.tree)
        about = statement.Entry(
            key=entry.key,
            document=Digest(sha256=entry.key),
            tree=Digest(sha256=tree),
            packed_bytes=blob.size,
            unpacked_bytes=size,
            files=files,
            checks=offer.checks,
            proof=offer.proof,
            cpu_seconds=entry.record.cpu_seconds,
            wall_seconds=entry.record.wall_seconds,
            memory=entry.record.memory,
            built_with=entry.record.built_with,
        )
        builder = statement.Builder(
            id=statement.BUILDER_URI.format(self.key.public.id), version={"muslin": self.version}
        )
        name = f"{entry.record.name}.tar.zst"
        return statement.Statement(
            subject=(Resource(name=name, digest=Digest(sha256=blob.sha256)),),
            predicate=statement.Provenance(
                build_definition=statement.Definition(
                    external_parameters=statement.Stage(
                        stage=entry.record.name, target=offer.target
                    ),
                    internal_parameters=about,
                    resolved_dependencies=offer.dependencies,
                ),
                run_details=statement.Details(builder=builder),
            ),
        ).written()

    def _go_on(self) -> None:
        if self.access.cancelled.is_set():
            raise Miss("the run ends")

    def _differs(self, offer: Offer, tree: str, other: Vouched) -> None:
        """Report and keep what another builder made of the same key."""
        entry = offer.entry
        theirs = other.statement.entry.tree.sha256
        kept = "their tree could not be fetched"
        if other.entry is not None and (folder := self._kept(offer, other)) is not None:
            kept = f"theirs is kept in {folder}, ours is {entry.tree}: diffoscope compares them"
        self.access.tell(
            f"{entry.record.name} is not reproducible: this run built the tree {tree}, and the "
            f"shared store has {theirs}, signed by {other.signer[: action.ID]}. {kept}. "
            "The shared store keeps its own"
        )

    def _kept(self, offer: Offer, other: Vouched) -> Path | None:
        above = self.store.cache / layout.DIFFERING
        folder = above / offer.entry.key
        above.mkdir(exist_ok=True)
        atomic.remove(folder)
        folder.mkdir()
        try:
            return self.reader.unpacked(other, folder, at_most=offer.at_most)
        except (Miss, Bomb, BrokenArchive, UnsafeArchive):
            store.remove(folder)
            return None
