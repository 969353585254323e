"""What an ELF file contains: every instruction of its executable sections.

On ARM and AArch64 mapping symbols say what is code of which kind and what is data (ELF for the Arm
Architecture, IHI 0044, section 5.5.5); they are gone once a program is stripped, so this comes
before.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import capstone
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from recipes.audit import aarch64, arm, x86
from recipes.audit.baseline import Baseline
from recipes.audit.finding import Finding, Place

SHF_EXECINSTR = 0x4
PF_X = 0x1
MAPPING = {"$a": "a", "$t": "t", "$d": "d", "$x": "x"}
CACHE = 1 << 16
"""Instructions whose needs are remembered: most occur over and over."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A stretch of one section that is of one kind."""

    kind: str
    """`a` ARM, `t` Thumb, `x` AArch64 or x86-64, `d` data."""
    start: int
    end: int
    """From the start of the section."""


@dataclass(frozen=True)
class Hit:
    """An instruction and what it needs beyond the baseline."""

    offset: int
    size: int
    needs: str


def is_stripped(elf: ELFFile) -> bool:
    """Whether a program has lost its symbols, those too that tell code from data."""
    tables = (one for one in elf.iter_sections() if isinstance(one, SymbolTableSection))
    return count(elf) > 0 and all(one.header.sh_type != "SHT_SYMTAB" for one in tables)


def without_marks(elf: ELFFile) -> list[str]:
    """Sections of 32-bit ARM code in which no symbol tells code from data, nor ARM from Thumb."""
    if elf.header.e_machine != "EM_ARM":
        return []
    symbols = _symbols(elf)
    return [
        section.name
        for index, section in _sections(elf)
        if section.header.sh_size and not _marks(symbols.get(index, []), starts_at_once=True)
    ]


def is_hidden(elf: ELFFile) -> bool:
    """Whether a program is loaded as code that no section speaks of."""
    loaded = (one.header for one in elf.iter_segments())
    return count(elf) == 0 and any(
        one.p_type == "PT_LOAD" and one.p_flags & PF_X and one.p_filesz for one in loaded
    )


def count(elf: ELFFile) -> int:
    """Bytes in executable sections."""
    return sum(section.header.sh_size for _, section in _sections(elf))


def findings(elf: ELFFile, place: Place, baseline: Baseline) -> Iterator[Finding]:
    """What needs more than the baseline has, one finding for each symbol and need."""
    if not baseline.code:
        return
    symbols = _symbols(elf)
    for index, section in _sections(elf):
        content, names = section.data(), Names(symbols.get(index, []), section)
        found: dict[tuple[str, str], list[tuple[Hit, str]]] = {}
        for run in runs(symbols.get(index, []), section, baseline):
            for hit in _hits(run, content, baseline):
                found.setdefault((names.at(hit.offset), hit.needs), []).append((hit, run.kind))
        for (symbol, needs), hits in found.items():
            first, kind = hits[0]
            code = content[first.offset : first.offset + first.size]
            yield Finding(
                place=place,
                what=needs,
                section=section.name,
                symbol=symbol,
                address=section.header.sh_addr + first.offset,
                instruction=_shown(code, kind, baseline),
                count=len(hits),
            )


def _sections(elf: ELFFile) -> Iterator[tuple[int, Section]]:
    for index, section in enumerate(elf.iter_sections()):
        if section.header.sh_flags & SHF_EXECINSTR and section.header.sh_type == "SHT_PROGBITS":
            yield index, section


@dataclass(frozen=True, order=True)
class Symbol:
    """A name in a section."""

    offset: int
    """From the start of the section, without the bit that says Thumb."""
    name: str


def _symbols(elf: ELFFile) -> dict[int, list[Symbol]]:
    """The symbols of each section, by its index, in the order of their places."""
    found: dict[int, list[Symbol]] = {}
    thumb = elf.header.e_machine == "EM_ARM"
    starts = [section.header.sh_addr for section in elf.iter_sections()]
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        for symbol in table.iter_symbols():
            index = symbol.entry.st_shndx
            if isinstance(index, int) and index < len(starts) and symbol.name:
                offset = symbol.entry.st_value - starts[index]
                offset &= ~1 if thumb and not symbol.name.startswith("$") else ~0
                found.setdefault(index, []).append(Symbol(offset, symbol.name))
    return {index: sorted(some) for index, some in found.items()}


def runs(symbols: list[Symbol], section: Section, baseline: Baseline) -> Iterator[Run]:
    """The section cut at its mapping symbols; without any it is code of the usual kind."""
    size = section.header.sh_size
    if baseline.code == "x86_64":
        yield Run(kind="x", start=0, end=size)
        return
    marks = [mark for mark in _marks(symbols) if 0 <= mark[0] <= size]
    if not marks or marks[0][0] > 0:
        marks.insert(0, (0, "x" if baseline.code == "aarch64" else "a"))
    for (start, kind), (end, _) in zip(marks, [*marks[1:], (size, "")], strict=True):
        if kind != "d" and start < end:
            yield Run(kind=kind, start=start, end=min(end, size))


def _marks(symbols: list[Symbol], *, starts_at_once: bool = False) -> list[tuple[int, str]]:
    """Offset and kind of the mapping symbols; of several at one place code counts. None at all
    where the first is not at the start and `starts_at_once` asks for that."""
    marks = sorted(
        (
            (one.offset, MAPPING[one.name[:2]])
            for one in symbols
            if one.name[:2] in MAPPING and one.name[2:3] in ("", ".")
        ),
        key=lambda mark: (mark[0], mark[1] != "d"),
    )
    return [] if starts_at_once and marks and marks[0][0] > 0 else marks


class Names:
    """Which symbol an instruction of a section belongs to."""

    def __init__(self, symbols: list[Symbol], section: Section) -> None:
        named = [one for one in symbols if one.name[0] not in "$."]  # those are marks and labels
        self._starts = [one.offset for one in named]
        self._names = [one.name for one in named]
        self._section = section.name

    def at(self, offset: int) -> str:
        """The last symbol at or before an offset; the section's name if there is none."""
        index = bisect.bisect_right(self._starts, offset) - 1
        return self._names[index] if index >= 0 else self._section


# --- what instructions need ------------------------------------------------------------------


@functools.lru_cache(CACHE)
def _a32(word: int) -> tuple[str, ...]:
    return tuple(arm.a32(word))


@functools.lru_cache(CACHE)
def _t32(word: int) -> tuple[str, ...]:
    return tuple(arm.t32(word >> 16, word & 0xFFFF))


@functools.lru_cache(CACHE)
def _a64(word: int) -> tuple[str, ...]:
    return tuple(aarch64.a64(word))


def _hits(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    match run.kind, baseline.code:
        case "a", "arm":
            yield from _words(run, content, baseline, _a32)
        case "t", "arm":
            yield from _thumb(run, content, baseline)
        case "x", "aarch64":
            yield from _words(run, content, baseline, _a64)
        case "x", "x86_64":
            yield from _x86(run, content, baseline)
        case kind, code:
            raise AssertionError(f"no code of kind {kind} is in a file for {code}")


def _words(
    run: Run, content: bytes, baseline: Baseline, needs: Callable[[int], tuple[str, ...]]
) -> Iterator[Hit]:
    has = baseline.has
    for offset in range(run.start, run.end - 3, 4):
        for need in needs(int.from_bytes(content[offset : offset + 4], "little")):
            if need not in has:
                yield Hit(offset, 4, need)


def _thumb(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    has, offset = baseline.has, run.start
    while offset + 2 <= run.end:
        first = int.from_bytes(content[offset : offset + 2], "little")
        size, needs = 2, tuple[str, ...]()
        if arm.is_wide(first) and offset + 4 <= run.end:
            second = int.from_bytes(content[offset + 2 : offset + 4], "little")
            size, needs = 4, _t32(first << 16 | second)
        else:
            needs = tuple(arm.t16(first))
        for need in needs:
            if need not in has:
                yield Hit(offset, size, need)
        offset += size


def _x86(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    decoder = _decoder("x", baseline)
    decoder.skipdata = True
    for offset, size, name, _ in decoder.disasm_lite(content[run.start : run.end], run.start):
        for need in x86.needs(name):
            if need not in baseline.has:
                yield Hit(offset, size, need)


def _decoder(kind: str, baseline: Baseline) -> capstone.Cs:
    match baseline.code, kind:
        case "arm", "t":
            return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8)
        case "arm", _:
            return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8)
        case "aarch64", _:
            return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        case _:
            return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def _shown(content: bytes, kind: str, baseline: Baseline) -> str:
    """An instruction for people; its bytes where the disassembler does not know it."""
    for _, _, name, operands in _decoder(kind, baseline).disasm_lite(content, 0):
        return f"{name} {operands}".rstrip()
    return f".inst {content[::-1].hex()}"
