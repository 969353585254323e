"""The parts of a program that can be run, and what of them a walk was at."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from muslin.audit.baseline import Baseline
from muslin.audit.memory import Memory, Part
from muslin.audit.stripped.a32_text import A32Text
from muslin.audit.stripped.a64_text import A64Text
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

RUN, RUN_THUMB, SECOND_HALF = 1, 2, 4
"""What a unit was read as: an instruction of the usual state, the first half-word of one of
Thumb's, the second half-word of one."""
TABLE, POOL, ELSEWHERE = 1, 2, 4
"""Why a unit is known as data: a jump table, a constant that an instruction loads, or that the file
says so."""
INSIDE_CODE = bytes(range(ELSEWHERE))
USUAL = 20
"""How much more of one state there is than of the other where that one is usual."""
Texts = tuple[A64Text] | tuple[X86Text] | tuple[A32Text, ThumbText]


@dataclass
class Area:
    """An executable part of memory."""

    start: int
    end: int
    texts: Texts
    unit: int
    """Bytes that one byte of the following stands for."""
    seen: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)
    sure: bytes = b""
    """What was seen when only sure leads had been followed."""
    probable: bytes = b""
    """The same once probable leads had been followed too."""

    def __post_init__(self) -> None:
        units = -(-(self.end - self.start) // self.unit)
        self.seen, self.data = bytearray(units), bytearray(units)
        self._literals = [text.literals() for text in self.texts]
        self._loads = [array("I", (at for at, _, _ in found)) for found in self._literals]

    def loads(self, state: int, at: int, stop: int) -> list[tuple[int, int, int]]:
        """The loads of constants beside the code, as `A64Text.literals`, from one offset to
        another."""
        loads = self._loads[state]
        first = bisect_left(loads, at)
        if first == len(loads) or loads[first] > stop:
            return []
        return self._literals[state][first : bisect_right(loads, stop)]

    def note_data(self, start: int, size: int, why: int) -> None:
        """Note that some addresses hold data, where nothing else was said of them."""
        first = max(start - self.start, 0) // self.unit
        last = min(-(-(start + size - self.start) // self.unit), len(self.data))
        for index in range(first, last):
            self.data[index] = self.data[index] or why


class Areas:
    """All executable parts."""

    def __init__(self, memory: Memory, baseline: Baseline) -> None:
        self.is_arm = baseline.code == "arm"
        unit = {"arm": 2, "aarch64": 4}.get(baseline.code, 1)
        self.all = [
            Area(part.start, part.end, _texts(part, baseline), unit)
            for part in memory.parts
            if part.executable
        ]
        self._starts = [area.start for area in self.all]

    def is_seen(self, address: int) -> bool:
        """Whether a walk was there."""
        area = self.at(address)
        return area is not None and bool(area.seen[(address - area.start) // area.unit])

    def usual(self) -> tuple[bool, bool]:
        """Whether a program for 32-bit ARM is nearly all ARM, and whether it is nearly all
        Thumb, by what was seen of it."""
        as_arm = sum(area.seen.count(RUN) for area in self.all)
        as_thumb = sum(len(area.seen) - area.seen.count(0) for area in self.all) - as_arm
        return as_thumb * USUAL < as_arm, as_arm * USUAL < as_thumb

    def has_thumb(self) -> bool:
        """Whether sure leads got to any Thumb code."""
        return any(RUN_THUMB in area.sure for area in self.all)

    def at(self, address: int) -> Area | None:
        """The part that an address lies in."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self.all[index].end:
            return self.all[index]
        return None


def _texts(part: Part, baseline: Baseline) -> Texts:
    if baseline.code == "aarch64":
        return (A64Text(part.start, part.content),)
    if baseline.code == "x86_64":
        return (X86Text(part.start, part.content),)
    return A32Text(part.start, part.content), ThumbText(part.start, part.content)
