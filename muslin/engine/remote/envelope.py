"""A signed text: a DSSE envelope in a Sigstore bundle v0.3, which cosign verifies too.

    {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
     "verificationMaterial": {"publicKey": {"hint": <key id>}},
     "dsseEnvelope": {"payload": <base64>, "payloadType": "application/vnd.in-toto+json",
                      "signatures": [{"sig": <base64>}]}}

There is no `keyid` beside the signature: cosign 3.1.1 refuses one that is not its own kind of id.
Formats: the DSSE protocol of secure-systems-lab/dsse, v1; sigstore_bundle.proto of
sigstore/protobuf-specs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from muslin.engine.formats import canonical_json

if TYPE_CHECKING:
    from muslin.engine.remote.signing import PrivateKey, PublicKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST = 1 << 20
"""Bytes of a bundle."""


class Unsigned(Exception):
    """A bundle is not signed by a trusted key; the text says why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Signature(_Strict):
    sig: str


class _Envelope(_Strict):
    payload: str
    payload_type: Annotated[Literal["application/vnd.in-toto+json"], Field(alias="payloadType")]
    signatures: Annotated[tuple[_Signature, ...], Field(min_length=1, max_length=1)]


class _Hint(_Strict):
    hint: str


class _Material(_Strict):
    public_key: Annotated[_Hint, Field(alias="publicKey")]


class _Bundle(_Strict):
    media_type: Annotated[
        Literal["application/vnd.dev.sigstore.bundle.v0.3+json"], Field(alias="mediaType")
    ]
    material: Annotated[_Material, Field(alias="verificationMaterial")]
    envelope: Annotated[_Envelope, Field(alias="dsseEnvelope")]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A text, and who signed it."""

    payload: bytes
    key_id: str


def sealed(payload: bytes, key: PrivateKey) -> bytes:
    """The bundle of a text signed by a key, in its one form."""
    return _written(payload, key.sign(_encoded(payload)), key.public.id)


def opened(bundle: bytes, trusted: Mapping[str, PublicKey]) -> Opened:
    """The text of a bundle that one of these keys, by their ids, has signed. Raises `Unsigned`.

    A bundle has one form only: whatever could be changed beside the signed text makes it another.
    """
    if len(bundle) > LARGEST:
        raise Unsigned(f"the record has more than {LARGEST} bytes")
    try:
        found = _Bundle.model_validate_json(bundle)
        (signature,) = found.envelope.signatures
        payload = base64.b64decode(found.envelope.payload, validate=True)
        sig = base64.b64decode(signature.sig, validate=True)
    except (ValidationError, ValueError) as error:
        raise Unsigned("the record is no Sigstore bundle with a DSSE envelope") from error
    hint = found.material.public_key.hint
    key = trusted.get(hint)
    if key is None:
        raise Unsigned(f"the record is signed by the key {hint[:16]!r}, not trusted")
    if not key.has_signed(_encoded(payload), sig):
        raise Unsigned("the record's signature does not fit")
    if bundle != _written(payload, sig, key.id):
        raise Unsigned("the record has another form than it was written in")
    return Opened(payload=payload, key_id=key.id)


def _encoded(payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _written(payload: bytes, signature: bytes, key_id: str) -> bytes:
    return canonical_json.written(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": key_id}},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signature).decode()}],
            },
        }
    )
