"""The four verbs of a remote, and the layout of names that all have: that of Bazel's HTTP cache.

    <address>/ac/<key>       the action: which blobs belong to the key of a stage
    <address>/cas/<sha256>   a blob

What comes back is nobody's word: whoever asks compares digests and signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Protocol

from muslin.engine.fetch.failures import Fault


class Refused(Fault):
    """The server does not let us write, or not us."""


class Remote(Protocol):
    """A store that others fill and read. Methods raise `Fault` if the server fails."""

    @property
    def place(self) -> str:
        """The address for people, without credentials."""

    def action(self, key: str) -> bytes | None:
        """The action of a key; None if there is none."""

    def blob(self, sha256: str, take: Callable[[bytes], None]) -> bool:
        """Pass a blob on in pieces, whatever it holds; False if there is none. `take` may raise to
        end it."""

    def put_blob(self, sha256: str, size: int, content: IO[bytes]) -> None:
        """Write a blob. Raises `Refused`."""

    def put_action(self, key: str, action: bytes) -> None:
        """Write the action of a key, in the place of an earlier one. Raises `Refused`."""
