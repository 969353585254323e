"""What a person meets who sets up a shared store or its keys; what a server does is no error.

One class for each situation, with its message.
"""

from __future__ import annotations

from pathlib import Path

from muslin.errors import PipelineError
from muslin.invocation import spelled

PASSPHRASE_VARIABLE = "MUSLIN_KEY_PASSPHRASE"  # noqa: S105  # a name


class SigningMissing(PipelineError):
    """Something is to be signed or verified, and the library for it is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "keys and signatures require the Python package cryptography, which is not installed. "
            "`pip install 'muslin[store]'` installs it, `pipx inject nox cryptography` beside Nox; "
            "without MUSLIN_STORE and `store` in the settings, nothing requires it"
        )


class KeyExists(PipelineError):
    """A key pair is to be written where a file is already."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists, and a key is never overwritten: nothing else can sign as it does. "
            "Name another file"
        )


class KeyUnreadable(PipelineError):
    """A file does not hold the key that it should."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot be used as a key: {why}. `{spelled('key', 'FILE')}` makes a pair: "
            "FILE is the private key, FILE.pub the public one"
        )


class PassphraseWrong(PipelineError):
    """A private key is encrypted, and the passphrase is absent or another."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is encrypted, and its passphrase is not set or does not fit. Set "
            f"{PASSPHRASE_VARIABLE}"
        )


class KeyPublic(PipelineError):
    """A private key can be read by others."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is a private key that other users of this machine can read. "
            f"`chmod 600 {path}`, and make a new one if somebody may have read it"
        )


class TooFewKeys(PipelineError):
    """More signatures are required than keys are trusted."""

    def __init__(self, threshold: int, keys: int) -> None:
        super().__init__(
            f"the shared store requires {threshold} signature(s) and {keys} key(s) are trusted, so "
            "nothing could be taken from it. Add public keys to `trusted` of [tool.muslin.store] "
            "or MUSLIN_STORE_TRUSTED, or lower `threshold`"
        )
