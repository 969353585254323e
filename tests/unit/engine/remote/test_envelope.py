"""Signed texts: another implementation of DSSE verifies ours, and ours reads no other form."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # its __init__ has it

from muslin.engine.formats import canonical_json
from muslin.engine.remote import envelope, signing
from muslin.engine.remote.signing import PrivateKey

TEXT = b'{"a":1}'


@pytest.fixture
def key(tmp_path: Path) -> PrivateKey:
    """A key, and its public half in `key.pub`."""
    signing.generate(tmp_path / "key", "")
    return signing.private(tmp_path / "key", "")


def test_what_is_sealed_is_opened(key: PrivateKey) -> None:
    opened = envelope.opened(envelope.sealed(TEXT, key), {key.public.id: key.public})
    assert opened.payload == TEXT
    assert opened.key_id == key.public.id


def test_another_implementation_verifies_it(key: PrivateKey, tmp_path: Path) -> None:
    other = SSlibKey.from_crypto(load_pem_public_key((tmp_path / "key.pub").read_bytes()))
    theirs = SSlibKey(key.public.id, other.keytype, other.scheme, other.keyval)
    bundle = json.loads(envelope.sealed(TEXT, key))
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == key.public.id
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = key.public.id  # which it asks for
    changed = copy.deepcopy(bundle["dsseEnvelope"])  # what is read is changed, too
    Envelope.from_dict(bundle["dsseEnvelope"]).verify([theirs], 1)
    changed["payload"] = base64.b64encode(b'{"a":2}').decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(changed).verify([theirs], 1)


def test_an_indented_bundle_is_another_form(key: PrivateKey) -> None:
    bundle = json.dumps(json.loads(envelope.sealed(TEXT, key)), indent=1).encode()
    with pytest.raises(envelope.Unsigned, match="another form"):
        envelope.opened(bundle, {key.public.id: key.public})


def test_two_signatures_are_one_too_many(key: PrivateKey) -> None:
    bundle = json.loads(envelope.sealed(TEXT, key))
    bundle["dsseEnvelope"]["signatures"] *= 2
    with pytest.raises(envelope.Unsigned, match="no Sigstore bundle"):
        envelope.opened(canonical_json.written(bundle), {key.public.id: key.public})
