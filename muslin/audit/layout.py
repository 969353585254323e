"""How an ELF file is laid out: that its tables are sound, and that what is loaded as code is what
the sections say, for those are what is looked at."""

from __future__ import annotations

import io
from collections.abc import Container, Iterator
from itertools import pairwise

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section
from elftools.elf.segments import Segment

SMALLEST = 40
"""Bytes of a section's header in a 32-bit file; 64 in others."""
SMALLEST_SEGMENT = 32
"""The same of a segment's; 56."""
SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 0x2, 0x4, 0x800
PF_X = 0x1
FILLING = b"\0\x90\xcc"
"""What linkers put between sections: zeros; on x86 nops and traps."""


class Elf(ELFFile):
    """An ELF file that reads each section's header once; looking again at all takes most of the
    time otherwise."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self._read: dict[int, Section] = {}

    def get_section(self, n: int, type: Container[str] | None = None) -> Section:  # noqa: A002  # pyelftools' name
        if type is not None:
            return super().get_section(n, type)
        if n not in self._read:
            self._read[n] = super().get_section(n)
        return self._read[n]


def is_code(section: Section) -> bool:
    """Whether it is executable and there; its type says nothing, for linkers put any into code."""
    return bool(section.header.sh_flags & SHF_EXECINSTR) and section.header.sh_size > 0


def content(elf: ELFFile, section: Section) -> bytes:
    """A section's bytes as they are loaded."""
    elf.stream.seek(section.header.sh_offset)
    read: bytes = elf.stream.read(section.header.sh_size)
    return read


def faults(elf: ELFFile, size: int, *, linked: bool) -> Iterator[str]:
    """What is not sound in a file of that many bytes, in words."""
    for fault in _tables(elf, size):
        yield fault
        return  # nothing else can be read
    yield from _code(elf)
    if linked:
        yield from _loaded(elf)


def _tables(elf: ELFFile, size: int) -> Iterator[str]:
    """Tables and sections that lead out of the file."""
    header = elf.header
    # Numbers that do not fit into the header are in the first section.
    if header.e_shoff and header.e_shoff + elf.num_sections() * header.e_shentsize > size:
        yield "its section table leads out of it"
    if header.e_phoff and header.e_phoff + elf.num_segments() * header.e_phentsize > size:
        yield "its program table leads out of it"
    if (header.e_shoff and header.e_shentsize < SMALLEST) or header.e_shoff > size:
        yield "its section headers overlap"
    if header.e_phnum and header.e_phentsize < SMALLEST_SEGMENT:
        yield "its program headers overlap"
    symbols = 0
    for index, section in enumerate(elf.iter_sections()):
        header = section.header
        held = header.sh_type not in ("SHT_NOBITS", "SHT_NULL")
        symbols += header.sh_type == "SHT_SYMTAB"
        if held and header.sh_offset + header.sh_size > size:
            yield f"section {index} leads out of it"
    if symbols > 1:
        yield "it has several tables of symbols"


def _code(elf: ELFFile) -> Iterator[str]:
    """Executable sections that are not to be read as they lie, or lie over each other."""
    places = []
    for section in filter(is_code, elf.iter_sections()):
        header = section.header
        if header.sh_type == "SHT_NOBITS":
            yield f"{section.name} is code that the file does not hold"
        elif header.sh_flags & SHF_COMPRESSED:
            yield f"{section.name} is code that is compressed"
        else:
            places.append((header.sh_offset, header.sh_offset + header.sh_size, section.name))
    for (_, end, name), (start, _, other) in pairwise(sorted(places)):
        if start < end:
            yield f"{name} and {other} lie over each other"


def _loaded(elf: ELFFile) -> Iterator[str]:
    """Where a linked file's segments and sections tell two stories."""
    segments = [one for one in elf.iter_segments() if one.header.p_type == "PT_LOAD"]
    sections = [one for one in elf.iter_sections() if _is_loaded(one)]
    if any(one.header.p_filesz for one in segments) and not any(map(is_code, sections)):
        yield "it has code and no section that says where"
        return
    for section in sections:
        if not any(_has(segment, section) for segment in segments):
            yield f"{section.name} is loaded from elsewhere, or not at all"
    for segment in segments:
        if segment.header.p_flags & PF_X:
            yield from _gaps(elf, segment, sections)
    entry = elf.header.e_entry & (~1 if elf.header.e_machine == "EM_ARM" else ~0)
    if entry and not any(
        one.header.sh_addr <= entry < one.header.sh_addr + one.header.sh_size
        for one in sections
        if is_code(one)
    ):
        yield f"it starts at {entry:#x}, which is in no section of code"


def _is_loaded(section: Section) -> bool:
    header = section.header
    return bool(
        header.sh_flags & SHF_ALLOC
        and header.sh_size
        and header.sh_type not in ("SHT_NOBITS", "SHT_NULL")
    )


def _has(segment: Segment, section: Section) -> bool:
    """Whether a segment loads a section's bytes to its address."""
    whole, part = segment.header, section.header
    at = part.sh_addr - whole.p_vaddr
    return bool(
        part.sh_offset - whole.p_offset == at and at >= 0 and at + part.sh_size <= whole.p_filesz
    )


def _gaps(elf: ELFFile, segment: Segment, sections: list[Section]) -> Iterator[str]:
    """What an executable segment loads that is in no section, and is no header and no filling."""
    header = elf.header
    known = [
        (0, header.e_ehsize),
        (header.e_phoff, header.e_phoff + header.e_phnum * header.e_phentsize),
        *((one.header.sh_offset, one.header.sh_offset + one.header.sh_size) for one in sections),
    ]
    at = segment.header.p_offset
    end = at + segment.header.p_filesz
    for start, stop in (*sorted(known), (end, end)):
        if start > at:
            elf.stream.seek(at)
            if elf.stream.read(min(start, end) - at).strip(FILLING):
                yield f"bytes {at:#x} to {min(start, end):#x} are loaded as code, in no section"
        at = max(at, stop)
        if at >= end:
            return
