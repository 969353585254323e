"""Where functions begin by what unwinds them: `.eh_frame` and `.ARM.exidx`, found by segments."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile

from muslin.audit.flow import signed
from muslin.audit.memory import Memory

MOST = 4_000_000
CANNOT = 1
"""EXIDX_CANTUNWIND."""
SORTED = 0x3B
"""DW_EH_PE_datarel and DW_EH_PE_sdata4: how linkers write the table that is searched."""


def eh_frame(elf: ELFFile, memory: Memory) -> Iterator[int]:
    """Starts of functions by the sorted table of PT_GNU_EH_FRAME; without one by the records of
    `.eh_frame`, if sections say where they are."""
    for segment in elf.iter_segments():
        if segment.header.p_type == "PT_GNU_EH_FRAME":
            yield from _sorted(segment.header.p_vaddr, memory)
            return
    section = elf.get_section_by_name(".eh_frame")
    if section is not None and section.header.sh_type != "SHT_NOBITS":
        yield from _records(section.header.sh_addr, section.header.sh_size, memory)


def _sorted(start: int, memory: Memory) -> Iterator[int]:
    head = memory.bytes_at(start, 12)
    if len(head) < 12 or head[0] != 1 or head[2] != 3 or head[3] != SORTED:
        return
    count = min(int.from_bytes(head[8:12], "little"), MOST)
    raw = memory.bytes_at(start + 12, 8 * count)
    for offset, _ in struct.iter_unpack("<ii", raw[: len(raw) // 8 * 8]):
        yield start + offset


def _records(start: int, size: int, memory: Memory) -> Iterator[int]:
    """Each that describes a function, with addresses relative to themselves in four bytes."""
    raw, at = memory.bytes_at(start, size), 0
    while at + 12 <= len(raw):
        length = int.from_bytes(raw[at : at + 4], "little")
        if length in (0, 0xFFFFFFFF):
            return
        if int.from_bytes(raw[at + 4 : at + 8], "little"):
            place = start + at + 8
            yield place + signed(int.from_bytes(raw[at + 8 : at + 12], "little"), 32)
        at += 4 + length


def exidx(elf: ELFFile, memory: Memory) -> Iterator[tuple[int, bool]]:
    """Starts of functions of 32-bit ARM, without the bit that says Thumb, and whether what begins
    there can be unwound."""
    for segment in elf.iter_segments():
        if segment.header.p_type not in ("PT_ARM_EXIDX", 0x70000001):
            continue
        start = segment.header.p_vaddr
        raw = memory.bytes_at(start, min(segment.header.p_filesz, 8 * MOST))
        rows = struct.iter_unpack("<II", raw[: len(raw) // 8 * 8])
        for index, (offset, how) in enumerate(rows):
            yield start + 8 * index + signed(offset & 0x7FFFFFFF, 31) & 0xFFFFFFFF, how != CANNOT
