"""What an ELF file contains: every instruction of its executable sections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import capstone
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from recipes.audit import aarch64, arm, flow, layout, symbols, x86
from recipes.audit.baseline import Baseline
from recipes.audit.finding import Finding, Place
from recipes.audit.symbols import CALLED, WIDTH, Names, Symbol

FOR_THE_LINKER = ".gnu.lto_"
"""How sections begin of which a linker makes code. LLVM's, `.llvmbc`, are beside code."""
NOTHING = (0xBF00, 0x46C0, 0xE320F000, 0xE1A00000, 0xF3AF8000, 0xD503201F)
"""The instructions that assemblers fill with: Thumb's, ARM's and AArch64's."""
HALF_AN_INSTRUCTION = "its other half, which is not there"
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


def is_for_the_linker(elf: ELFFile) -> bool:
    """Whether its code is still to be made, by the linker."""
    return count(elf) == 0 and any(
        section.name.startswith(FOR_THE_LINKER) for section in elf.iter_sections()
    )


def count(elf: ELFFile) -> int:
    """Bytes in executable sections."""
    return sum(section.header.sh_size for _, section in _sections(elf))


def findings(elf: ELFFile, place: Place, baseline: Baseline) -> Iterator[Finding]:
    """What needs more than the baseline has, one finding for each symbol and need; and what keeps
    code from being told from data."""
    if not baseline.code:
        return
    known = symbols.of(elf)
    for fault in _misplaced(elf, known):
        yield Finding(place=place, what=fault)
    for index, section in _sections(elf):
        there, content = known.get(index, []), layout.content(elf, section)
        names = Names(there, section)
        if baseline.code != "x86_64":
            for fault in _wrong_marks(there, section, baseline):
                yield Finding(place=place, what=fault)
        found: dict[tuple[str, str], list[tuple[Hit, str]]] = {}
        for run in runs(there, content, baseline):
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
    return ((at, one) for at, one in enumerate(elf.iter_sections()) if layout.is_code(one))


def _misplaced(elf: ELFFile, known: dict[int, list[Symbol]]) -> Iterator[str]:
    """Functions in sections that are no code."""
    for index, there in known.items():
        section = elf.get_section(index)
        if not layout.is_code(section):
            for one in there:
                if one.kind in CALLED and one.size:
                    yield f"its function {one.name} lies in {section.name}, which is no code"


def _wrong_marks(there: Sequence[Symbol], section: Section, baseline: Baseline) -> Iterator[str]:
    marks = symbols.marks(there)
    # Of 32 bits code may be ARM or Thumb: without a mark at the start nobody knows.
    if baseline.code == "arm" and not (marks and marks[0][0] <= 0):
        yield f"no mapping symbols say what in {section.name} is code"
    for fault in symbols.wrong_marks(there, section.header.sh_size):
        yield f"{section.name}: {fault}"


def runs(there: Sequence[Symbol], content: bytes, baseline: Baseline) -> Iterator[Run]:
    """A section's code in stretches of one kind each.

    What a mark calls data is code all the same where the instruction before it goes on there, or
    where a function starts: assembler files write instructions as numbers for old assemblers.
    """
    size = len(content)
    if baseline.code == "x86_64":
        # Anew at every function: what is before it may be a table, and end in half an instruction.
        starts = {one.offset for one in there if one.kind in (*CALLED, "STT_NOTYPE")}
        inside = sorted(one for one in starts if 0 < one < size)
        yield from (Run(kind="x", start=a, end=b) for a, b in pairwise([0, *inside, size]))
        return
    usual = "x" if baseline.code == "aarch64" else "a"
    marks = [mark for mark in symbols.marks(there) if 0 <= mark[0] <= size]
    if not marks or marks[0][0] > 0:
        marks.insert(0, (0, usual))
    functions = {one.offset: "t" if one.thumb else usual for one in there if one.kind in CALLED}
    before = Run(kind="d", start=0, end=0)
    for (start, kind), (end, _) in pairwise([*marks, (size, "")]):
        if start == end:
            continue
        if kind != "d":
            before = Run(kind=kind, start=start, end=end)
            yield before
            continue
        if before.kind != "d" and before.end == start and _goes_on(before, content):
            yield from _until_it_ends(Run(kind=before.kind, start=start, end=end), content)
        covered: dict[tuple[str, int], int] = {}
        for at in sorted(one for one in functions if start <= one < end):
            way = (functions[at], at % WIDTH[functions[at]])
            if at >= covered.get(way, 0):  # else what a function before it runs into
                for run in _until_it_ends(Run(kind=way[0], start=at, end=end), content):
                    covered[way] = run.end
                    yield run
        before = Run(kind="d", start=start, end=end)


def _goes_on(run: Run, content: bytes) -> bool:
    """Whether the processor goes on behind a stretch of code. A call is taken not to return: a
    pool of constants is behind many a call that does not."""
    goes_on, last = False, 0
    for instruction in _instructions(run, content):
        if instruction in NOTHING:  # it aligns what comes
            goes_on = goes_on or not last
        elif instruction:  # linkers fill with zeros between objects
            goes_on, last = True, instruction
    return goes_on and not (last and _ends(run.kind, last))


def _until_it_ends(run: Run, content: bytes) -> Iterator[Run]:
    """The instructions from the start on that are come by in turn."""
    at = run.start
    for instruction in _instructions(run, content):
        at += 2 if run.kind == "t" and instruction < 1 << 16 else 4
        if _ends(run.kind, instruction):
            break
    if at > run.start:
        yield Run(kind=run.kind, start=run.start, end=at)


def _instructions(run: Run, content: bytes) -> Iterator[int]:
    """Each as a number; one of Thumb's with four bytes has its first half above the second."""
    at, width = run.start, WIDTH[run.kind]
    while at + width <= run.end:
        word = int.from_bytes(content[at : at + width], "little")
        at += width
        if run.kind == "t" and arm.is_wide(word) and at + 2 <= run.end:
            word = word << 16 | int.from_bytes(content[at : at + 2], "little")
            at += 2
        yield word


def _ends(kind: str, instruction: int) -> bool:
    match kind:
        case "a":
            return flow.ends_a32(instruction)
        case "t":
            return flow.ends_thumb(instruction)
        case _:
            return flow.ends_a64(instruction)


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
    rest = (run.end - run.start) % 4
    if any(content[run.end - rest : run.end]):
        yield Hit(run.end - rest, rest, HALF_AN_INSTRUCTION)


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


def _x86(run: Run, content: bytes, baseline: Baseline) -> Iterator[Hit]:
    decoder = _decoder("x", baseline)
    decoder.skipdata = True
    at = run.start
    while at < run.end:
        begun, at = at, run.end
        for offset, size, name, operands in decoder.disasm_lite(content[begun : run.end], begun):
            for need in x86.needs(name, operands):
                if need not in baseline.has:
                    yield Hit(offset, size, need)
            if name in x86.TRAPS and (more := x86.operand_bytes(content, offset + size)):
                at = offset + size + more
                break


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
