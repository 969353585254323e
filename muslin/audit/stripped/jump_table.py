"""A table of places where code goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LOOK_BACK = 16
"""Instructions before a jump among which its table's address and bound are looked for."""


@dataclass(frozen=True)
class Table:
    """A table of places to go on at."""

    address: int
    size: int
    """Bytes of an entry."""
    target: Callable[[int], int]
    """The key that an entry says."""
    bound: int | None = None
    """The number of entries; None where no comparison says it."""
    is_signed: bool = False


@dataclass(frozen=True)
class Distances:
    """The keys of a table of distances, which may be counted in units."""

    base: int
    shift: int = 0

    def __call__(self, value: int) -> int:
        return self.base + (value << self.shift)


class Steps:
    """Of a table that is code: each entry is a target itself, whatever it holds."""

    def __init__(self, start: int, size: int) -> None:
        self.next, self.size = start - size, size

    def __call__(self, _: int) -> int:
        self.next += self.size
        return self.next
