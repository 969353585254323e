"""What a remote has for a key, as far as trusted keys vouch for it."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from muslin.engine.fetch.failures import Fault
from muslin.engine.remote import action, envelope, statement
from muslin.engine.remote.action import Blob, Signed
from muslin.engine.remote.client import Remote
from muslin.engine.remote.patience import Patience
from muslin.engine.remote.statement import Statement

if TYPE_CHECKING:
    from muslin.engine.remote.signing import PublicKey


class Miss(Exception):
    """A remote has something for a key that is not used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """A record that a known key has signed for this key of a stage."""

    statement: Statement
    signer: str
    """The id of the key."""
    entry: Blob | None
    """Where the packed tree is; None if another signer's record says it."""


@dataclass(kw_only=True)
class Access:
    """A remote, who is believed, and whether it still answers."""

    remote: Remote
    patience: Patience
    trusted: Mapping[str, PublicKey]
    """By their ids."""
    threshold: int
    tell: Callable[[str], None]
    """Takes a line for a person."""
    cancelled: threading.Event
    is_off: bool = False
    """Whether the remote failed: it is left alone until the end of the run."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def give_up(self, fault: Fault) -> None:
        """Leave the remote alone from now on; said once."""
        with self._lock:
            if not self.is_off and not self.cancelled.is_set():
                self.tell(
                    f"the shared store {self.remote.place} {fault}; this run goes on without it"
                )
            self.is_off = True

    def fetch(self, blob: Blob, take: Callable[[bytes], object]) -> None:
        """Pass a blob on and compare it. Raises `Miss` as soon as it is another, `Fault`."""
        digest, size = hashlib.sha256(), 0

        def counted(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)
            if size > blob.size:
                raise Miss(f"the blob {blob.sha256[:16]} has more than its {blob.size} bytes")
            digest.update(chunk)
            take(chunk)

        if not self.remote.blob(blob.sha256, counted):
            raise Miss(f"the blob {blob.sha256[:16]} is missing")
        if size != blob.size or digest.hexdigest() != blob.sha256:
            raise Miss(f"the blob {blob.sha256[:16]} has another content than its name says")

    def signed(self, key: str) -> tuple[Signed, ...] | None:
        """What the remote's action names for a key; None if there is no action."""
        content = self.remote.action(key)
        return None if content is None else action.read(content)

    def vouched(self, key: str, signed: Signed, keys: Mapping[str, PublicKey]) -> Vouched:
        """Fetch and verify a record. Raises `Miss`, `Fault`."""
        if signed.record.size > envelope.LARGEST:
            raise Miss(f"its record has {signed.record.size} bytes")
        content = io.BytesIO()
        self.fetch(signed.record, content.write)
        try:
            opened = envelope.opened(content.getvalue(), keys)
        except envelope.Unsigned as error:
            raise Miss(str(error)) from error
        found = statement.read(opened.payload)
        if found is None:
            raise Miss("its record is of another kind, or of another version of Muslin")
        if not found.entry.key == found.entry.document.sha256 == key:
            raise Miss("its record is of another key")
        if not opened.key_id.startswith(signed.signer):
            raise Miss("its record is filed under another signer")
        entry = signed.entry
        if entry is not None and entry != Blob(sha256=found.packed, size=found.entry.packed_bytes):
            raise Miss("its record is of another entry")
        return Vouched(statement=found, signer=opened.key_id, entry=entry)

    def accepted(self, key: str) -> tuple[Vouched, frozenset[str]] | None:
        """The record of a key with its signers' ids, if enough trusted keys signed the same tree;
        None if the remote has nothing. Raises `Miss`, `Fault`."""
        signed = self.signed(key)
        if signed is None:
            return None
        faults = list[str]()
        trees = defaultdict[str, dict[str, Vouched]](dict)
        for found in self._all(key, signed, faults):
            trees[found.statement.entry.tree.sha256][found.signer] = found
        enough = [signers for signers in trees.values() if len(signers) >= self.threshold]
        if len(trees) > 1 and enough:
            raise Miss("trusted keys signed different trees: the stage is not reproducible")
        for signers in enough:
            for found in signers.values():
                if found.entry is not None:
                    return found, frozenset(signers)
        if trees and not enough:
            count = max(map(len, trees.values()))
            faults.append(f"{count} trusted key(s) signed it and {self.threshold} must")
        raise Miss(faults[0] if faults else "its action names no record with an entry")

    def _all(self, key: str, signed: tuple[Signed, ...], faults: list[str]) -> Iterator[Vouched]:
        for one in signed:
            try:
                yield self.vouched(key, one, self.trusted)
            except Miss as miss:
                faults.append(str(miss))
