"""A store in somebody's hands: whatever is changed, nothing wrong is taken and nothing crashes.

An attacker is consistent: names that are digests are made to fit what was changed. The last tests
are of one who has a trusted key: what is unpacked is held to what was signed all the same.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from backports import zstd

from muslin.engine.cache import records
from muslin.engine.cache.manifest import tree_digest
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Entry, Store
from muslin.engine.formats import canonical_json
from muslin.engine.remote import action, envelope, signing, statement
from muslin.engine.remote.access import Access
from muslin.engine.remote.action import Blob, Signed
from muslin.engine.remote.patience import Patience
from muslin.engine.remote.reader import Reader, Wanted
from muslin.engine.remote.signing import PrivateKey
from muslin.engine.remote.writer import Offer, Writer

MOST = 50_000_000
PLACE = "memory:"
Blobs = dict[str, bytes]


@dataclass
class Held:
    """A remote in memory."""

    actions: Blobs = field(default_factory=dict)
    blobs: Blobs = field(default_factory=dict)
    place: str = PLACE

    def action(self, key: str) -> bytes | None:
        return self.actions.get(key)

    def blob(self, sha256: str, take: Callable[[bytes], object]) -> bool:
        content = self.blobs.get(sha256)
        for at in range(0, len(content or b""), 4096):
            take((content or b"")[at : at + 4096])
        return content is not None

    def put_blob(self, sha256: str, size: int, content: IO[bytes]) -> None:
        self.blobs[sha256] = content.read()
        assert len(self.blobs[sha256]) == size

    def put_action(self, key: str, action: bytes) -> None:
        self.actions[key] = action

    def add(self, content: bytes) -> Blob:
        """Hold a blob under its own digest."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.blobs[sha256] = content
        return Blob(sha256=sha256, size=len(content))


@dataclass
class Lab:
    """A store with two entries, and a cache that would take them."""

    held: Held
    key: PrivateKey
    store: Store
    documents: dict[str, dict[str, Any]]
    """The documents of the two keys."""
    trees: dict[str, str]
    """The digests of the two true trees."""
    told: list[str] = field(default_factory=list)

    def signed(self, key: str) -> Signed:
        """What the true action of a key names."""
        (one,) = action.read(self.held.actions[key])
        return one

    def record(self, key: str) -> bytes:
        return self.held.blobs[self.signed(key).record.sha256]

    def entry(self, key: str) -> bytes:
        blob = self.signed(key).entry
        assert blob is not None
        return self.held.blobs[blob.sha256]

    def statement(self, key: str) -> dict[str, Any]:
        bundle = json.loads(self.record(key))
        said: dict[str, Any] = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        return said

    def take(self, held: Held, key: str) -> str:
        """Ask for a key; what became of it: `missed`, `right` or `wrong`."""
        access = Access(
            remote=held,
            patience=Patience(),
            trusted={self.key.public.id: self.key.public},
            threshold=1,
            tell=self.told.append,
            cancelled=threading.Event(),
        )
        wanted = Wanted(
            name="stage", key=key, document=self.documents[key], proof="0" * 64, at_most=MOST
        )
        Reader(access=access, store=self.store).take(wanted)
        entry = self.store.find(key)
        left = list(self.store.work.iterdir())
        assert not left, left
        if entry is None:
            return "missed"
        found = tree_digest(records.read(entry.folder).manifest)
        self.store.drop(key)
        return "right" if found == self.trees[key] else "wrong"

    def changed(self, key: str, *, record: bytes | None = None, entry: bytes | None = None) -> Held:
        """The store with another record or entry, all names made to fit."""
        held = Held(dict(self.held.actions), dict(self.held.blobs))
        signed = self.signed(key)
        new = Signed(
            signer=signed.signer,
            record=signed.record if record is None else held.add(record),
            entry=signed.entry if entry is None else held.add(entry),
        )
        held.actions[key] = action.written([new])
        return held

    def without(self, blob: Blob) -> Held:
        """The store, one blob missing."""
        rest = {name: text for name, text in self.held.blobs.items() if name != blob.sha256}
        return Held(self.held.actions, rest)

    def resigned(self, key: str, statement: dict[str, Any], entry: bytes) -> Held:
        """The store with another statement, signed by the trusted key itself."""
        record = envelope.sealed(canonical_json.written(statement), self.key)
        return self.changed(key, record=record, entry=entry)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Two entries that were pushed."""
    root = tmp_path_factory.mktemp("lab")
    signing.generate(root / "key", "")
    key = signing.private(root / "key", "")
    held, there = Held(), Store(root / "there")
    lab = Lab(held=held, key=key, store=Store(root / "here"), documents={}, trees={})
    access = Access(
        remote=held,
        patience=Patience(),
        trusted={},
        threshold=1,
        tell=lab.told.append,
        cancelled=threading.Event(),
    )
    writer = Writer(
        access=access,
        reader=Reader(access=access, store=there),
        store=there,
        key=key,
        places=("/nowhere/",),
        version="0",
        done=lambda *_: None,
    )
    for word in ("one", "two"):
        entry = made(there, word)
        lab.documents[entry.key] = entry.record.document
        lab.trees[entry.key] = tree_digest(records.read(entry.folder).manifest)
        writer.push(
            Offer(
                entry=entry,
                target="",
                checks="1" * 64,
                proof="2" * 64,
                dependencies=(),
                at_most=MOST,
            )
        )
    assert lab.told == []
    assert len(held.actions) == 2
    return lab


def made(store: Store, word: str) -> Entry:
    out = store.work / word
    (out / "bin").mkdir(parents=True)
    (out / "bin" / "say").write_text(f"#!/bin/sh\necho {word}\n")
    (out / "bin" / "say").chmod(0o755)
    (out / "bin" / "link").symlink_to("say")
    document = {"word": word}
    record = Record(
        name=word, document=document, wall_seconds=1.0, cpu_seconds=1.0, built_with={"gcc": "12"}
    )
    return store.commit(canonical_json.digest(document), out, record)


def flips(content: bytes, *, step: int = 1) -> Iterator[bytes]:
    """Each byte, or every so many of them, as another: near, far, and what JSON makes much of."""
    for at in range(0, len(content), step):
        for new in {content[at] ^ 1, content[at] ^ 0x20, 0x22, 0x30, 0x00} - {content[at]}:
            yield content[:at] + bytes([new]) + content[at + 1 :]


def cuts(content: bytes, *, step: int = 1) -> Iterator[bytes]:
    """Each length, and more than there is."""
    for at in range(0, len(content), step):
        yield content[:at]
    yield content + b"\0"
    yield content + b" "
    yield content + content


def outcomes(lab: Lab, key: str, stores: Iterable[Held]) -> dict[str, int]:
    counted = {"missed": 0, "right": 0, "wrong": 0}
    for held in stores:
        counted[lab.take(held, key)] += 1
    return counted


def first(lab: Lab) -> str:
    return next(iter(lab.held.actions))


def test_what_nobody_changed_is_taken(lab: Lab) -> None:
    for key in lab.held.actions:
        assert lab.take(lab.held, key) == "right"
    assert lab.told == []


def test_actions(lab: Lab) -> None:
    """Nothing in them is signed, so that a change may have no effect; it has no other."""
    key, content = first(lab), lab.held.actions[first(lab)]
    rest = {name: text for name, text in lab.held.actions.items() if name != key}
    mutants = [*flips(content), *cuts(content)]
    counted = outcomes(
        lab, key, (Held({**rest, key: mutant}, lab.held.blobs) for mutant in mutants)
    )
    assert counted["wrong"] == 0
    assert counted["missed"] > 1500
    assert counted["right"] < 150  # in the names of keys with a default, and behind white space


def test_records(lab: Lab) -> None:
    key = first(lab)
    content = lab.record(key)
    mutants = [*flips(content, step=3), *cuts(content, step=9)]
    counted = outcomes(lab, key, (lab.changed(key, record=mutant) for mutant in mutants))
    assert counted == {"missed": len(mutants), "right": 0, "wrong": 0}
    assert len(mutants) > 2000


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_what_is_in_a_record(lab: Lab, part: str) -> None:
    key = first(lab)
    bundle = json.loads(lab.record(key))
    inner = bundle["dsseEnvelope"] if part == "payload" else bundle["dsseEnvelope"]["signatures"][0]
    true = base64.b64decode(inner[part])

    def stores() -> Iterator[Held]:
        for mutant in (*flips(true), *cuts(true, step=7)):
            inner[part] = base64.b64encode(mutant).decode()
            yield lab.changed(key, record=canonical_json.written(bundle))

    counted = outcomes(lab, key, stores())
    assert counted["right"] == counted["wrong"] == 0
    assert counted["missed"] > 250


def test_key_ids(lab: Lab) -> None:
    key, own = first(lab), lab.key.public.id
    content = lab.record(key)
    others = ["", "0" * 64, own.upper(), own[:16], f"{own} ", f"{own}\u0000", own[::-1]]
    mutants = [content.replace(own.encode(), json.dumps(other)[1:-1].encode()) for other in others]
    mutants += [content.replace(f'"{own}"'.encode(), b"null"), content.replace(b'"hint"', b'"x"')]
    counted = outcomes(lab, key, (lab.changed(key, record=mutant) for mutant in mutants))
    assert counted == {"missed": len(mutants), "right": 0, "wrong": 0}


def test_blobs(lab: Lab) -> None:
    key = first(lab)
    content = lab.entry(key)
    blob = lab.signed(key).entry
    assert blob is not None
    mutants = [*flips(content), *cuts(content)]
    renamed = (lab.changed(key, entry=mutant) for mutant in mutants)
    # ... or in the place of the true one.
    replaced = (
        Held(lab.held.actions, {**lab.held.blobs, blob.sha256: mutant}) for mutant in mutants
    )
    for stores in (renamed, replaced):
        counted = outcomes(lab, key, stores)
        assert counted == {"missed": len(mutants), "right": 0, "wrong": 0}
    assert len(mutants) > 700


def test_swaps_and_replays(lab: Lab) -> None:
    one, two = lab.held.actions
    stores = [
        Held({one: lab.held.actions[two], two: lab.held.actions[one]}, lab.held.blobs),
        lab.changed(one, record=lab.record(two)),
        lab.changed(one, entry=lab.entry(two)),
        lab.changed(one, record=lab.record(two), entry=lab.entry(two)),
        lab.changed(one, record=lab.entry(one), entry=lab.record(one)),
        Held(lab.held.actions, {}),
        *(lab.without(blob) for blob in (lab.signed(one).record, lab.signed(one).entry) if blob),
    ]
    assert outcomes(lab, one, stores) == {"missed": len(stores), "right": 0, "wrong": 0}


def test_a_blob_without_an_end_is_not_read_to_it(lab: Lab) -> None:
    key = first(lab)
    (record, entry), sent = (lab.signed(key).record, lab.signed(key).entry), list[int]()

    class Endless(Held):
        def blob(self, sha256: str, take: Callable[[bytes], object]) -> bool:
            if sha256 == record.sha256:
                return super().blob(sha256, take)
            for at in range(1000):
                sent.append(at)
                take(b"\0" * 4096)
            return True

    assert lab.take(Endless(lab.held.actions, lab.held.blobs), key) == "missed"
    assert entry is not None
    assert sent == list(range(entry.size // 4096 + 1))


def test_other_signers(lab: Lab, tmp_path: Path) -> None:
    """Everything is right but the key."""
    signing.generate(tmp_path / "key", "")
    other = signing.private(tmp_path / "key", "")
    key = first(lab)
    payload = canonical_json.written(lab.statement(key))
    forged = envelope.sealed(payload, other)
    claimed = forged.replace(other.public.id.encode(), lab.key.public.id.encode())
    stores = [lab.changed(key, record=record) for record in (forged, claimed)]
    filed = Signed(
        signer=other.public.id[: action.ID],
        record=stores[0].add(forged),
        entry=lab.signed(key).entry,
    )
    stores[0].actions[key] = action.written([filed])
    assert outcomes(lab, key, stores) == {"missed": 2, "right": 0, "wrong": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>log in</body></html>",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"outputFiles":null}',
        b"[" * 100_000,
        b'{"outputFiles":' * 5_000,
        b'{"exitCode":' + b"9" * 5_000 + b"}",
        b'{"exitCode":NaN}',
        b'{"outputFiles":[{"path":"record-'
        + b"0" * 16
        + b'.json","digest":{"hash":"'
        + b"0" * 64
        + b'","sizeBytes":"99999999999999999999"}}]}',
    ],
    ids=lambda content: content[:20].decode(errors="replace"),
)
def test_what_is_no_action_and_no_record(lab: Lab, content: bytes) -> None:
    key = first(lab)
    stores = [
        Held({key: content}, lab.held.blobs),
        lab.changed(key, record=content),
        lab.changed(key, entry=content),
    ]
    assert outcomes(lab, key, stores) == {"missed": 3, "right": 0, "wrong": 0}


# --- one who has a trusted key ---


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return zstd.compress(packed.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o755
    return info


BAD = {
    "above": [(member("../out"), b"x")],
    "absolute": [(member("/tmp/out"), b"x")],  # noqa: S108  # nothing is written there
    "link above": [(member("link", tarfile.SYMTYPE, "../../out"), b"")],
    "absolute link": [(member("link", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "through a link": [(member("a", tarfile.SYMTYPE, "."), b""), (member("a/b"), b"x")],
    "hard link": [(member("link", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "device": [(member("null", tarfile.CHRTYPE), b"")],
    "FIFO": [(member("fifo", tarfile.FIFOTYPE), b"")],
    "large": [(member("zeros"), b"\0" * 30_000_000)],
    "many": [(member(str(at)), b"") for at in range(2000)],
    "deep": [(member("/".join("d" * 1000)), b"x")],
    "another": [(member("bin/say"), b"another")],
    "nothing": [],
}


@pytest.mark.parametrize("kind", BAD)
def test_trees_that_are_not_what_was_signed(lab: Lab, kind: str) -> None:
    key = first(lab)
    entry, said = archive(*BAD[kind]), lab.statement(key)
    about = said["predicate"]["buildDefinition"]["internalParameters"]
    said["subject"][0]["digest"]["sha256"] = hashlib.sha256(entry).hexdigest()
    about["packedBytes"] = len(entry)
    assert lab.take(lab.resigned(key, said, entry), key) == "missed"
    about["unpackedBytes"], about["files"] = MOST, 10_000  # as if it were meant to be so
    assert lab.take(lab.resigned(key, said, entry), key) == "missed"


def test_the_true_tree_in_another_archive_is_taken(lab: Lab) -> None:
    """So that the test above fails for its reason alone."""
    key, said = first(lab), lab.statement(first(lab))
    entry = zstd.compress(zstd.decompress(lab.entry(key)), 9)
    about = said["predicate"]["buildDefinition"]["internalParameters"]
    said["subject"][0]["digest"]["sha256"] = hashlib.sha256(entry).hexdigest()
    about["packedBytes"] = len(entry)
    assert lab.take(lab.resigned(key, said, entry), key) == "right"


@pytest.mark.parametrize(
    ("field_", "value"),
    [
        ("key", "0" * 64),
        ("document", {"sha256": "0" * 64}),
        ("tree", {"sha256": "0" * 64}),
        ("packedBytes", 1),
        ("packedBytes", 9_000_000_000),
        ("unpackedBytes", 1),
        ("unpackedBytes", MOST + 1),
        ("unpackedBytes", -1),
        ("files", 1),
        ("files", 2_000_000),
        ("checks", "none"),
        ("cpuSeconds", "NaN"),
        ("memory", 2**70),
        ("more", 1),
    ],
)
def test_statements_that_do_not_fit(lab: Lab, field_: str, value: object) -> None:
    key, said = first(lab), lab.statement(first(lab))
    said["predicate"]["buildDefinition"]["internalParameters"][field_] = value
    assert lab.take(lab.resigned(key, said, lab.entry(key)), key) == "missed"


def test_signers_who_disagree_are_both_left(lab: Lab, tmp_path: Path) -> None:
    signing.generate(tmp_path / "key", "")
    other = signing.private(tmp_path / "key", "")
    key, said = first(lab), lab.statement(first(lab))
    said["predicate"]["buildDefinition"]["internalParameters"]["tree"]["sha256"] = "0" * 64
    held = Held(dict(lab.held.actions), dict(lab.held.blobs))
    record = held.add(envelope.sealed(canonical_json.written(said), other))
    theirs = Signed(signer=other.public.id[: action.ID], record=record, entry=lab.signed(key).entry)
    held.actions[key] = action.written([lab.signed(key), theirs])
    told = list[str]()
    access = Access(
        remote=held,
        patience=Patience(),
        trusted={one.public.id: one.public for one in (lab.key, other)},
        threshold=1,
        tell=told.append,
        cancelled=threading.Event(),
    )
    wanted = Wanted(name="stage", key=key, document={}, proof="", at_most=MOST)
    assert Reader(access=access, store=lab.store).take(wanted) is None
    assert "trusted keys signed different trees" in told[0]


def test_a_statement_is_what_the_formats_say(lab: Lab) -> None:
    said = lab.statement(first(lab))
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert set(said["predicate"]) == {"buildDefinition", "runDetails"}
    assert statement.read(canonical_json.written(said)) is not None
