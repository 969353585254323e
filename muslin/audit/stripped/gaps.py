"""What no lead gets to: padding, code that may be run all the same, and the rest."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile

from muslin.audit import layout
from muslin.audit.stripped.a64_text import UNALLOCATED
from muslin.audit.stripped.area import ELSEWHERE, TABLE, Area, Areas
from muslin.audit.stripped.dynamic import Dynamic
from muslin.audit.stripped.leads import RARELY, SURELY_ARM
from muslin.audit.stripped.marks import Level
from muslin.audit.stripped.plausible import MOSTLY, Plausible
from muslin.audit.stripped.reach import Reach

UNKNOWN = re.compile(b"\0+")
FILLING = {
    1: re.compile(
        rb"(?s)(?:\0{8}|\x90|\xcc|(?:\x66)*(?:\x2e)?\x0f\x1f(?:\x00|\x40.|\x44..|\x80.{4}|\x84.{5})"
        rb"|\x66\x90|\xf4(?=\xf4|\x90|\xcc))+"
    ),
    4: re.compile(rb"(?s)(?:\0{4}|\x1f\x20\x03\xd5|\x00\xf0\x20\xe3|\x00\x00\xa0\xe1)+"),
    2: re.compile(
        rb"(?s)(?:\0\0|\x00\xbf|\xc0\x46|\xaf\xf3\x00\x80|\x00\xf0\x20\xe3|\0\0\xa0\xe1)+"
    ),
}
"""What linkers and compilers fill with, by the bytes of a unit: zeros and what does nothing."""
OTHERS = bytes((ELSEWHERE,)) + bytes(255)
BEGINNINGS = {
    2: re.compile(rb"(?s)\0{4}|.[\x40-\x7f\xc0-\xff]\x2d\xe9|\x04\xe0\x2d\xe5|.\xb5|\x2d\xe9"),
    4: re.compile(rb"(?s)\0{4}|\xfd\x7b.\xa9|\x3f\x23\x03\xd5"),
}
"""How functions begin, by the bytes of a unit: they push the address to go back to; and padding."""
NOT_CODE = ("PT_INTERP", "PT_NOTE", "PT_DYNAMIC", "PT_GNU_EH_FRAME", "PT_ARM_EXIDX", "PT_PHDR")


@dataclass(frozen=True)
class Range:
    """Bytes that the file itself says are code, as far as it says anything."""

    area: Area
    name: str
    start: int
    end: int


def ranges(elf: ELFFile, areas: Areas, dynamic: Dynamic) -> list[Range]:
    """The executable sections; without section headers what executable segments have beside tables
    that other headers name."""
    found = list[Range]()
    for section in elf.iter_sections():
        area = areas.at(section.header.sh_addr)
        if layout.is_code(section) and area is not None:
            start = section.header.sh_addr
            end = min(start + section.header.sh_size, area.end)
            found.append(Range(area, section.name, start, end))
    return found or list(_of_segments(elf, areas, dynamic))


def note_others(areas: Areas, all_ranges: list[Range]) -> None:
    """Note that what lies in no range is data, as the file says: only sure leads get there."""
    for area in areas.all:
        code = bytearray(len(area.data))
        for one in all_ranges:
            if one.area is area:
                first, last = (
                    (one.start - area.start) // area.unit,
                    (one.end - area.start) // area.unit,
                )
                code[first:last] = b"\1" * (last - first)
        area.data[:] = code.translate(OTHERS)


def _of_segments(elf: ELFFile, areas: Areas, dynamic: Dynamic) -> Iterator[Range]:
    tables = sorted(_tables(elf, dynamic))
    for segment in elf.iter_segments():
        header = segment.header
        area = areas.at(header.p_vaddr)
        if header.p_type != "PT_LOAD" or area is None or not header.p_flags & layout.PF_X:
            continue
        at, end = header.p_vaddr, min(header.p_vaddr + header.p_filesz, area.end)
        for start, size in (*tables, (end, 0)):
            if start > at:
                yield Range(area, f"segment {header.p_vaddr:#x}", at, min(start, end))
            at = max(at, start + size)
            if at >= end:
                break


def _tables(elf: ELFFile, dynamic: Dynamic) -> Iterator[tuple[int, int]]:
    """Address and size of what is no code."""
    header = elf.header
    for segment in elf.iter_segments():
        if segment.header.p_type == "PT_LOAD" and segment.header.p_offset == 0:
            yield segment.header.p_vaddr, header.e_ehsize
            yield segment.header.p_vaddr + header.e_phoff, header.e_phnum * header.e_phentsize
        if segment.header.p_type in NOT_CODE:
            yield segment.header.p_vaddr, segment.header.p_filesz
    for start, size in (("RELA", "RELASZ"), ("REL", "RELSZ"), ("JMPREL", "PLTRELSZ")):
        yield dynamic.tag(start), dynamic.tag(size)
    if dynamic.tag("SYMTAB") < dynamic.tag("STRTAB"):
        names_end = dynamic.tag("STRTAB") + dynamic.tags.get(10, 0)  # DT_STRSZ
        yield dynamic.tag("SYMTAB"), names_end - dynamic.tag("SYMTAB")


@dataclass
class Gaps:
    """Goes through what was not reached and follows what can be code there."""

    areas: Areas
    reach: Reach
    plausible: Plausible
    unresolved: frozenset[int]
    """Functions with a branch by a register of which nothing is known."""
    named: set[int]
    padding: dict[int, bytearray] = field(default_factory=dict)
    """By the start of an area: 1 for each unit that is padding."""

    def __post_init__(self) -> None:
        mask = 1 if self.areas.is_arm else 0
        self._starts = sorted({key & ~mask for key in self.reach.functions})
        self._named = sorted(self.named)
        self._usual = self.areas.usual() if self.areas.is_arm else (False, False)

    def explore(self, all_ranges: list[Range]) -> None:
        """Follow what can be code, at the walk's level."""
        for one in all_ranges:
            area, unit = one.area, one.area.unit
            first, last = (one.start - area.start) // unit, (one.end - area.start) // unit
            known = self._known(area, first, last)
            in_table, behind = False, first
            for gap in UNKNOWN.finditer(known):
                at = first + gap.start()
                # Padding may lie in a table too.
                in_table = in_table and not any(area.seen[behind:at])
                behind = first + gap.end()
                in_table = self._gap(area, at, behind, in_table=in_table)

    def _known(self, area: Area, first: int, last: int) -> bytes:
        padding = self.padding.setdefault(area.start, bytearray(len(area.seen)))
        total = 0
        for one in (area.seen, area.data, padding):
            total |= int.from_bytes(one[first:last], "little")
        return total.to_bytes(last - first, "little")

    def _gap(self, area: Area, at: int, last: int, *, in_table: bool) -> bool:
        """Go through one; whether a table goes on to its end, if one did to its start."""
        padding = self.padding[area.start]
        while at < last:
            if area.seen[at] or area.data[at] or padding[at]:
                at += 1
            elif filled := self._filling(area, at, last):
                padding[at : at + filled] = b"\1" * filled
                at += filled
            elif self._may_be_code(area, at, in_table=in_table) and self._follow(area, at, last):
                in_table = False
            else:
                behind = self._next_start(area, at, last)
                in_table = in_table or area.start + at * area.unit in self.named
                is_last = self.reach.level is Level.POSSIBLE
                if in_table and is_last and self._is_no_code(area, at, behind):
                    area.data[at:behind] = bytes((TABLE,)) * (behind - at)
                at = behind
        return in_table

    def _is_no_code(self, area: Area, at: int, behind: int) -> bool:
        """Whether bytes behind an address that something names are hardly code."""
        start, end = area.start + at * area.unit, area.start + behind * area.unit
        if area.unit == 1:
            return True
        if self.areas.is_arm:
            return self._usual[0] and self.plausible.share_of_always(start, end) < RARELY
        tops = area.texts[0].content[start - area.start : end - area.start][3::4]
        return any(top in UNALLOCATED for top in tops)

    def _may_be_code(self, area: Area, at: int, *, in_table: bool) -> bool:
        """Whether to try it: nearly everything in a table can be read as x86-64 code."""
        return self._is_wanted(area, at) and not (in_table and area.unit == 1)

    def _is_wanted(self, area: Area, at: int) -> bool:
        """Whether what is not reached is to be followed at this level: probable is what lies in a
        function with a branch by a register of which nothing is known."""
        if self.reach.level is not Level.PROBABLE:
            return True
        index = bisect_right(self._starts, area.start + at * area.unit) - 1
        return index >= 0 and self._starts[index] in self.unresolved

    def _follow(self, area: Area, at: int, last: int) -> bool:
        address, end = area.start + at * area.unit, area.start + last * area.unit
        for key in self._keys(address, end):
            if self.plausible.run(key) is not None:
                self.reach.lead(key)
                return bool(area.seen[at])
        return False

    def _keys(self, address: int, end: int) -> list[int]:
        """The states that code may be in, the likely one first; on 32-bit ARM not the one that the
        program does not use, unless it has a lot of marks of it."""
        if not self.areas.is_arm:
            return [address]
        arm_usual, thumb_usual = self._usual
        always = self.plausible.share_of_always(address, min(end, address + 64))
        if arm_usual:
            return [address]
        if thumb_usual and always < SURELY_ARM:
            return [address | 1]
        return [address] if always >= MOSTLY else [address | 1]

    @staticmethod
    def _filling(area: Area, at: int, last: int) -> int:
        content = area.texts[0].content
        found = FILLING[area.unit].match(content, at * area.unit, last * area.unit)
        return (found.end() - found.start()) // area.unit if found else 0

    def _next_start(self, area: Area, at: int, last: int) -> int:
        """Where code may begin next: behind padding, or where something names an address."""
        content, unit = area.texts[0].content, area.unit
        if unit == 1:
            return min(last, (at | 15) + 1)
        found = BEGINNINGS[unit].search(content, (at + 1) * unit, last * unit)
        behind = max(found.start() // unit, at + 1) if found else last
        index = bisect_right(self._named, area.start + at * unit)
        if index < len(self._named):
            behind = min(behind, max((self._named[index] - area.start) // unit, at + 1))
        return min(behind + (behind & 1), last) if self._usual[0] else behind  # whole words
