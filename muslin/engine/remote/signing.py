"""Ed25519 keys (RFC 8032) in PEM files, and their ids.

The only module that imports `cryptography`, an optional library: import it where it is used.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.remote import errors

PRIVATE, PUBLIC = 0o600, 0o644
"""Modes of the two files."""
SUFFIX = ".pub"
LARGEST = 16_384
"""Bytes of a PEM file; a key has some hundred."""


@dataclass(frozen=True)
class PublicKey:
    """A key that is trusted."""

    _key: Ed25519PublicKey

    @property
    def id(self) -> str:
        """SHA-256 of the key as DER (SubjectPublicKeyInfo), hexadecimal."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        der = self._key.public_bytes(serialization.Encoding.DER, form)
        return hashlib.sha256(der).hexdigest()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's, of this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    """A key that signs; its text names nothing of it."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return PublicKey(self._key.public_key())

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message)


def generate(path: Path, passphrase: str) -> PublicKey:
    """Write a new pair: the private key, encrypted if there is a passphrase, and beside it the
    public one as `<path>.pub`. Raises `KeyExists`; nothing is overwritten."""
    public = path.with_name(f"{path.name}{SUFFIX}")
    for file in (path, public):
        if os.path.lexists(file):
            raise errors.KeyExists(file)
    key = Ed25519PrivateKey.generate()
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    _create(path, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption), PRIVATE)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    _create(public, key.public_key().public_bytes(pem, form), PUBLIC)
    return PublicKey(key.public_key())


def _create(path: Path, content: bytes, mode: int) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as error:
        raise errors.KeyExists(path) from error
    except OSError as error:
        raise errors.KeyUnreadable(path, error.strerror or str(error)) from error
    with os.fdopen(file, "wb") as opened:
        opened.write(content)


def private(path: Path, passphrase: str) -> PrivateKey:
    """Read a private key. Raises `KeyUnreadable`, `KeyPublic`, `PassphraseWrong`."""
    content = _content(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise errors.KeyPublic(path)
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() or None)
    except TypeError as error:  # a passphrase where none is needed, or none where one is
        if passphrase:
            return private(path, "")
        raise errors.PassphraseWrong(path) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if passphrase and b"ENCRYPTED" in content:
            raise errors.PassphraseWrong(path) from error
        raise errors.KeyUnreadable(path, "it is no private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise errors.KeyUnreadable(path, "it is no Ed25519 key")
    return PrivateKey(key)


def public(path: Path) -> PublicKey:
    """Read a public key. Raises `KeyUnreadable`."""
    try:
        key = serialization.load_pem_public_key(_content(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise errors.KeyUnreadable(path, "it is no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise errors.KeyUnreadable(path, "it is no Ed25519 key")
    return PublicKey(key)


def _content(path: Path) -> bytes:
    try:
        content = atomic.read(path.resolve())  # a secret of a container is a link
    except FileNotFoundError as error:
        raise errors.KeyUnreadable(path, "there is no such file") from error
    except (DamagedError, OSError, RuntimeError) as error:
        raise errors.KeyUnreadable(path, str(error)) from error
    if len(content) > LARGEST:
        raise errors.KeyUnreadable(path, f"it has {len(content)} bytes")
    return content
