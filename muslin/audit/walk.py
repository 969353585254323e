"""Where a program goes beyond what its sections and marks call code.

All of the sections' code is looked at (`code.py`). This follows what leads out of it: the entry
point, what the loader calls, branches and what comes next, over the borders of sections, in the
state that the processor is in, until nothing new is found.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile

from muslin.audit import aarch64, arm, flow, ppc, riscv, riscv_flow, x86, x86_decoder
from muslin.audit.baseline import Baseline
from muslin.audit.memory import Memory, Part
from muslin.audit.stretches import Run, ends, word
from muslin.audit.symbols import WIDTH

ARM, THUMB, OTHER, INSIDE = 1, 2, 4, 8
"""What a byte was looked at as: the start of an instruction in one of these states, or the second
half of one of Thumb's."""
STATES = {"a": ARM, "t": THUMB, "x": OTHER, "v": OTHER, "p": OTHER}
USUAL = {"EM_ARM": "a", "EM_RISCV": "v", "EM_PPC64": "p"}
"""What the kernel starts, by machine, where the address says no more; `x` others."""
MOST, DEEPEST = 200, 8
"""Instructions of a function, and calls within calls, among which a way back is looked for."""
ARRAYS = ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY", "SHT_PREINIT_ARRAY")
"""Types of sections that hold what the program's start-up code calls."""


@dataclass(frozen=True)
class Lead:
    """Something that has the processor go on at an address, in a state."""

    to: int
    kind: str
    why: str
    """In words, for people."""


@dataclass(frozen=True)
class Met:
    """What was met on the way and does not fit."""

    address: int
    needs: str
    """What an instruction needs, or what is wrong with a lead."""
    size: int = 0
    """Bytes of the instruction; 0 where it is the lead."""
    kind: str = ""


@dataclass(frozen=True)
class Decoded:
    """One instruction."""

    size: int
    number: int = 0
    """Of ARM and AArch64: a Thumb instruction of four bytes has its first half above the second."""
    needs: tuple[str, ...] = ()
    leads: tuple[tuple[int, str], ...] = ()
    ends: bool = False
    """Whether what lies behind is never run after it."""
    calls: bool = False


@dataclass
class Walk:
    """A program, what of it was looked at, and what is left to follow."""

    memory: Memory
    baseline: Baseline
    seen: dict[int, bytearray] = field(default_factory=dict)
    """By the start of a part: what each of its bytes was looked at as."""
    leads: list[Lead] = field(default_factory=list)
    _returning: dict[tuple[int, str], bool] = field(default_factory=dict)

    def looked_at(self, start: int, marks: bytes) -> None:
        """Note what each byte from an address on was looked at as."""
        if (part := self.memory.at(start)) is None:
            return
        seen = self._seen(part)
        begin = start - part.start
        length = min(len(marks), len(seen) - begin)
        old = int.from_bytes(seen[begin : begin + length], "little")
        new = old | int.from_bytes(marks[:length], "little")
        seen[begin : begin + length] = new.to_bytes(length, "little")

    def was_looked_at(self, address: int, kind: str) -> bool:
        """Whether an instruction was, in this state."""
        part = self.memory.at(address)
        return part is not None and bool(self._seen(part)[address - part.start] & STATES[kind])

    def returns(self, address: int, kind: str, depth: int = 0) -> bool:
        """Whether a function surely comes back on one of its ways: one without a branch by a
        register, and without a call of anything but such functions."""
        if depth > DEEPEST:
            return False
        if (address, kind) not in self._returning:
            self._returning[address, kind] = False  # while it is looked at, for what calls itself
            self._returning[address, kind] = self._comes_back(address, kind, depth)
        return self._returning[address, kind]

    def _comes_back(self, address: int, kind: str, depth: int) -> bool:
        left, been = [address], set[int]()
        while left and len(been) < MOST:
            at = left.pop()
            part = self.memory.at(at)
            if at in been or part is None or not part.executable:
                continue
            been.add(at)
            one = decoded(part, at - part.start, kind, self.baseline)
            if flow.is_return(kind, one.number):
                return True
            if flow.is_call(kind, one.number):
                if any(self.returns(to, state, depth + 1) for to, state in one.leads):
                    left.append(at + one.size)
                continue
            left += [to for to, state in one.leads if state == kind]
            if not one.ends:
                left.append(at + one.size)
        return False

    def run(self) -> Iterator[Met]:
        """Follow every lead to its end."""
        told = set[tuple[int, str]]()
        while self.leads:
            lead = self.leads.pop()
            part = self.memory.at(lead.to)
            if part is not None and part.executable:
                yield from self._follow(part, lead)
            elif lead.to and (lead.to, lead.why) not in told:  # 0: a weak symbol, undefined
                told.add((lead.to, lead.why))
                yield Met(lead.to, f"{lead.why} leads to {lead.to:#x}, where no code is loaded")

    def _seen(self, part: Part) -> bytearray:
        if part.start not in self.seen:
            self.seen[part.start] = bytearray(len(part.content))
        return self.seen[part.start]

    def _follow(self, part: Part, lead: Lead) -> Iterator[Met]:
        seen, at, bit = self._seen(part), lead.to, STATES[lead.kind]
        if (what := seen[at - part.start]) and not what & bit and bit != OTHER:
            how = "into the middle of an instruction" if what & INSIDE else "in the other state"
            yield Met(at, f"{lead.why} leads to {at:#x}, {how}")
        conditional, before = 0, list[int]()
        while not seen[at - part.start] & bit:
            seen[at - part.start] |= bit
            one = decoded(part, at - part.start, lead.kind, self.baseline)
            for need in one.needs:
                if need not in self.baseline.has:
                    yield Met(at, need, one.size, lead.kind)
            self.leads.extend(Lead(to, kind, f"a branch at {at:#x}") for to, kind in one.leads)
            if one.ends and not conditional:
                return
            if lead.kind == "t":
                conditional = flow.conditional_after(one.number) or max(conditional - 1, 0)
            before = [*before[-flow.LOOK_BACK :], one.number]
            if flow.is_exit(lead.kind, before):
                return
            at += one.size
            if at >= part.end:
                self.leads.append(Lead(at, lead.kind, f"the code before {at:#x}"))
                return


def marks(run: Run, content: bytes) -> bytes:
    """What each byte of a stretch of code was looked at as, but of x86."""
    length = run.end - run.start
    if run.kind == "v":
        found = bytearray(length)
        for start, _ in riscv_flow.instructions(0, content[run.start : run.end]):
            found[start] = OTHER
        return bytes(found)
    if run.kind != "t":
        return (bytes([STATES[run.kind]]) + b"\0\0\0") * (length // 4)
    found, at = bytearray(length), 0
    while at + 2 <= length:
        found[at] = THUMB
        wide = arm.is_wide(int.from_bytes(content[run.start + at : run.start + at + 2], "little"))
        if wide and at + 4 <= length:
            found[at + 2] = INSIDE
            at += 2
        at += 2
    return bytes(found)


def roots(elf: ELFFile, memory: Memory) -> Iterator[Lead]:
    """What the kernel starts, and what the program's own start-up code calls."""
    usual = USUAL.get(elf.header.e_machine, "x")

    def lead(to: int, why: str) -> Lead:
        return Lead(to & ~1, "t", why) if usual == "a" and to & 1 else Lead(to, usual, why)

    if elf.header.e_entry:
        yield lead(elf.header.e_entry, "the entry point")
    size = elf.elfclass // 8
    nothing = {0, (1 << 8 * size) - 1}
    for section in elf.iter_sections():
        if section.header.sh_type in ARRAYS:
            start, end = section.header.sh_addr, section.header.sh_addr + section.header.sh_size
            places = range(start, end - size + 1, size)
            for to in {memory.word(at, size) or 0 for at in places} - nothing:
                yield lead(to, f"{section.name}")


# --- one instruction -------------------------------------------------------------------------


def decoded(part: Part, offset: int, kind: str, baseline: Baseline) -> Decoded:
    """The instruction at an offset of a part of memory. A call is taken to return."""
    at, content = part.start + offset, part.content[offset : offset + x86.LONGEST]
    if baseline.is_x86:
        return _x86(at, content, baseline)
    number, size = word(content, 0, WIDTH[kind]), WIDTH[kind]
    if kind == "t" and arm.is_wide(number):
        number, size = number << 16 | word(content, 2, 2), 4
    if kind == "v" and (size := riscv.size(number & 0xFF)) > len(content[:size]):
        return Decoded(size=2, needs=(riscv.UNKNOWN,), ends=True)
    if kind == "v":
        number = word(content, 0, size)
    match kind:
        case "a":
            needs = tuple(arm.a32(number))
        case "t":
            needs = tuple(arm.t32(number >> 16, number & 0xFFFF) if size == 4 else arm.t16(number))
        case "v":
            needs = tuple(riscv.needs(number))
        case "p":
            needs = tuple(ppc.needs(number))
            size = 8 if ppc.PREFIXED in needs else 4
        case _:
            needs = tuple(aarch64.a64(number))
    return Decoded(
        size=size,
        number=number,
        needs=needs,
        leads=tuple((to, state) for _, to, state in flow.branches(kind, at, content[:size])),
        ends=ends(kind, number) and not flow.is_call(kind, number),
    )


_disassembler = functools.cache(x86_decoder.made)


def _x86(at: int, content: bytes, baseline: Baseline) -> Decoded:
    for _, length, name, operands in _disassembler(baseline.bits).disasm_lite(content, at, 1):
        trap, code = name in x86.TRAPS, content[:length]
        leads = [int(operands, 0)] if x86.leads(name, operands) else []
        if baseline.bits == 64:
            leads += x86.other_reading(at, code, name)
        return Decoded(
            size=length + (x86.operand_bytes(content, length) if trap else 0),
            number=x86.number(name, operands, baseline.bits),
            needs=tuple(x86.needs(name, operands, code, baseline.bits)),
            leads=tuple((to, "x") for to in leads),
            ends=name in x86.ENDS,
            calls=name.endswith("call"),
        )
    return Decoded(size=1, needs=(x86.UNKNOWN,), ends=True)
