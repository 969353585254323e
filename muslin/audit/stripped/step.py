"""What one instruction does to the flow of a program, in the fewest words that a walk needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

GOES_ON, CALLS, LEADS, RETURNS, UNKNOWN, UNDEFINED, UNLIKELY, MAY_SKIP = (1 << n for n in range(8))
"""Behind it code goes on; it calls; it leads to a known place; it goes back to the caller; where it
leads only a register says; no instruction is encoded so; compilers write none such; it calls under
a condition."""
Step = tuple[int, int, int]
"""Those flags, the size in bytes, and where it leads: an address, on 32-bit ARM with bit 0 set for
Thumb."""


class Text(Protocol):
    """The bytes of one part of memory, read as instructions of one state."""

    width: int
    """Bytes that the address of an instruction is a multiple of."""

    def stop(self, at: int) -> int:
        """The offset of the first instruction from an offset on that may do more than to go on; the
        length where none is."""

    def step(self, at: int) -> Step:
        """What the instruction at an offset does."""


def any_of(*streams: bytes) -> bytes:
    """Streams of masks of one length, combined byte by byte."""
    total = 0
    for stream in streams:
        total |= int.from_bytes(stream, "little")
    return total.to_bytes(len(streams[0]), "little")


def all_of(*streams: bytes) -> bytes:
    """The same for what every stream has."""
    total = int.from_bytes(streams[0], "little")
    for stream in streams[1:]:
        total &= int.from_bytes(stream, "little")
    return total.to_bytes(len(streams[0]), "little")


def table(values: Iterable[int]) -> bytes:
    """A table for `bytes.translate` that keeps 0xff for some values and 0 for others."""
    kept = frozenset(values)
    return bytes(0xFF if value in kept else 0 for value in range(256))
