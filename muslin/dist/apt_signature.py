"""Signatures of an archive for apt: OpenPGP (RFC 9580), by a key that the user keeps."""

from __future__ import annotations

from pathlib import Path

import pysequoia

from muslin.dist import errors as dist_errors


class Key:
    """A secret key. Raises `UnusableKey` for a file that holds none that can sign."""

    def __init__(self, path: Path) -> None:
        try:
            secret = pysequoia.Tsk.from_file(str(path))
            self._signer = secret.signer()
        except (OSError, RuntimeError) as error:  # of a library; its text has a stack in it
            raise dist_errors.UnusableKey(path, str(error).splitlines()[0]) from error
        self._certificate = secret.extract_certificate()

    @property
    def certificate(self) -> bytes:
        """What the signatures are verified with: the public part, with ASCII armour."""
        return str(self._certificate).encode()

    def owns(self, path: Path) -> bool:
        """Whether the certificate in a file is this key's."""
        fingerprint = self._certificate.fingerprint
        return any(known.fingerprint == fingerprint for known in _certificates(path))

    def inline(self, text: bytes) -> bytes:
        """The text with its signature around it."""
        return bytes(pysequoia.sign(self._signer, text, mode=pysequoia.SignatureMode.CLEAR))

    def detached(self, text: bytes) -> bytes:
        """The signature alone."""
        return bytes(pysequoia.sign(self._signer, text, mode=pysequoia.SignatureMode.DETACHED))


def signed_text(path: Path, certificate: Path) -> str | None:
    """The text of a signed file, if its signature is by this certificate and valid."""
    known = _certificates(certificate)
    if not known or not path.is_file():
        return None
    try:
        verified = pysequoia.verify(path.read_bytes(), lambda _: list(known))
    except RuntimeError:
        return None
    content = verified.bytes
    return content.decode("utf-8", "replace") if verified.valid_sigs and content else None


def _certificates(path: Path) -> tuple[pysequoia.Cert, ...]:
    try:
        return tuple(pysequoia.Cert.split_bytes(path.read_bytes()))
    except (OSError, RuntimeError):
        return ()
