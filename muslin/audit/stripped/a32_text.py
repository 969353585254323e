"""The flow of ARM code of 32 bits (DDI 0406C, chapter A5).

Every word is classed by its bytes, all words at once, so that a walk skips from one branch to the
next.
"""

from __future__ import annotations

import re
from array import array

from muslin.audit import flow
from muslin.audit.constants import add_to_pc
from muslin.audit.flow import signed
from muslin.audit.stripped.step import (
    CALLS,
    GOES_ON,
    LEADS,
    MAY_SKIP,
    RETURNS,
    UNDEFINED,
    UNKNOWN,
    UNLIKELY,
    Step,
    all_of,
    any_of,
    table,
)

ALWAYS = 0xE
LINK = 0xE1A0E00F
"""mov lr, pc: what comes behind the next instruction is where a call returns to."""
STOP = re.compile(b"[^\0]")


def _tops(*nibbles: int) -> bytes:
    """Of bits 27 to 24, whatever the condition is."""
    return table(top for top in range(240) if top & 0xF in nibbles)


BRANCHES = table((*(top for top in range(256) if top & 0xE == 0xA), 0xF0, 0xF8, 0xF9, 0xFF))
SYSTEM = _tops(0xF)
TO_REGISTER, MANY = _tops(*range(8)), _tops(8, 9)
TRAP = _tops(7)
BREAK = _tops(1)
PC_WRITTEN = table(range(0xF0, 0x100))
PC_IN_LIST = table(range(0x80, 0x100))
TRAP_BITS = table(range(0xF0, 0x100))
BREAK_BITS, BREAK_LOW = table((0x20,)), table(range(0x70, 0x80))
BREAK_BITS = table(range(0x20, 0x30))
NOTHING = table((0,))
LOADS = _tops(5, 0xD, 1)
NEAR = table((0x1F, 0x9F, 0x5F, 0xDF, 0x4F, 0xCF))


class A32Text:
    """ARM code at an address."""

    kind = "a"
    width = 4

    def __init__(self, start: int, content: bytes) -> None:
        self.start = start
        self.content = content[: len(content) & ~3]
        self.words = array("I", self.content)
        low, second, third, top = (self.content[n::4] for n in range(4))
        self._stops = any_of(
            top.translate(BRANCHES),
            top.translate(SYSTEM),
            all_of(top.translate(TO_REGISTER), second.translate(PC_WRITTEN)),
            all_of(top.translate(MANY), second.translate(PC_IN_LIST)),
            all_of(top.translate(TRAP), third.translate(TRAP_BITS), low.translate(TRAP_BITS)),
            all_of(top.translate(BREAK), third.translate(BREAK_BITS), low.translate(BREAK_LOW)),
            all_of(top.translate(NOTHING), third.translate(NOTHING), second.translate(NOTHING)),
        )

    def stop(self, at: int) -> int:
        """As `Text.stop`."""
        found = STOP.search(self._stops, at >> 2)
        return found.start() << 2 if found else len(self.content)

    def step(self, at: int) -> Step:  # noqa: PLR0911  # one for each kind
        """As `Text.step`."""
        word, here = self.words[at >> 2], self.start + at
        when, top = word >> 28, word >> 24 & 0xF
        if when == 0xF:
            if top & 0xE == 0xA:
                to = here + 8 + 4 * signed(word & 0xFFFFFF, 24) + (word >> 23 & 2)
                return CALLS | LEADS, 4, to | 1
            return UNDEFINED, 4, 0
        goes_on = GOES_ON if when != ALWAYS else 0
        if top == 0xA:
            return LEADS | goes_on, 4, here + 8 + 4 * signed(word & 0xFFFFFF, 24)
        if top == 0xB:
            skips = MAY_SKIP if goes_on else 0
            return CALLS | LEADS | skips, 4, here + 8 + 4 * signed(word & 0xFFFFFF, 24)
        if top == 0xF:
            first = max((at >> 2) - flow.LOOK_BACK + 1, 0)
            over = flow.is_exit("a", self.words[first : (at >> 2) + 1])
            return (0 if over and not goes_on else GOES_ON), 4, 0
        if top in (8, 9):
            return (RETURNS if word >> 20 & 1 else GOES_ON) | goes_on, 4, 0
        if word & 0xFFFFFF00 == 0:
            return GOES_ON | UNLIKELY, 4, 0
        return self._register(at, word, goes_on)

    def _register(self, at: int, word: int, goes_on: int) -> Step:  # noqa: PLR0911  # one for each kind
        """What writes the program counter, or stops."""
        here = self.start + at
        if word & 0x0FFFFFC0 == 0x012FFF00 and word & 0x30:  # bx, bxj, blx
            if word & 0x30 == 0x30:
                return CALLS | UNKNOWN | (MAY_SKIP if goes_on else 0), 4, 0
            return (RETURNS if word & 0xF == 14 else UNKNOWN) | goes_on, 4, 0
        if not flow.ends_a32(word & 0x0FFFFFFF | 0xE0000000):
            return GOES_ON, 4, 0
        if word & 0x0FF000F0 in (0x07F000F0, 0x01200070):
            return goes_on, 4, 0
        if (to := add_to_pc(word, here)) is not None:
            return LEADS | goes_on, 4, to & ~3
        if word & 0x0FFFFFFF in (0x01A0F00E, 0x049DF004) or word & 0x0FFF0FFF == 0x01B0000E:
            return RETURNS | goes_on, 4, 0
        if at >= 4 and self.words[(at >> 2) - 1] == LINK:
            return CALLS | UNKNOWN, 4, 0
        return UNKNOWN | goes_on, 4, 0

    def literals(self) -> list[tuple[int, int, int]]:
        """As `A64Text.literals`."""
        third, top = self.content[2::4], self.content[3::4]
        likely = all_of(top.translate(LOADS), third.translate(NEAR))
        return [found for match in STOP.finditer(likely) for found in self._literal(match.start())]

    def _literal(self, index: int) -> list[tuple[int, int, int]]:
        word, at = self.words[index], 4 * index
        kind, up = word >> 24 & 0xF, word & 0x00800000
        if kind == 5 and word & 0x00300000 == 0x00100000:  # ldr, ldrb
            offset, size = word & 0xFFF, 4
        elif kind == 0xD and word & 0x00300E00 == 0x00100A00:  # vldr
            offset, size = 4 * (word & 0xFF), 8 if word & 0x100 else 4
        elif kind == 1 and word & 0x00500090 == 0x00400090 and word & 0x60:  # ldrd, ldrh
            offset, size = word >> 4 & 0xF0 | word & 0xF, 8
        else:
            return []
        return [(at, self.start + at + 8 + (offset if up else -offset), size)]
