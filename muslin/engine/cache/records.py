"""What an entry of the store says of itself, and what vouches for that.

    <entry>/stage.json     how it came to be
    <entry>/manifest.json  what its tree holds
    <entry>/SHA256SUMS     digests of these two: `cd <cache>/store; sha256sum -c <key>/SHA256SUMS`

An entry without sums, as older versions of Muslin wrote it, gets them at its next use: if its
document has the entry's key for a digest and its tree is as its manifest says.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from muslin.engine.cache.manifest import Manifest
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import Bytes, DamagedError, Seconds, Text
from muslin.engine.formats.canonical_json import digest

STAGE, MANIFEST, SUMS = "stage.json", "manifest.json", "SHA256SUMS"
RESTORED = "restored from"
"""Name in an entry's provenance."""
FILE, LINK, FOLDER = [int, int, int, str], [str, str], [str, int]
"""Types in the rows of a manifest."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of how an entry came to be."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    name: Text
    document: dict[str, Any]
    wall_seconds: Seconds
    cpu_seconds: Seconds
    built_with: dict[Text, Text]
    """Provenance: programs of the host that took part and are not in the key."""
    memory: Bytes = 0
    """Bytes of the largest process."""
    bytes: Bytes = 0

    @property
    def restored_from(self) -> str:
        """The place of the shared store that the entry was taken from; empty if it was built."""
        return self.built_with.get(RESTORED, "")


RECORD = TypeAdapter(Record)
UNREADABLE = Record(name="unreadable", document={}, wall_seconds=0, cpu_seconds=0, built_with={})
"""Stands for a record that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """An entry's record and manifest, and what vouches for them."""

    record: Record
    manifest: Manifest
    sums: str
    """The text that SHA256SUMS has, or is to have."""
    vouched: bool
    """Whether it has it; false for an entry that has no sums yet."""


def read(folder: Path) -> Description:
    """Read what an entry says of itself; raises `DamagedError`, or `FileNotFoundError` where its
    record or manifest is absent."""
    stage, manifest = (atomic.read(folder / name) for name in (STAGE, MANIFEST))
    sums = sums_of(folder.name, stage, manifest)
    try:
        vouched = atomic.read(folder / SUMS) == sums.encode()
        if not vouched:
            raise DamagedError(f"{STAGE}, {MANIFEST} or {SUMS} was changed, or is another entry's")
    except FileNotFoundError:
        vouched = False
    record = atomic.parsed(stage, RECORD, STAGE)
    if not vouched and digest(record.document) != folder.name:
        raise DamagedError(f"{STAGE} is another entry's: its document has another key")
    return Description(
        record=record, manifest=listed(manifest, vouched=vouched), sums=sums, vouched=vouched
    )


def write(folder: Path, name: str, record: Record, manifest: Manifest) -> None:
    """Write what the entry `name` says of itself into a new folder."""
    stage = json.dumps(dataclasses.asdict(record), indent=1).encode()
    rows = json.dumps(manifest).encode()
    for file, content in (
        (STAGE, stage),
        (MANIFEST, rows),
        (SUMS, sums_of(name, stage, rows).encode()),
    ):
        (folder / file).write_bytes(content)


def sums_of(name: str, stage: bytes, manifest: bytes) -> str:
    """The sums of an entry called `name`, in the form of sha256sum(1)."""
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}/{file}\n"
        for file, content in ((STAGE, stage), (MANIFEST, manifest))
    )


def record_of(folder: Path) -> Record:
    """An entry's record alone, for lists of entries; raises as `read`."""
    return atomic.parsed(atomic.read(folder / STAGE), RECORD, STAGE)


def listed(content: bytes, *, vouched: bool) -> Manifest:
    """Parse a manifest; raises `DamagedError`.

    Rows of a manifest that its sum vouches for are as they were written: to look at the types in
    30 000 rows takes as long as to read them.
    """
    manifest = atomic.loaded(content, MANIFEST)
    if not isinstance(manifest, dict):
        raise DamagedError(f"{MANIFEST} is no list of files")
    for name, row in () if vouched else manifest.items():
        if not isinstance(row, list) or not _is_row(row):
            raise DamagedError(f"{MANIFEST}: {name!r} has no such row")
    return manifest


def _is_row(row: list[Any]) -> bool:
    types = [type(value) for value in row]
    if types == FILE:
        return True
    return (types == LINK and row[0] == "link") or (types == FOLDER and row[0] == "dir")
