"""Where a processor surely gets to in a program, and where it probably does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from elftools.elf.elffile import ELFFile

from muslin.audit.memory import Memory
from muslin.audit.stripped import unwinding
from muslin.audit.stripped.area import Areas
from muslin.audit.stripped.dynamic import ABSOLUTE, IRELATIVE, RELATIVE, Dynamic
from muslin.audit.stripped.plausible import MOSTLY, Plausible

FUNCTION, RESOLVER = 2, 10
"""STT_FUNC and STT_GNU_IFUNC."""
SURELY_ARM, RARELY = 0.8, 0.3
"""The share of words with the condition that is always met, from which on code is ARM's."""
ARRAYS = (
    ("INIT_ARRAY", "INIT_ARRAYSZ"),
    ("FINI_ARRAY", "FINI_ARRAYSZ"),
    ("PREINIT_ARRAY", "PREINIT_ARRAYSZ"),
)
CALLED_SECTIONS = (".init", ".fini", ".plt", ".iplt")
SECTION_ARRAYS = ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY", "SHT_PREINIT_ARRAY")


def sure(elf: ELFFile, memory: Memory, areas: Areas, dynamic: Dynamic) -> Iterator[int]:
    """Keys of what the kernel, the loader and the start-up code call, and of functions that tables
    name."""
    yield from filter(None, (elf.header.e_entry, dynamic.tag("INIT"), dynamic.tag("FINI")))
    yield from _arrays(elf, memory, dynamic)
    for symbol in dynamic.symbols:
        if symbol.defined and symbol.kind in (FUNCTION, RESOLVER) and symbol.value:
            yield symbol.value
    resolver = IRELATIVE.get(elf.header.e_machine)
    yield from (addend for _, kind, _, addend in dynamic.relocations if kind == resolver)
    if not areas.is_arm:
        yield from unwinding.eh_frame(elf, memory)
    for section in elf.iter_sections():
        if section.name in CALLED_SECTIONS and section.header.sh_size:
            yield section.header.sh_addr


def _arrays(elf: ELFFile, memory: Memory, dynamic: Dynamic) -> Iterator[int]:
    places = [(dynamic.tag(start), dynamic.tag(size)) for start, size in ARRAYS]
    places += [
        (section.header.sh_addr, section.header.sh_size)
        for section in elf.iter_sections()
        if section.header.sh_type in SECTION_ARRAYS
    ]
    nothing = {0, (1 << 8 * dynamic.word) - 1}
    held = {place: addend for place, _, _, addend in dynamic.relocations}
    for start, size in places:
        for at in range(start, start + size - dynamic.word + 1, dynamic.word):
            to = held.get(at) or memory.word(at, dynamic.word) or 0
            if to not in nothing:
                yield to


def pointers(elf: ELFFile, areas: Areas, dynamic: Dynamic) -> set[int]:
    """Keys of code that relocations write into data."""
    wanted = (RELATIVE.get(elf.header.e_machine), ABSOLUTE.get(elf.header.e_machine))
    found = set[int]()
    for _, kind, _, addend in dynamic.relocations:
        if kind in wanted and areas.at(addend) is not None:
            found.add(addend)
    return found


@dataclass
class Unwound:
    """The functions that `.ARM.exidx` names: it does not say their state."""

    elf: ELFFile
    memory: Memory
    areas: Areas
    plausible: Plausible

    def surely_arm(self) -> Iterator[int]:
        """Keys of those that ARM code is written all over."""
        for start, end, can in self._spans():
            always = self.plausible.share_of_always(start, end)
            if can and always >= SURELY_ARM and self.plausible.run(start) is not None:
                yield start

    def others(self) -> Iterator[tuple[int, bool]]:
        """Keys of the rest, in the state of most of the program unless it cannot be that one; each
        with whether it is sure."""
        arm_usual, thumb_usual = self.areas.usual()
        for start, _, can in self._spans():
            if self.areas.is_seen(start):
                continue
            as_arm = self.plausible.run(start, always=RARELY if arm_usual else MOSTLY) is not None
            as_thumb = self.plausible.run(start | 1) is not None
            if as_arm and (arm_usual or not as_thumb):
                yield start, can and not (as_thumb or thumb_usual)
            elif as_thumb and not arm_usual:
                yield start | 1, can and thumb_usual

    def _spans(self) -> Iterator[tuple[int, int, bool]]:
        """Start, end and whether it can be unwound: linkers name the end of code too, as what
        cannot."""
        starts = sorted(dict(unwinding.exidx(self.elf, self.memory)).items())
        last = (starts[-1][0] + 64 if starts else 0, True)
        for (start, can), (end, _) in pairwise([*starts, last]):
            if self.areas.at(start) is not None:
                yield start, min(end, start + 1024), can
