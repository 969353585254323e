"""What a run takes from a shared store, and what it gives: goals first, downwards below misses."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from muslin.engine.cache import layout
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report, size
from muslin.engine.key import Keys
from muslin.engine.process import host_root
from muslin.engine.remote import errors
from muslin.engine.remote.access import Access
from muslin.engine.remote.client import Remote
from muslin.engine.remote.file_remote import FileRemote
from muslin.engine.remote.http_remote import HttpRemote
from muslin.engine.remote.patience import Patience
from muslin.engine.remote.reader import Reader, Wanted
from muslin.engine.remote.statement import KEY_URI, Digest, Resource
from muslin.engine.remote.terms import Terms
from muslin.engine.remote.writer import Offer, Writer
from muslin.engine.scheduler import Planned
from muslin.engine.source import Url
from muslin.engine.stage import Stage

CONNECTIONS = 8
INSIDE = (f"{host_root.CACHE}/{layout.STORE}/", f"{host_root.CACHE}/{layout.WORK}/")
"""Paths of the cache as programs in a host root see it."""
PUSHES = 2
"""Entries that are pushed at the same time, beside what is built."""


# Long: what is asked for and what is given, over one store.
@dataclass(kw_only=True)
class Sharing:
    """A run's use of a shared store. Nothing is read or asked before something is to be built."""

    terms: Terms
    store: Store
    report: Report
    places: tuple[str, ...]
    """Paths of this machine, beside the cache's, that no shared entry may name."""
    version: str
    """Of Muslin."""
    patience: Patience = field(default_factory=Patience)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _asked: set[str] = field(default_factory=set)
    """Keys of stages that the store was asked for."""
    _pushes: list[Future[bool]] = field(default_factory=list)

    def wanted(self, planned: Mapping[str, Planned], goals: Iterable[str]) -> list[Planned]:
        """The stages to ask for next, given the keys of goals: the uppermost that are to be built
        and were not asked for."""
        found, seen, left = list[Planned](), set[str](), list(goals)
        while left:
            if (key := left.pop()) in seen:
                continue
            seen.add(key)
            one = planned[key]
            if self._may_be_asked(one):
                found.append(one)
            else:
                left += one.after
        return found

    def _may_be_asked(self, one: Planned) -> bool:
        to_be_made = one.state == "build" and one.entry is None and not one.condemned
        return to_be_made and one.stage.shared and one.key not in self._asked

    def take(self, wanted: Iterable[Planned], keys: Keys) -> None:
        """Restore those that the store has; each is asked for once in a run.

        Raises what is wrong with the settings: `SigningMissing`, `KeyUnreadable`, `TooFewKeys`.
        """
        wanted = list(wanted)
        self._asked.update(one.key for one in wanted)
        if self._access.is_off or not self.terms.trusted:
            return
        with (
            self.report.busy("shared store"),
            ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="shared") as executor,
        ):
            try:
                taken = list(executor.map(lambda one: self._take(one, keys), wanted))
            except BaseException:
                self.cancelled.set()
                raise
        for one, entry in zip(wanted, taken, strict=True):
            if entry is not None:
                shown = f"{size(entry.record.bytes):>12}"
                self.report.stage_line(one.stage.name, "restored", shown)

    def _take(self, one: Planned, keys: Keys) -> Entry | None:
        return self._reader.take(
            Wanted(
                name=one.stage.name,
                key=one.key,
                document=keys.document(one.stage),
                proof=keys.proof_of(one.stage),
                at_most=one.stage.most,
            )
        )

    def push(self, stage: Stage, entry: Entry, keys: Keys) -> None:
        """Give an entry that was built here and has passed its checks, in the background."""
        if self.terms.key is None or not stage.shared or self._writer is None:
            return
        offer = Offer(
            entry=entry,
            target=stage.target,
            checks=keys.checks_of(stage),
            proof=keys.proof_of(stage),
            dependencies=tuple(_dependencies(stage, keys)),
            at_most=stage.most,
        )
        self._pushes.append(self._pusher.submit(self._writer.push, offer))

    def finish(self) -> int:
        """Wait for what is being pushed: each has its time, and a server that fails has no more.
        How many of these entries the store has now."""
        pushes, self._pushes = self._pushes, []
        if not pushes:
            return 0
        with self.report.busy("shared store"):
            return sum(push.result() for push in pushes)

    def abandon(self) -> None:
        """Leave what is being pushed: the run was interrupted."""
        self.cancelled.set()
        for push in self._pushes:
            push.cancel()

    @cached_property
    def _pusher(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(PUSHES, thread_name_prefix="push")

    @cached_property
    def _access(self) -> Access:
        try:
            from muslin.engine.remote import signing  # noqa: PLC0415  # an optional library
        except ModuleNotFoundError as error:
            raise errors.SigningMissing from error
        keys = [signing.public(path) for path in self.terms.trusted]
        trusted = {key.id: key for key in keys}
        if (keys or self.terms.key is None) and len(trusted) < self.terms.threshold:
            raise errors.TooFewKeys(self.terms.threshold, len(trusted))
        return Access(
            remote=self._remote,
            patience=self.patience,
            trusted=trusted,
            threshold=self.terms.threshold,
            tell=self.report.aside,
            cancelled=self.cancelled,
        )

    @cached_property
    def _remote(self) -> Remote:
        if self.terms.address.startswith("file://"):
            return FileRemote(Path(self.terms.address.removeprefix("file://")))
        return HttpRemote(
            address=self.terms.address,
            token=self.terms.token,
            patience=self.patience,
            cancelled=self.cancelled,
        )

    @cached_property
    def _reader(self) -> Reader:
        return Reader(access=self._access, store=self.store)

    @cached_property
    def _writer(self) -> Writer | None:
        """What pushes; None if there is nothing to write with, which is said."""
        from muslin.engine.remote import signing  # noqa: PLC0415  # `_access` has looked for it

        access, key = self._access, self.terms.key
        assert key is not None
        private = signing.private(key, self.terms.passphrase)
        if isinstance(self._remote, HttpRemote) and not self._remote.has_credentials:
            self.report.aside(
                f"nothing is pushed to {self._remote.place}: there are no credentials for it. Set "
                "MUSLIN_STORE_TOKEN or write an entry in ~/.netrc; they are sent over HTTPS only"
            )
            return None
        return Writer(
            access=access,
            reader=self._reader,
            store=self.store,
            key=private,
            places=(str(self.store.cache), *INSIDE, *self.places),
            version=self.version,
            done=lambda name, count: self.report.stage_line(name, "shared", f"{size(count):>12}"),
        )

    def prepare(self) -> None:
        """Raise, before anything is built, what is wrong with the settings, as `take`; and
        `KeyPublic`, `PassphraseWrong`."""
        _ = self._access
        if self.terms.key is not None:
            _ = self._writer, self._pusher


def _dependencies(stage: Stage, keys: Keys) -> Iterable[Resource]:
    """What an entry was made from."""
    for _, source in stage.sources:
        uri = next((one.address for one in source.origins if isinstance(one, Url)), None)
        yield Resource(name=source.name, uri=uri, digest=Digest(sha256=source.sha256))
    for alias, tree in stage.trees:
        for file in tree.files:
            yield Resource(name=f"{alias}/{file.path}", digest=Digest(sha256=file.sha256))
    for _, need in stage.needs:
        yield Resource(name=need.name, uri=KEY_URI.format(keys.of(need)))
