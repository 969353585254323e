"""What a linked file says to the program loader, read without section headers."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

from muslin.audit.memory import Memory

NEEDED_TAGS = {
    "HASH": 4, "STRTAB": 5, "SYMTAB": 6, "RELA": 7, "RELASZ": 8, "INIT": 12, "FINI": 13, "REL": 17,
    "RELSZ": 18, "JMPREL": 23, "PLTRELSZ": 2, "INIT_ARRAY": 25, "FINI_ARRAY": 26,
    "INIT_ARRAYSZ": 27, "FINI_ARRAYSZ": 28, "PREINIT_ARRAY": 32, "PREINIT_ARRAYSZ": 33,
    "RELRSZ": 35, "RELR": 36, "GNU_HASH": 0x6FFFFEF5, "VERSYM": 0x6FFFFFF0, "PLTREL": 20,
}  # fmt: skip
RELATIVE = {"EM_ARM": 23, "EM_X86_64": 8, "EM_AARCH64": 1027}
IRELATIVE = {"EM_ARM": 160, "EM_X86_64": 37, "EM_AARCH64": 1032}
ABSOLUTE = {"EM_ARM": 2, "EM_X86_64": 1, "EM_AARCH64": 257}
"""Types of relocations that write the program's own addresses: R_*_RELATIVE, what a resolver
returns, and a symbol's value."""
MOST = 4_000_000
"""Entries of one table."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of the dynamic table."""

    name: str
    value: int
    kind: int
    defined: bool


@dataclass
class Dynamic:
    """The dynamic section of a file, as the loader finds it."""

    elf: ELFFile
    memory: Memory

    @functools.cached_property
    def word(self) -> int:
        """Bytes of an address."""
        return int(self.elf.elfclass) // 8

    @functools.cached_property
    def tags(self) -> dict[int, int]:
        """The entries by their tag; of several the last."""
        found = dict[int, int]()
        for segment in self.elf.iter_segments():
            if segment.header.p_type != "PT_DYNAMIC":
                continue
            at = segment.header.p_vaddr
            for _ in range(min(segment.header.p_filesz // (2 * self.word), 1000)):
                tag, value = self._pair(at)
                at += 2 * self.word
                if not tag:
                    break
                found[tag] = value
        return found

    def _pair(self, at: int) -> tuple[int, int]:
        raw = self.memory.bytes_at(at, 2 * self.word)
        half = len(raw) // 2
        return int.from_bytes(raw[:half], "little"), int.from_bytes(raw[half:], "little")

    def tag(self, name: str) -> int:
        """A value; 0 without one."""
        return self.tags.get(NEEDED_TAGS[name], 0)

    @functools.cached_property
    def symbols(self) -> list[Symbol]:
        """All of the dynamic symbols: as many as a hash table says, or lie before the next
        table."""
        start, names = self.tag("SYMTAB"), self.tag("STRTAB")
        size = 24 if self.word == 8 else 16
        if not start:
            return []
        behind = min((at for at in self._tables() if at > start), default=start)
        count = min(self._hashed() or (behind - start) // size, MOST)
        raw = self.memory.bytes_at(start, count * size)
        raw = raw[: len(raw) // size * size]
        text = self.memory.at(names)
        found = list[Symbol]()
        for row in struct.iter_unpack("<IBBHQQ" if self.word == 8 else "<IIIBBH", raw):
            name, info, index, value = (
                (row[0], row[1], row[3], row[4])
                if self.word == 8
                else (row[0], row[3], row[5], row[1])
            )
            at = names - text.start + name if text else 0
            end = text.content.find(b"\0", at) if text else 0
            called = text.content[at : min(end, at + 512)].decode("latin-1") if text else ""
            found.append(Symbol(called, value, info & 0xF, bool(index)))
        return found

    def _tables(self) -> Iterator[int]:
        names = ("STRTAB", "HASH", "GNU_HASH", "RELA", "REL", "JMPREL", "RELR", "VERSYM")
        return (self.tag(name) for name in names)

    def _hashed(self) -> int:
        start = self.tag("HASH")
        return (self.memory.word(start + 4, 4) or 0) if start else 0

    @functools.cached_property
    def relocations(self) -> list[tuple[int, int, int, int]]:
        """Place, type, symbol and addend of each; of tables without addends what the place
        holds."""
        found = list[tuple[int, int, int, int]]()
        rela = self.elf.header.e_machine != "EM_ARM"
        tables = [("RELA", "RELASZ", True), ("REL", "RELSZ", False)]
        if self.tag("JMPREL"):
            tables.append(("JMPREL", "PLTRELSZ", self.tag("PLTREL") == 7 or rela))
        for start, size, has_addend in tables:
            found += self._table(self.tag(start), self.tag(size), has_addend=has_addend)
        relative = RELATIVE.get(self.elf.header.e_machine, 0)
        for place in self._packed():
            found.append((place, relative, 0, self._held(place)))
        return found or list(self._of_sections())

    def _held(self, place: int) -> int:
        return int.from_bytes(self.memory.bytes_at(place, self.word), "little")

    def _table(
        self, at: int, size: int, *, has_addend: bool
    ) -> Iterator[tuple[int, int, int, int]]:
        wide = self.word == 8
        form = ("<QQq" if has_addend else "<QQ") if wide else ("<IIi" if has_addend else "<II")
        length = struct.calcsize(form)
        raw = self.memory.bytes_at(at, min(size, MOST * length)) if at else b""
        for row in struct.iter_unpack(form, raw[: len(raw) // length * length]):
            kind, symbol = (
                (row[1] & 0xFFFFFFFF, row[1] >> 32) if wide else (row[1] & 0xFF, row[1] >> 8)
            )
            yield row[0], kind, symbol, row[2] if has_addend else self._held(row[0])

    def _packed(self) -> Iterator[int]:
        """Places of DT_RELR: an address, then bits for the words behind it."""
        start, bits = self.tag("RELR"), 8 * self.word
        raw = self.memory.bytes_at(start, self.tag("RELRSZ")) if start else b""
        place = 0
        for (entry,) in struct.iter_unpack(
            "<Q" if self.word == 8 else "<I", raw[: len(raw) // self.word * self.word]
        ):
            if not entry & 1:
                yield entry
                place = entry + self.word
                continue
            for bit in range(bits - 1):
                if entry >> (bit + 1) & 1:
                    yield place + bit * self.word
            place += (bits - 1) * self.word

    def _of_sections(self) -> Iterator[tuple[int, int, int, int]]:
        """Those that the program's start-up code applies itself: a static program's
        `.rela.plt`."""
        for section in self.elf.iter_sections():
            header = section.header
            if header.sh_type in ("SHT_RELA", "SHT_REL") and header.sh_flags & 2:
                yield from self._table(
                    header.sh_addr, header.sh_size, has_addend=header.sh_type == "SHT_RELA"
                )
