"""Where a processor surely gets to in a program, and where it probably does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from elftools.elf.elffile import ELFFile

from muslin.audit.memory import Memory
from muslin.audit.stripped import unwinding
from muslin.audit.stripped.area import Areas
from muslin.audit.stripped.dynamic import ABSOLUTE, IRELATIVE, RELATIVE, Dynamic
from muslin.audit.stripped.plausible import Plausible

FUNCTION, RESOLVER = 2, 10
"""STT_FUNC and STT_GNU_IFUNC."""
ARRAYS = (
    ("INIT_ARRAY", "INIT_ARRAYSZ"),
    ("FINI_ARRAY", "FINI_ARRAYSZ"),
    ("PREINIT_ARRAY", "PREINIT_ARRAYSZ"),
)
SECTION_ARRAYS = ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY", "SHT_PREINIT_ARRAY")


def sure(elf: ELFFile, memory: Memory, areas: Areas, dynamic: Dynamic) -> Iterator[int]:
    """Keys of what the kernel, the loader and the start-up code call, and of functions that tables
    name."""
    if elf.header.e_entry:
        yield elf.header.e_entry
    for name in ("INIT", "FINI"):
        if dynamic.tag(name):
            yield dynamic.tag(name)
    yield from _arrays(elf, memory, dynamic)
    for symbol in dynamic.symbols:
        if symbol.defined and symbol.kind in (FUNCTION, RESOLVER) and symbol.value:
            yield symbol.value
    resolver = IRELATIVE.get(elf.header.e_machine)
    for _, kind, _, addend in dynamic.relocations:
        if kind == resolver:
            yield addend
    if not areas.is_arm:
        yield from unwinding.eh_frame(elf, memory)
    for section in elf.iter_sections():
        header = section.header
        if section.name in (".init", ".fini", ".plt", ".iplt") and header.sh_size:
            yield header.sh_addr


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


def unwound(elf: ELFFile, memory: Memory, areas: Areas, plausible: Plausible) -> Iterator[int]:
    """Keys of functions that `.ARM.exidx` names, each in the state that it is plausible in."""
    starts = sorted(dict(unwinding.exidx(elf, memory)).items())
    for (start, can), (end, _) in pairwise([*starts, (starts[-1][0] + 64 if starts else 0, True)]):
        area = areas.at(start)
        if area is None:
            continue
        seen = area.seen[(start - area.start) // 2]
        if seen:
            yield start | (seen == 2)
        elif plausible.looks_like_arm(start, min(end, start + 4096)):
            if can or plausible.run(start) is not None:
                yield start
        elif plausible.run(start | 1) is not None:
            yield start | 1
