"""What a walk was at, noted byte by byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from muslin.audit.stripped.area import (
    ELSEWHERE,
    POOL,
    RUN,
    RUN_THUMB,
    SECOND_HALF,
    Area,
    Areas,
)
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

FILE_SAYS = bytes((ELSEWHERE,))


class Level(IntEnum):
    """How sure it is that something is run."""

    SURE = 0
    PROBABLE = 1
    POSSIBLE = 2


@dataclass
class Marks:
    """Notes of a walk, which refuse what cannot be code at the walk's level."""

    areas: Areas
    level: Level = Level.SURE
    clashes: list[int] = field(default_factory=list)
    """Addresses that sure leads get to in both states, or in the middle of an instruction."""
    contested: list[int] = field(default_factory=list)
    """Keys from which sure leads run into a constant that an instruction loads."""

    def note(self, area: Area, state: int, at: int, stop: int, *, force: bool = False) -> bool:
        """Note that the instructions from one offset to another are run, unless they cannot be."""
        text = area.texts[state]
        if isinstance(text, X86Text):
            return self._note_x86(area, text, at, stop, force=force)
        first, last = at // area.unit, min(stop // area.unit + 1, len(area.seen))
        if loads := area.loads(state, at, stop):
            self._note_pools(area, state, at, loads)
        if not force and self._is_data(area, area.start + at + state, first, last):
            return False
        if not self.areas.is_arm:
            area.seen[first:last] = b"\1" * (last - first)
            return True
        new = self._as_thumb(area, at, stop, first, last) if state else None
        if new is None:
            last = min(last + 1, len(area.seen))
            new = bytes((RUN,)) * (last - first)
        return self._merge(area, first, new)

    def _is_data(self, area: Area, key: int, first: int, last: int) -> bool:
        data = area.data[first:last]
        if not any(data):
            return False
        if self.level is Level.SURE:
            if not any(data.translate(None, FILE_SAYS)):
                return False
            self.contested.append(key)
        return True

    def _note_x86(self, area: Area, text: X86Text, at: int, stop: int, *, force: bool) -> bool:
        end = text.behind(stop)
        if not force and self._is_data(area, area.start + at, at, end):
            return False
        shape = text.shape(at, stop)
        old = area.seen[at:end]
        if any(old):
            both = bytes(was | now for was, now in zip(old, shape, strict=True))
            if self.level is not Level.SURE and any(one == RUN | SECOND_HALF for one in both):
                return False
            shape = both
        area.seen[at:end] = shape
        return True

    def _merge(self, area: Area, first: int, new: bytes) -> bool:
        old = area.seen[first : first + len(new)]
        if any(old):
            both = bytes(was | now for was, now in zip(old, new, strict=True))
            if set(both) - {RUN, RUN_THUMB, SECOND_HALF}:
                if self.level is not Level.SURE:
                    return False
                self.clashes.append(area.start + first * area.unit)
            new = both
        area.seen[first : first + len(new)] = new
        return True

    @staticmethod
    def _as_thumb(area: Area, at: int, stop: int, first: int, last: int) -> bytes:
        text = area.texts[-1]
        assert isinstance(text, ThumbText)
        if stop + 2 <= len(text.content) and text.halves[stop >> 1] >= 0xE800:
            last = min(last + 1, len(area.seen))
        new = bytearray(bytes((RUN_THUMB,)) * (last - first))
        for offset in text.second_halves(at, last << 1):
            new[(offset >> 1) - first] = SECOND_HALF
        return bytes(new)

    def _note_pools(
        self, area: Area, state: int, at: int, loads: list[tuple[int, int, int]]
    ) -> None:
        text, halves = area.texts[state], frozenset[int]()
        if isinstance(text, ThumbText):
            halves = frozenset(text.second_halves(at, loads[-1][0] + 2))
        for begin, address, size in loads:
            if begin not in halves and (pool := self.areas.at(address)) is not None:
                pool.note_data(address, size, POOL)
