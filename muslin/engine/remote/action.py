"""The action of a key: an ActionResult of the remote execution API v2 as JSON, which servers of the
Bazel layout parse, check for the presence of its blobs, and may write anew.

    {"outputFiles": [{"path": "entry-<id>.tar.zst", "digest": {"hash": …, "sizeBytes": "…"}},
                     {"path": "record-<id>.json", "digest": …}], "exitCode": 0}

`<id>` is the beginning of the id of the key that signed. Nothing here is signed: it only says
where to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from muslin.engine.formats import canonical_json

ID = 16
"""Digits of a key's id in a name."""
ENTRY, RECORD = "entry-{}.tar.zst", "record-{}.json"
RECORDED = re.compile(rf"record-([0-9a-f]{{{ID}}})\.json")
MOST = 8
"""Signers of one key; more are not read."""


class _Digest(BaseModel):
    model_config = ConfigDict(extra="ignore")
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(alias="sizeBytes", ge=0, lt=2**63)] = 0


class _Output(BaseModel):
    model_config = ConfigDict(extra="ignore")
    path: Annotated[str, Field(max_length=200)]
    digest: _Digest


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore")
    outputs: Annotated[tuple[_Output, ...], Field(alias="outputFiles", max_length=4 * MOST)] = ()
    code: Annotated[int, Field(alias="exitCode")] = 0


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A blob's digest and its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What one signer put there for a key."""

    signer: str
    """The beginning of the id of its key."""
    record: Blob
    entry: Blob | None
    """The packed tree; None if another signer's is the same."""


def read(content: bytes) -> tuple[Signed, ...]:
    """What an action names; nothing where it is none, or of an action that failed."""
    try:
        result = _Result.model_validate_json(content)
    except (ValidationError, ValueError):
        return ()
    if result.code:
        return ()
    blobs = {one.path: Blob(sha256=one.digest.hash, size=one.digest.size) for one in result.outputs}
    signers = [match[1] for path in blobs if (match := RECORDED.fullmatch(path))]
    return tuple(
        Signed(
            signer=signer,
            record=blobs[RECORD.format(signer)],
            entry=blobs.get(ENTRY.format(signer)),
        )
        for signer in signers[:MOST]
    )


def written(signed: Iterable[Signed]) -> bytes:
    """The action that names these."""
    outputs = [
        {"path": name.format(one.signer), "digest": _digest(blob)}
        for one in signed
        for name, blob in ((ENTRY, one.entry), (RECORD, one.record))
        if blob is not None
    ]
    return canonical_json.written({"outputFiles": outputs, "exitCode": 0})


def _digest(blob: Blob) -> dict[str, str]:
    # int64 is a string in the JSON of protocol buffers.
    return {"hash": blob.sha256, "sizeBytes": str(blob.size)}
