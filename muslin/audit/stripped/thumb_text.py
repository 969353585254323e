"""The flow of Thumb code (DDI 0406C, chapter A6).

Every half-word is classed by its bytes, all at once; one expression then reads instructions of two
and four bytes up to the next that may branch.
"""

from __future__ import annotations

import re
from array import array

from muslin.audit import arm, flow
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

NARROW, WIDE, STOPPING, BRANCHING, MANY, LOADING = range(6)
"""Classes of half-words in the low bits of a byte; the two highest are those of the half-word.
Which of the last three stop is said by the second half."""
STOPPING_TOPS = frozenset((0x47, 0xB1, 0xB3, 0xB9, 0xBB, 0xBD, 0xBE, 0xBF, *range(0xD0, 0xE8)))


def _class(top: int) -> int:
    if top in STOPPING_TOPS:
        return STOPPING
    if top < 0xE8:
        return NARROW
    if top in (0xE8, 0xE9):
        return MANY
    if 0xF0 <= top < 0xF8:
        return BRANCHING
    return LOADING if top == 0xF8 else WIDE


def _of(*classes: int, highest: tuple[int, ...] = (0, 0x40, 0x80, 0xC0)) -> bytes:
    """A set of characters for an expression."""
    return b"[" + re.escape(bytes(one | bits for one in classes for bits in highest)) + b"]"


CLASSES = bytes(_class(top) | top & 0xC0 for top in range(256))
ANY, LOW, NOT_PC = _of(*range(6)), (0, 0x40), (0, 0x40, 0x80)
PLAIN = re.compile(
    b"(?s)(?:" + _of(NARROW) + b"+|" + _of(WIDE) + b".|"
    + _of(BRANCHING, MANY) + _of(*range(6), highest=LOW) + b"|"
    + _of(LOADING) + _of(*range(6), highest=NOT_PC) + b")*+"
)  # fmt: skip
SECOND_HALVES = re.compile(
    b"(?s)" + _of(NARROW, STOPPING) + b"*+(" + _of(WIDE, BRANCHING, MANY, LOADING) + b".)"
)
TO_HIGH = table((0x44, 0x46))
HIGH_IS_PC = table(low for low in range(256) if low & 0x87 == 0x87)
ZERO = table((0,))
STOPPED = bytes(STOPPING if value else 0 for value in range(256))
TOP_BITS = bytes(value & 0xC0 for value in range(256))
NEAR = table((*range(0x48, 0x50), 0xF8, 0xED, 0xE9))


class ThumbText:
    """Thumb code at an address."""

    kind = "t"
    width = 2

    def __init__(self, start: int, content: bytes) -> None:
        self.start = start
        self.content = content[: len(content) & ~1]
        self.halves = array("H", self.content)
        low, top = self.content[0::2], self.content[1::2]
        more = any_of(
            all_of(top.translate(TO_HIGH), low.translate(HIGH_IS_PC)),
            all_of(top.translate(ZERO), low.translate(ZERO)),
        )
        self._classes = any_of(top.translate(CLASSES), more.translate(STOPPED))
        self._conditional = set[int]()

    def stop(self, at: int) -> int:
        """As `Text.stop`."""
        found = PLAIN.match(self._classes, at >> 1)
        return found.end() << 1 if found else len(self.content)

    def second_halves(self, start: int, end: int) -> list[int]:
        """Offsets of the second halves of instructions among those that begin at an offset."""
        found = SECOND_HALVES.finditer(self._classes, start >> 1, end >> 1)
        return [(match.end() - 1) << 1 for match in found]

    def step(self, at: int) -> Step:
        """As `Text.step`."""
        first, here = self.halves[at >> 1], self.start + at
        if at in self._conditional:
            flags, size, to = self._step(at, first, here)
            if flags & CALLS:
                return flags | MAY_SKIP, size, to
            return flags | GOES_ON, size, to
        return self._step(at, first, here)

    def _step(self, at: int, first: int, here: int) -> Step:  # noqa: PLR0911  # one for each kind
        if arm.is_wide(first):
            if at + 4 > len(self.content):
                return UNDEFINED, 2, 0
            return _wide(first, self.halves[(at >> 1) + 1], here)
        top = first >> 8
        if 0xD0 <= top < 0xDE:
            return GOES_ON | LEADS, 2, here + 4 + 2 * signed(first & 0xFF, 8) | 1
        if top >= 0xE0:
            return LEADS, 2, here + 4 + 2 * signed(first & 0x7FF, 11) | 1
        if first & 0xF500 == 0xB100:
            return GOES_ON | LEADS, 2, here + 4 + (first >> 3 & 0x40 | first >> 2 & 0x3E) | 1
        if top == 0xBF:
            self._note_conditional(at, first)
            return GOES_ON, 2, 0
        if top == 0xDF:
            first_half = max((at >> 1) - flow.LOOK_BACK + 1, 0)
            over = flow.is_exit("t", self.halves[first_half : (at >> 1) + 1])
            return (0 if over else GOES_ON), 2, 0
        if top in (0xBE, 0xDE):
            return 0, 2, 0
        if first == 0:
            return GOES_ON | UNLIKELY, 2, 0
        return _narrow_register(first, here)

    def _note_conditional(self, at: int, first: int) -> None:
        """Of what an `it` makes conditional only the last can branch."""
        offset = at + 2
        for _ in range(flow.conditional_after(first)):
            if offset + 2 > len(self.content):
                return
            self._conditional.add(offset)
            offset += 4 if arm.is_wide(self.halves[offset >> 1]) else 2

    def literals(self) -> list[tuple[int, int, int]]:
        """As `A64Text.literals`."""
        found = re.finditer(b"[^\0]", self.content[1::2].translate(NEAR))
        return [one for match in found for one in self._literal(match.start())]

    def _literal(self, index: int) -> list[tuple[int, int, int]]:
        first, at = self.halves[index], 2 * index
        base = self.start + at + 4 & ~3
        if first >> 11 == 0b01001:
            return [(at, base + 4 * (first & 0xFF), 4)]
        if index + 1 == len(self.halves):
            return []
        second = self.halves[index + 1]
        if first & 0xFF1F == 0xF81F:  # ldr and its likes
            offset, size = second & 0xFFF, 4
        elif first & 0xFF3F == 0xED1F and second & 0x0E00 == 0x0A00:  # vldr
            offset, size = 4 * (second & 0xFF), 8 if second & 0x100 else 4
        elif first & 0xFF7F == 0xE95F:  # ldrd
            offset, size = 4 * (second & 0xFF), 8
        else:
            return []
        return [(at, base + (offset if first & 0x80 else -offset), size)]


def _wide(first: int, second: int, here: int) -> Step:
    if first & 0xF800 == 0xF000:
        return _branch(first, second, here)
    if first & 0xFE50 == 0xE810:  # ldm
        return RETURNS, 4, 0
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:  # tbb, tbh
        return UNKNOWN, 4, 0
    if first & 0xFF70 == 0xF850 and second >> 12 == 0xF:  # ldr pc
        if first == 0xF85D and second == 0xFB04:
            return RETURNS, 4, 0
        return UNKNOWN, 4, 0
    return GOES_ON, 4, 0


def _narrow_register(first: int, here: int) -> Step:
    if first & 0xFF00 == 0x4700:
        if first & 0x80:
            return CALLS | UNKNOWN, 2, 0
        if first & 0x78 == 0x70:  # lr
            return RETURNS, 2, 0
        if first & 0x78 == 0x78:  # pc: on as ARM
            return LEADS, 2, here + 4 & ~3
        return UNKNOWN, 2, 0
    if first & 0xFF00 == 0xBD00 or first == 0x46F7:  # pop, mov pc, lr
        return RETURNS, 2, 0
    return UNKNOWN, 2, 0


def _branch(first: int, second: int, here: int) -> Step:
    kind = second & 0xD000
    if kind == 0x8000:
        if first & 0x0380 == 0x0380:  # msr, hints, barriers; subs pc, lr; udf
            over = first & 0xFFF0 == 0xF7F0 or (first == 0xF3DE and second >> 8 == 0x8F)
            return (0 if over else GOES_ON), 4, 0
        sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
        far = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3F) << 12 | (second & 0x7FF) << 1
        return GOES_ON | LEADS, 4, here + 4 + signed(far, 21) | 1
    sign = first >> 10 & 1
    i1, i2 = (1 - ((second >> bit & 1) ^ sign) for bit in (13, 11))
    far = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
    if kind == 0xC000:
        return CALLS | LEADS, 4, (here + 4 & ~3) + (signed(far, 25) & ~3)
    return (LEADS if kind == 0x9000 else CALLS | LEADS), 4, here + 4 + signed(far, 25) | 1
