"""What a run was told of a shared store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Where the store is, and whom to believe."""

    address: str
    """`https://…`, `http://…` or `file:///…`, without credentials and a slash at its end."""
    trusted: tuple[Path, ...]
    """PEM files of public keys."""
    threshold: int
    """So many of these keys must have signed the same tree."""
    key: Path | None
    """PEM file of the private key that signs what is pushed; None if nothing is."""
    token: str = field(default="", repr=False)
    """Sent as `Authorization: Bearer`; empty for an entry of netrc(5) or none."""
    passphrase: str = field(default="", repr=False)
