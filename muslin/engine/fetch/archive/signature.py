"""Signed texts (OpenPGP, RFC 9580, 7) and the certificates that may have signed them."""

from __future__ import annotations

import functools
from pathlib import Path

import pysequoia

from muslin.engine.fetch.failures import Fault


@functools.cache
def certificates(folder: Path) -> tuple[pysequoia.Cert, ...]:
    """The certificates of a directory; each file is named by the fingerprint of its certificate.

    Raises `ValueError` for a file that holds another one.
    """
    found = []
    for path in sorted(folder.glob("*.asc")):
        certificate = pysequoia.Cert.from_file(str(path))
        if certificate.fingerprint.upper() != path.stem:
            raise ValueError(f"{path} holds the certificate {certificate.fingerprint.upper()}")
        found.append(certificate)
    return tuple(found)


def keyring(path: Path) -> tuple[pysequoia.Cert, ...]:
    """The certificates of a file that the machine's administrator chose (`Signed-By` of
    sources.list(5)); none if it cannot be read."""
    try:
        return tuple(pysequoia.Cert.split_bytes(path.read_bytes()))
    except (OSError, RuntimeError):
        return ()


def signed_text(data: bytes, trusted: tuple[pysequoia.Cert, ...]) -> str:
    """The text that a signature covers; nothing around it.

    Raises `Fault` if no trusted certificate has a valid signature there.
    """
    try:
        verified = pysequoia.verify(data, lambda _: list(trusted))
    except RuntimeError as error:  # of a library; its text has a stack in it
        why = "serves an index whose signature is not valid, or by none of the archive's keys"
        raise Fault(why, passing=False) from error
    content = verified.bytes
    if not verified.valid_sigs or content is None:
        raise Fault("serves an index without a signature", passing=False)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Fault("serves an index that is no text", passing=False) from error
