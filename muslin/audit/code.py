"""What an ELF file contains: every instruction of its executable sections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import Section, SymbolTableSection

from muslin.audit import (
    aarch64,
    arm,
    beyond,
    layout,
    ppc,
    riscv,
    symbols,
    walk,
    x86_code,
)
from muslin.audit.baseline import Baseline
from muslin.audit.finding import Finding, Hit, Place
from muslin.audit.memory import Memory
from muslin.audit.shown import shown
from muslin.audit.stretches import Run, runs, wrong_marks
from muslin.audit.symbols import CALLED, Names, Symbol

FOR_THE_LINKER = ".gnu.lto_"
"""How sections begin of which a linker makes code. LLVM's, `.llvmbc`, are beside code."""
HALF_AN_INSTRUCTION = "its other half, which is not there"
CACHE = 1 << 16
"""Instructions whose needs are remembered: most occur over and over."""


def is_stripped(elf: ELFFile) -> bool:
    """Whether a program has lost its symbols, those too that tell code from data."""
    tables = (one for one in elf.iter_sections() if isinstance(one, SymbolTableSection))
    return count(elf) > 0 and all(one.header.sh_type != "SHT_SYMTAB" for one in tables)


def is_for_the_linker(elf: ELFFile) -> bool:
    """Whether its code is still to be made, by the linker."""
    return count(elf) == 0 and any(
        section.name.startswith(FOR_THE_LINKER) for section in elf.iter_sections()
    )


def count(elf: ELFFile) -> int:
    """Bytes in executable sections."""
    return sum(section.header.sh_size for _, section in _sections(elf))


def findings(
    elf: ELFFile, place: Place, baseline: Baseline, *, whole: Memory | None = None
) -> Iterator[Finding]:
    """What needs more than the baseline has, one finding for each symbol and need; and what keeps
    code from being told from data. `whole` is a linked file as it is loaded."""
    if not baseline.code:
        return
    known = symbols.of(elf)
    for fault in _misplaced(elf, known):
        yield Finding(place=place, what=fault)
    looked = beyond.Looked(baseline)
    for index, section in _sections(elf):
        there, content = known.get(index, []), layout.content(elf, section)
        names = Names(there, section)
        if not baseline.is_x86:
            for fault in wrong_marks(there, section, baseline):
                yield Finding(place=place, what=fault)
        found: dict[tuple[str, str], list[tuple[Hit, str]]] = {}
        relocated = functools.partial(_relocated, elf, index)
        part = beyond.Part(address=section.header.sh_addr, content=content)
        part.filled_in = relocated
        part.runs = [*runs(there, content, baseline, relocated)]
        looked.parts.append(part)
        looked.functions += [part.address + one.offset for one in there if one.kind in CALLED]
        for hit, kind in _all_hits(part, baseline, whole):
            found.setdefault((names.at(hit.offset), hit.needs), []).append((hit, kind))
        for (symbol, needs), hits in found.items():
            first, kind = hits[0]
            code = content[first.offset : first.offset + first.size]
            yield Finding(
                place=place,
                what=needs,
                section=section.name,
                symbol=symbol,
                address=section.header.sh_addr + first.offset,
                instruction=shown(code, kind, baseline),
                count=len(hits),
            )
    if whole is not None:
        yield from _beyond(elf, place, looked, whole, known)


def _beyond(
    elf: ELFFile,
    place: Place,
    looked: beyond.Looked,
    whole: Memory,
    known: dict[int, list[Symbol]],
) -> Iterator[Finding]:
    """What is met where a program goes beyond its sections' code."""
    found: dict[tuple[str, str, str], list[walk.Met]] = {}
    for met in beyond.walk(elf, looked, whole):
        if not met.size:
            yield Finding(place=place, what=met.needs)
            continue
        section, symbol = _around(elf, known, met.address)
        found.setdefault((section, symbol, met.needs), []).append(met)
    for (section, symbol, needs), all_met in found.items():
        first = all_met[0]
        yield Finding(
            place=place,
            what=needs,
            section=section,
            symbol=symbol,
            address=first.address,
            instruction=shown(whole.bytes_at(first.address, first.size), first.kind, looked.of),
            count=len(all_met),
        )


def _around(elf: ELFFile, known: dict[int, list[Symbol]], address: int) -> tuple[str, str]:
    """The names of the section and the symbol that an address lies in."""
    for index, section in enumerate(elf.iter_sections()):
        start = section.header.sh_addr
        if start and start <= address < start + section.header.sh_size:
            return section.name, Names(known.get(index, []), section).at(address - start)
    return "no section", ""


def _sections(elf: ELFFile) -> Iterator[tuple[int, Section]]:
    return ((at, one) for at, one in enumerate(elf.iter_sections()) if layout.is_code(one))


def _misplaced(elf: ELFFile, known: dict[int, list[Symbol]]) -> Iterator[str]:
    """Functions in sections that are no code."""
    for index, there in known.items():
        section = elf.get_section(index)
        if not layout.is_code(section):
            for one in there:
                if one.kind in CALLED:
                    yield f"its function {one.name} lies in {section.name}, which is no code"


def _relocated(elf: ELFFile, index: int) -> set[int]:
    """The places of a section that a linker still fills in."""
    return {
        relocation["r_offset"]
        for table in elf.iter_sections()
        if isinstance(table, RelocationSection) and table.header.sh_info == index
        for relocation in table.iter_relocations()
    }


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


@functools.lru_cache(CACHE)
def _riscv(number: int) -> tuple[str, ...]:
    return tuple(riscv.needs(number))


@functools.lru_cache(CACHE)
def _ppc(word: int) -> tuple[str, ...]:
    return tuple(ppc.needs(word))


def _all_hits(
    part: beyond.Part, baseline: Baseline, whole: Memory | None
) -> Iterator[tuple[Hit, str]]:
    if baseline.is_x86:
        yield from ((hit, "x") for hit in x86_code.hits(part, baseline, whole))
        return
    for run in part.runs:
        yield from ((hit, run.kind) for hit in _hits(run, part.content, baseline))


def _hits(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    match run.kind, baseline.code:
        case "a", "arm":
            yield from _words(run, content, baseline, _a32)
        case "t", "arm":
            yield from _thumb(run, content, baseline)
        case "x", "aarch64":
            yield from _words(run, content, baseline, _a64)
        case "p", "ppc":
            yield from _prefixed(run, content, baseline)
        case "v", "riscv":
            yield from _by_length(run, content, baseline)
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
    rest = (run.end - run.start) % 4
    if any(content[run.end - rest : run.end]):
        yield Hit(run.end - rest, rest, HALF_AN_INSTRUCTION)


def _prefixed(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    """Words, less the second of an instruction that has a prefix."""
    behind = run.start
    for hit in _words(run, content, baseline, _ppc):
        if hit.offset >= behind:
            prefix = hit.needs == ppc.PREFIXED
            behind = hit.offset + (8 if prefix else 4)
            yield Hit(hit.offset, min(behind, run.end) - hit.offset, hit.needs) if prefix else hit


def _by_length(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    """Instructions that say how long they are."""
    has, offset = baseline.has, run.start
    while offset + 2 <= run.end:
        size = riscv.size(content[offset])
        if offset + size > run.end:
            break
        for need in _riscv(int.from_bytes(content[offset : offset + size], "little")):
            if need not in has:
                yield Hit(offset, size, need)
        offset += size
    if any(content[offset : run.end]):
        yield Hit(offset, run.end - offset, HALF_AN_INSTRUCTION)


def _thumb(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    has, offset = baseline.has, run.start
    while offset + 2 <= run.end:
        first = int.from_bytes(content[offset : offset + 2], "little")
        size, needs = 2, tuple[str, ...]()
        if not arm.is_wide(first):
            needs = tuple(arm.t16(first))
        elif offset + 4 <= run.end:
            second = int.from_bytes(content[offset + 2 : offset + 4], "little")
            size, needs = 4, _t32(first << 16 | second)
        else:
            needs = (HALF_AN_INSTRUCTION,)
        for need in needs:
            if need not in has:
                yield Hit(offset, size, need)
        offset += size
    if any(content[offset : run.end]):
        yield Hit(offset, run.end - offset, HALF_AN_INSTRUCTION)
