"""Stage -> key: the SHA-256 of the canonical JSON of everything that can change the output."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from muslin.engine.formats.canonical_json import Document, digest
from muslin.engine.source import Source, Tree
from muslin.engine.stage import Host, Stage

FORMAT = 3
"""Raised when the shape of the document changes, or what an entry may look like; every stage is
rebuilt then. 3: file modes no longer depend on the umask."""


class Keys:
    """The keys of one graph on one host; each stage is looked at once."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._documents: dict[int, Document] = {}
        self._keys: dict[int, str] = {}
        self._proofs: dict[int, str] = {}
        # Ids are only good while their stages live.
        self._alive: list[Stage] = []

    def of(self, stage: Stage) -> str:
        """The stage's key, 64 hexadecimal digits."""
        if id(stage) not in self._keys:
            self._keys[id(stage)] = digest(self.document(stage))
        return self._keys[id(stage)]

    def document(self, stage: Stage) -> Document:
        """What the key is the digest of; the answer to "why did this rebuild?"."""
        if id(stage) not in self._documents:
            self._alive.append(stage)
            self._documents[id(stage)] = self._written(stage)
        return self._documents[id(stage)]

    def scratch_of(self, stage: Stage) -> str:
        """The loose key of a stage's scratch folder: its document less what may change beneath."""
        document = dict(self.document(stage))
        for name in ("sources", "trees"):
            del document[name]
        document["needs"] = {a: key for a, key in document["needs"].items() if a in stage.scratch}
        return digest(document)

    def checks_of(self, stage: Stage) -> str:
        """The key of a stage's checks upon its output: the rules and the programs that judge."""
        return digest(
            {
                "stage": self.of(stage),
                "checks": [_plain(check) for check in stage.checks],
                "judges": {alias: self.of(judge) for alias, judge in stage.judges},
            }
        )

    def proof_of(self, stage: Stage) -> str:
        """The key of a stage's checks and those of everything it was made from: a stricter check
        of a compiler concerns each program that came out of it."""
        if id(stage) not in self._proofs:
            needs = {alias: self.proof_of(need) for alias, need in stage.needs}
            self._proofs[id(stage)] = digest({"checks": self.checks_of(stage), "needs": needs})
        return self._proofs[id(stage)]

    def _written(self, stage: Stage) -> Document:
        document: Document = {
            "format": FORMAT,
            "steps": [_plain(step) for step in stage.steps],
            "sources": {alias: source.sha256 for alias, source in stage.sources},
            "trees": {alias: [_plain(file) for file in tree.files] for alias, tree in stage.trees},
            "needs": {alias: self.of(need) for alias, need in stage.needs},
            "env": dict(stage.env),
            "path": list(stage.path),
            "runs_on": stage.runs_on,
        }
        if stage.runs_on == "host":
            document["host"] = dataclasses.asdict(self.host)
        return document


@functools.cache
def _keyed(kind: type) -> tuple[tuple[str, Any], ...]:
    """Names and defaults of a dataclass's fields that are in keys."""
    fields = dataclasses.fields(kind)
    return tuple((one.name, one.default) for one in fields if one.metadata.get("key", True))


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    """Data as JSON. A field at its default is left out: adding a field rebuilds nothing."""
    if isinstance(value, str):  # most of them
        return value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        assert not isinstance(value, Stage | Source | Tree), "these are keyed by digest"
        plain = {"type": getattr(value, "key_name", type(value).__name__)}
        if revision := getattr(value, "revision", None):
            plain["revision"] = revision
        for name, default in _keyed(type(value)):
            content = getattr(value, name)
            if content != default:
                plain[name] = _plain(content)
        return plain
    assert value is None or isinstance(value, int | float | bool), type(value)
    return value


def flat(document: Document, prefix: str = "") -> dict[str, str]:
    """The document as `path -> text`, to compare two of them field by field."""
    rows: dict[str, str] = {}
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            rows |= flat(value, f"{path}.")
        elif isinstance(value, list):
            rows |= flat({str(index): item for index, item in enumerate(value)}, f"{path}.")
        else:
            rows[path] = str(value)
    return rows
