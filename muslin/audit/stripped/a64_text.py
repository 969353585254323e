"""The flow of AArch64 code (DDI 0487, chapter C4).

Every word is classed by its highest byte, so that a walk skips from one branch to the next.
"""

from __future__ import annotations

import re
from array import array

from muslin.audit import flow
from muslin.audit.flow import signed
from muslin.audit.stripped.step import (
    CALLS,
    GOES_ON,
    LEADS,
    RETURNS,
    UNDEFINED,
    UNKNOWN,
    Step,
    table,
)

UNALLOCATED = frozenset(top for top in range(256) if top & 0x1E in (0, 2, 6))
"""Highest bytes of words that no instruction has: bits 28 to 25 are 0000, 0001 or 0011."""
FLOW = (
    *range(0x14, 0x18), *range(0x94, 0x98), 0x54, *range(0x34, 0x38), *range(0xB4, 0xB8),
    0xD4, 0xD6, 0xD7,
)  # fmt: skip
STOPS = table((*FLOW, *UNALLOCATED))
STOP = re.compile(b"[^\0]")
LITERALS = table((0x18, 0x58, 0x98, 0x1C, 0x5C, 0x9C))
SIZES = {0x18: 4, 0x58: 8, 0x98: 4, 0x1C: 4, 0x5C: 8, 0x9C: 16}


class A64Text:
    """AArch64 code at an address."""

    kind = "x"
    width = 4

    def __init__(self, start: int, content: bytes) -> None:
        self.start = start
        self.content = content[: len(content) & ~3]
        self.words = array("I", self.content)
        self._stops = self.content[3::4].translate(STOPS)

    def stop(self, at: int) -> int:
        """As `Text.stop`."""
        found = STOP.search(self._stops, at >> 2)
        return found.start() << 2 if found else len(self.content)

    def step(self, at: int) -> Step:
        """As `Text.step`."""
        word, here = self.words[at >> 2], self.start + at
        top = word >> 24
        if top & 0x7C == 0x14:
            to = here + 4 * signed(word & 0x3FFFFFF, 26)
            return (CALLS | LEADS if top & 0x80 else LEADS), 4, to
        if top == 0x54 or top & 0x7E == 0x34:
            return GOES_ON | LEADS, 4, here + 4 * signed(word >> 5 & 0x7FFFF, 19)
        if top & 0x7E == 0x36:
            return GOES_ON | LEADS, 4, here + 4 * signed(word >> 5 & 0x3FFF, 14)
        if top & 0xFE == 0xD6:
            return _by_register(word), 4, 0
        if top == 0xD4:
            return self._exception(at, word), 4, 0
        return UNDEFINED, 4, 0

    def _exception(self, at: int, word: int) -> int:
        if word & 0xFFE0001F == 0xD4000001:
            first = max((at >> 2) - flow.LOOK_BACK + 1, 0)
            return 0 if flow.is_exit("x", self.words[first : (at >> 2) + 1]) else GOES_ON
        return 0

    def literals(self) -> list[tuple[int, int, int]]:
        """Offset of each load of a constant beside the code, with the constant's address and
        size."""
        found = STOP.finditer(self.content[3::4].translate(LITERALS))
        return [
            (
                4 * match.start(),
                self.start + 4 * match.start() + 4 * signed(word >> 5 & 0x7FFFF, 19),
                SIZES[word >> 24],
            )
            for match in found
            for word in (self.words[match.start()],)
        ]


def _by_register(word: int) -> int:
    if word & 0xFFFFFFFF in (0xD65F03C0, 0xD65F0BFF, 0xD65F0FFF):  # ret, retaa, retab
        return RETURNS
    if word & 0xFEFFF000 == 0xD63F0000:  # blr, blraa and so on
        return CALLS | UNKNOWN
    if word & 0xFE9FF000 == 0xD61F0000 or word & 0xFEDFF000 == 0xD61F0000:
        return UNKNOWN
    return 0
