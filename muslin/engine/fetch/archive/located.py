"""A file of the archive, and where mirrors have it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Literal

Role = Literal["main", "security"]
"""Which of Debian's two archives; a mirror has a directory for each."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A file of a package, as a signed index names it."""

    package: str
    version: str
    role: Role
    path: str
    """Below the directory of the archive that `role` names."""
    name: str
    """As apt calls it: an epoch's colon is written %3a."""
    size: int
    """Bytes."""
    sha256: str

    def places(self) -> tuple[tuple[Role, str], ...]:
        """Archive and path, the index's own first.

        A security update is copied to the main archive with the next point release, and the indexes
        of both name it; `pool/updates/main/` there is `pool/main/` here. Some mirrors have a file
        in one of both only.
        """
        other: tuple[Role, str]
        if self.role == "main":
            other = ("security", posixpath.join("pool/updates", self.path.removeprefix("pool/")))
        else:
            other = ("main", self.path.replace("pool/updates/", "pool/", 1))
        return ((self.role, self.path), other)
