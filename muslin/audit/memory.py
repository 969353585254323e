"""What a linked ELF file is in memory, as Linux maps it (fs/binfmt_elf.c, elf_load).

Whole pages are mapped: what the file has beside a segment's bytes, in its first and last page, is
there too and can be run. A segment that is writable and longer in memory has zeros behind its bytes
instead.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from dataclasses import dataclass

from elftools.construct.lib.container import Container
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

PF_X, PF_W = 0x1, 0x2
PAGE = 4096
RELATIVE = {"EM_X86_64": 8, "EM_AARCH64": 1027, "EM_RISCV": 3, "EM_PPC64": 22}
"""Types of relocations that add where the program lies: R_X86_64_RELATIVE and its like."""
LARGEST = 65536
"""Of the pages that AArch64's and PowerPC's kernels are built with; a file is aligned for those
that it can be loaded with."""


@dataclass(frozen=True)
class Part:
    """A stretch of memory that a segment maps."""

    start: int
    content: bytes
    executable: bool

    @property
    def end(self) -> int:
        return self.start + len(self.content)


class Memory:
    """The parts of a program that come from its file."""

    def __init__(self, elf: ELFFile, content: bytes) -> None:
        self.parts = sorted(_parts(elf, content), key=lambda one: one.start)
        self._starts = [one.start for one in self.parts]
        self._elf = elf

    @functools.cached_property
    def _filled_in(self) -> dict[int, int | None]:
        """What the loader writes to places, by tables that hold it; None for what is not known."""
        relative = RELATIVE.get(self._elf.header.e_machine)
        return {
            one["r_offset"]: one["r_addend"] if one["r_info_type"] == relative else None
            for table in self._elf.iter_sections()
            if isinstance(table, RelocationSection) and table.is_RELA()
            for one in table.iter_relocations()
        }

    def at(self, address: int) -> Part | None:
        """The part that an address lies in."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self.parts[index].end:
            return self.parts[index]
        return None

    def is_executable(self, address: int) -> bool:
        """Whether what lies there can be run."""
        part = self.at(address)
        return part is not None and part.executable

    def bytes_at(self, address: int, size: int) -> bytes:
        """What lies there, as far as one part goes."""
        part = self.at(address)
        return b"" if part is None else part.content[address - part.start :][:size]

    def word(self, address: int, size: int) -> int | None:
        """A number in memory once the program is loaded, least byte first; None where that is not
        known."""
        if address in self._filled_in:
            return self._filled_in[address]
        part = self.at(address)
        if part is None or address + size > part.end:
            return None
        offset = address - part.start
        return int.from_bytes(part.content[offset : offset + size], "little")


def _parts(elf: ELFFile, content: bytes) -> list[Part]:
    parts: list[Part] = []
    for segment in elf.iter_segments():
        if segment.header.p_type == "PT_LOAD" and segment.header.p_filesz:
            part = _mapped(elf, segment.header, content)
            parts = [*(piece for one in parts for piece in _less(one, part)), part]
    return parts


def _mapped(elf: ELFFile, header: Container, content: bytes) -> Part:
    page = PAGE
    if elf.header.e_machine in ("EM_AARCH64", "EM_PPC64"):
        page = max(page, min(header["p_align"], LARGEST))
    before = header["p_vaddr"] % page
    start, end = header["p_vaddr"] - before, header["p_vaddr"] + header["p_filesz"]
    first = max(header["p_offset"] - before, 0)
    last = header["p_offset"] + header["p_filesz"]
    tail = -end % page
    zeroed = header["p_flags"] & PF_W and header["p_memsz"] > header["p_filesz"]
    more = b"\0" * tail if zeroed else content[last : last + tail]
    return Part(start, content[first:last] + more, bool(header["p_flags"] & PF_X))


def _less(part: Part, other: Part) -> list[Part]:
    """What is left of a part where a later one is mapped over it."""
    left = Part(part.start, part.content[: max(other.start - part.start, 0)], part.executable)
    behind = max(other.end, part.start)
    right = Part(behind, part.content[behind - part.start :], part.executable)
    return [one for one in (left, right) if one.content]
