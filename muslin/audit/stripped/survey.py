"""A stripped program: what is reached at which level, and what the rest is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile

from muslin.audit.baseline import Baseline
from muslin.audit.memory import Memory
from muslin.audit.stripped import gaps, leads, pointers
from muslin.audit.stripped.area import POOL, TABLE, Areas
from muslin.audit.stripped.dynamic import Dynamic
from muslin.audit.stripped.gaps import Gaps, Range
from muslin.audit.stripped.jumps import Jumps
from muslin.audit.stripped.leads import SURELY_ARM
from muslin.audit.stripped.marks import Level
from muslin.audit.stripped.plausible import MOSTLY, Plausible
from muslin.audit.stripped.reach import Reach

UNLIKELY_THUMB = 0.3
"""The share of words with ARM's condition that is always met, from which on it is hardly Thumb."""
ROUNDS = 6
"""Times that code is looked through for further addresses of code."""


@dataclass
class Survey:
    """A program that is walked through."""

    elf: ELFFile
    memory: Memory
    baseline: Baseline
    areas: Areas = field(init=False)
    reach: Reach = field(init=False)
    ranges: list[Range] = field(init=False, default_factory=list)
    gaps: Gaps = field(init=False)
    named: set[int] = field(default_factory=set)
    """Addresses of executable parts that code or data hold, where no code begins."""

    def __post_init__(self) -> None:
        self.areas = Areas(self.memory, self.baseline)
        self.reach = Reach(areas=self.areas, resolve=Jumps(self.areas, self.memory).resolve)
        self._plausible = Plausible(self.areas)
        self._dynamic = Dynamic(self.elf, self.memory)
        self._usual = (False, False)
        self._tried = set[int]()
        self._starts = list[int]()
        self._names: dict[int, str] | None = None

    def run(self) -> None:
        """Follow sure leads to their end, then probable ones, then what may be code."""
        self.ranges = gaps.ranges(self.elf, self.areas, self._dynamic)
        gaps.note_others(self.areas, self.ranges)
        for key in leads.sure(self.elf, self.memory, self.areas, self._dynamic):
            self.reach.lead(key)
        doubtful = self._follow_unwound() if self.areas.is_arm else []
        for key in self.reach.marks.contested:  # which may grow meanwhile
            if self._is_code_all_the_same(key):
                self.reach.lead(key, force=True)
        for area in self.areas.all:
            area.sure = bytes(area.seen)
        self.reach.marks.level = Level.PROBABLE
        self.reach.follow()
        self._try(doubtful)
        self._follow_pointers()
        self._explore()

    def _is_code_all_the_same(self, key: int) -> bool:
        """Whether sure leads are right that run into a constant. A pool lies behind many a call
        that does not return, and nearly all half-words are Thumb code: there it is the constant."""
        state = key & 1 if self.areas.is_arm else 0
        area = self.areas.at(key - state)
        if area is None or (state and area.data[(key - state - area.start) // area.unit]):
            return False
        return self._plausible.run(key, ignoring=POOL | TABLE) is not None

    def _follow_unwound(self) -> list[int]:
        """Follow what `.ARM.exidx` names, as far as its state is sure; returns the rest."""
        unwound = leads.Unwound(self.elf, self.memory, self.areas, self._plausible)
        for key in [*unwound.surely_arm()]:
            self.reach.lead(key)
        doubtful = list[int]()
        for key, is_sure in unwound.others():
            if is_sure:
                self.reach.lead(key)
            else:
                doubtful.append(key)
        return doubtful

    def _follow_pointers(self) -> None:
        if self.areas.is_arm:
            self._usual = self.areas.usual()
        found = leads.pointers(self.elf, self.areas, self._dynamic)
        if self.elf.header.e_type == "ET_EXEC":
            found.update(pointers.in_data(self.memory, self.areas, self._dynamic.word))
        for _ in range(ROUNDS):
            found.update(pointers.in_pools(self.areas))
            found.update(pointers.computed(self.areas))
            if not self._try(found - self._tried):
                break

    def _explore(self) -> None:
        """Follow what no lead gets to, as far as it can be code."""
        reach = self.reach
        unresolved = frozenset(map(self.function, reach.unresolved))
        self.gaps = Gaps(self.areas, reach, self._plausible, unresolved, self.named)
        self.gaps.explore(self.ranges)
        for area in self.areas.all:
            area.probable = bytes(area.seen)
        reach.marks.level = Level.POSSIBLE
        self.gaps.explore(self.ranges)

    def _try(self, found: Iterable[int]) -> bool:
        """Follow what can be code of some addresses; whether any was new."""
        followed = False
        for key in sorted(found):
            self._tried.add(key)
            state = key & 1 if self.areas.is_arm else 0
            area = self.areas.at(key - state)
            if area is None or area.seen[(key - state - area.start) // area.unit]:
                continue
            end = self._plausible.run(key)
            if end is None or not self._is_likely(key, state, end):
                self.named.add(key - state)
            else:
                self.reach.lead(key)
                followed = True
        return followed

    def _is_likely(self, key: int, state: int, end: int) -> bool:
        """Whether an address that something holds may be code of its state: on 32-bit ARM the words
        there have to look like that."""
        if not self.areas.is_arm:
            return True
        arm_usual, thumb_usual = self._usual
        always = self._plausible.share_of_always(key & ~3, max(end, (key & ~3) + 4))
        if state:
            return not arm_usual or (self.areas.has_thumb() and always < UNLIKELY_THUMB)
        return always >= (SURELY_ARM if thumb_usual else MOSTLY)

    def function(self, address: int) -> int:
        """The start of the function that an address lies in, as far as starts are known."""
        if len(self._starts) != len(self.reach.functions):
            mask = 1 if self.areas.is_arm else 0
            self._starts = sorted(key & ~mask for key in self.reach.functions)
        index = bisect_right(self._starts, address) - 1
        return self._starts[index] if index >= 0 else address

    def next_function(self, address: int) -> int:
        """The start of the function behind that; the largest address without one."""
        self.function(address)
        index = bisect_right(self._starts, address)
        return self._starts[index] if index < len(self._starts) else 1 << 64

    def name(self, function: int) -> str:
        """A function's name: that of a dynamic symbol, else its address."""
        mask = 1 if self.areas.is_arm else 0
        if self._names is None:
            self._names = {
                symbol.value & ~mask: symbol.name
                for symbol in self._dynamic.symbols
                if symbol.defined
            }
        return self._names.get(function) or f"function {function:#x}"
