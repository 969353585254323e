"""Whether bytes that nothing surely leads to can be code: decided strictly, for a table that is
taken for code makes findings of nothing."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import capstone

from muslin.audit.stripped.area import RUN, RUN_THUMB, SECOND_HALF, Area, Areas
from muslin.audit.stripped.step import CALLS, GOES_ON, LEADS, MAY_SKIP, UNDEFINED, UNLIKELY
from muslin.audit.stripped.x86_text import X86Text

LONGEST = 8192
"""Bytes of a run that are looked at."""
IGNORED = (b"\0", b"\0\1", b"\0\2", b"\0\1\2")
MOSTLY = 0.6
"""The share of ARM code's words with the condition that is always met, from which on it looks like
code."""
ALWAYS = 0xE0
"""What the highest byte of an ARM instruction without a condition is at least."""
NOT_ALWAYS = bytes(range(ALWAYS))
MODES = {
    "a": (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
    "t": (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    "x": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
    "x86": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
}


UNUSUAL = re.compile(
    r"(adc|sbb|and|or|xor|sub|add) byte ptr .*|(rcl|rcr|cmc|stc|clc|std|cld|cli|salc|outs|ins|movs|"
    r"cmps|xchg) .*|.*\b[abcd]h\b.*|.*\b(gs|es|ss|ds|cs):.*|.*fs:\[(?!0x28\]|0\]).*|f\w+ .*st.*"
)
"""Instructions of x86-64 that compilers write rarely and that data are often read as."""
MANY = 12
"""One unusual instruction among so many is accepted."""


@functools.cache
def decoder(kind: str) -> capstone.Cs:
    """The disassembler for a state."""
    return capstone.Cs(*MODES[kind])


@dataclass
class Plausible:
    """Tells runs of code from data in a program."""

    areas: Areas

    def run(self, key: int, *, ignoring: int = 0, always: float = MOSTLY) -> int | None:
        """The end of the code that begins somewhere, up to behind what ends it; None where it
        cannot be code. What is known as data for some reasons may be ignored; of ARM code a share
        has to have the condition that is always met."""
        state = key & 1 if self.areas.is_arm else 0
        area = self.areas.at(key - state)
        at = key - state - area.start if area else 0
        if area is None or at % area.texts[state].width:
            return None
        mine = RUN_THUMB if state else RUN
        if area.seen[at // area.unit] & ~mine & 0xFF:
            return None
        if area.texts[state].kind == "a" and area.texts[state].content[at + 3] < ALWAYS:
            return None  # no function begins with a condition
        end = self._end(area, state, at, ignoring)
        if end is None or not self._decodes(area, state, at, end, always):
            return None
        return area.start + end

    def _end(  # noqa: PLR0911  # one for each reason
        self, area: Area, state: int, begin: int, ignoring: int
    ) -> int | None:
        text, at, pools = area.texts[state], begin, set[int]()
        mine = RUN_THUMB if state else RUN
        while at - begin < LONGEST:
            stop = text.stop(at)
            data = area.data[at // area.unit : stop // area.unit + 1]
            if stop >= len(text.content) or any(data.translate(None, IGNORED[ignoring])):
                return None
            flags, size, to = text.step(stop)
            if flags & (UNDEFINED | UNLIKELY):
                return None
            if flags & LEADS and not self._can_lead(to):
                return None
            pools |= {address for _, address, _ in area.loads(state, at, stop)}
            at = stop + size
            if not flags & (GOES_ON | CALLS | MAY_SKIP):
                return at
            if at // area.unit >= len(area.seen):
                return None
            here = area.start + at
            is_pool = area.data[at // area.unit] & ~ignoring or not pools.isdisjoint(
                (here, here + 2)
            )
            if flags & CALLS and is_pool:
                return at  # it calls what does not return
            if area.seen[at // area.unit] == mine:
                return at  # it goes on as what is known to be code
        return at

    def _can_lead(self, key: int) -> bool:
        state = key & 1 if self.areas.is_arm else 0
        area = self.areas.at(key - state)
        if area is None or (key - state) % area.texts[state].width:
            return False
        at = (key - state - area.start) // area.unit
        if area.data[at]:
            return False
        seen = area.seen[at]
        return not seen & (SECOND_HALF if state else SECOND_HALF | RUN_THUMB) and not (
            state and seen & RUN
        )

    def _decodes(self, area: Area, state: int, at: int, end: int, least: float) -> bool:
        text = area.texts[state]
        if isinstance(text, X86Text):
            return _is_usual(text.content[at:end])
        code = text.content[at:end]
        last, instructions, always = 0, 0, 0
        for begin, size, _, _ in decoder(text.kind).disasm_lite(code, 0):
            last = begin + size
            instructions += 1
            if text.kind == "a":
                always += code[begin + 3] >= ALWAYS
        if last < len(code):
            return False
        return text.kind != "a" or always >= instructions * least

    def looks_like_arm(self, start: int, end: int) -> bool:
        """Whether code of 32-bit ARM at an address is rather ARM's than Thumb's."""
        return self.share_of_always(start, end) >= MOSTLY

    def share_of_always(self, start: int, end: int) -> float:
        """How many words of ARM code at an address have the condition that is always met, of all:
        most of ARM's, few where it is Thumb's."""
        area, start = self.areas.at(start), start + 3 & ~3
        if area is None:
            return 0.0
        first, last = start - area.start, min(end, area.end) - area.start
        tops = area.texts[0].content[first:last][3::4]
        return len(tops.translate(None, NOT_ALWAYS)) / len(tops) if tops else 0.0


def _is_usual(code: bytes) -> bool:
    """Whether few instructions of x86-64 code are what compilers hardly write."""
    count, unusual = 0, 0
    for _, _, name, operands in decoder("x86").disasm_lite(code, 0):
        count += 1
        unusual += UNUSUAL.fullmatch(f"{name} {operands}") is not None
    return unusual * MANY <= count
