"""What one check may take: how deep, how many, how much."""

from __future__ import annotations

from dataclasses import dataclass

from muslin.audit.finding import Refused

DEPTH = 5
"""Archives in archives: a wheel in a tar in a package has three."""
MEMBERS = 500_000
BYTES = 8_000_000_000


@dataclass(kw_only=True)
class Budget:
    """What is left for one input; archives of a few bytes can hold as much as they like."""

    members: int = MEMBERS
    bytes: int = BYTES

    def take_member(self) -> None:
        """Count a member of an archive. Raises `Refused` for one too many."""
        self.members -= 1
        if self.members < 0:
            raise Refused(f"it has more than {MEMBERS} members")

    def take_bytes(self, count: int) -> None:
        """Count bytes that were unpacked. Raises `Refused` for too many."""
        self.bytes -= count
        if self.bytes < 0:
            raise Refused(f"it unpacks to more than {BYTES} bytes")
