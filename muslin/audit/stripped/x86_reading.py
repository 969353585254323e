"""x86-64 code, which a disassembler reads as far as a walk comes.

Instructions have any length, so what one begins at is noted byte by byte. What is read from the
middle of an instruction of another reading is kept aside, up to where both readings meet.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import capstone

from muslin.audit import x86
from muslin.audit.stripped.step import (
    CALLS,
    GOES_ON,
    LEADS,
    RETURNS,
    UNDEFINED,
    UNLIKELY,
)

Instruction = tuple[int, str, str]
"""Size, name and operands."""
CHUNK = 160
"""Bytes that are read at once."""
BEGINS, STOPS, INSIDE = 1, 2, 4
STOP = re.compile(bytes((STOPS,)))
SHAPE = bytes.maketrans(bytes((0, STOPS)), bytes((INSIDE, BEGINS)))
RARE = frozenset(
    f"{x86.BEGAN_WITH['kernel']} lahf sahf enter xlatb retf retfq lcall ljmp int fbld fbstp fisttp "
    "lar lsl verr verw str sldt sgdt sidt smsw lfs lgs lss cmpsw scasw lodsw stosw pushf popf "
    "fldenv fnstenv fnsave frstor fcom fcomp ficom ficomp ffreep".split()
) - {"hlt"}
"""What programs hardly have, and what data are read as."""
WITH_OPERANDS = ("add", "lea", "mov", "pextrw")
"""Names of instructions whose operands tell something."""
NEAR = re.compile(r"\[rip ([+-]) (0x[0-9a-f]+|\d+)\]")
NUMBER = re.compile(r"\w+, (0x[0-9a-f]+)")


@functools.cache
def flow_of(name: str) -> int | None:  # noqa: PLR0911  # one for each kind
    """What an instruction of a name does, but for its operands; None where it only goes on."""
    last = name.rsplit(" ", 1)[-1]
    if last.startswith("ret") or last.startswith("iret"):
        return RETURNS
    if last in ("ud2", "hlt", "int3", *x86.TRAPS):
        return 0
    if last == "syscall":
        return GOES_ON
    if last in ("call", "lcall"):
        return CALLS
    if last in ("jmp", "ljmp"):
        return 0x100
    if x86.is_branch(name):
        return GOES_ON | LEADS
    if name == ".byte":
        return UNDEFINED
    return GOES_ON | UNLIKELY if last in RARE else None


@dataclass(frozen=True)
class Block:
    """What is read from an offset up to an instruction that may branch."""

    stop: int
    begins: tuple[int, ...]
    """Offsets of the instructions that were kept aside."""
    meets: int
    """The offset from which on the usual reading holds."""


class Reading:
    """What was read of x86-64 code at an address so far."""

    def __init__(self, start: int, content: bytes) -> None:
        self.start = start
        self.content = content
        self.needs = dict[int, tuple[int, tuple[str, ...]]]()
        """By offset of what needs anything beyond x86-64 as it began: size and needs."""
        self.addresses = dict[int, int]()
        """By offset: an address that an instruction puts into a register."""
        self._begun, self._covered = bytearray(len(content)), bytearray(len(content))
        self._flows = dict[int, Instruction]()
        self._aside = dict[int, Block]()
        self._plain = set[str]()
        """Names of instructions of which nothing has to be noted."""
        self._decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._decoder.skipdata = True

    def _is_aside(self, at: int) -> bool:
        return at < len(self.content) and bool(self._covered[at]) and not self._begun[at]

    def _usual(self, at: int) -> int:
        while at < len(self.content):
            if not self._begun[at]:
                self._read(at)
            found = STOP.search(self._begun, at)
            stop = found.start() if found else len(self.content)
            # What lies between has to be read without a break.
            hole = self._covered.find(0, at, stop)
            if hole < 0:
                return stop
            self._read(hole)
        return len(self.content)

    def _read(self, at: int) -> None:
        """Read on from an offset that was not read yet."""
        last = at
        chunk = self.content[at : at + CHUNK + x86.LONGEST]
        for begin, length, name, operands in self._decoder.disasm_lite(chunk, self.start + at):
            offset = begin - self.start
            if self._begun[offset] or offset - at >= CHUNK:
                return
            if self._covered[offset]:  # another reading: what was read last leads into it
                self._flows.setdefault(last, (offset - last, "nop", ""))
                self._begun[last] = STOPS
                return
            size = length
            if name not in self._plain and (name != "mov" or "[" not in operands):
                size = self._note(offset, length, name, operands)
            self._begun[offset] = STOPS if offset in self._flows else BEGINS
            self._covered[offset : offset + size] = b"\1" * size
            last = offset
            if name in x86.TRAPS:
                return

    def _note(self, offset: int, size: int, name: str, operands: str) -> int:
        """Note what an instruction does; its size."""
        if name in x86.TRAPS:
            size += x86.operand_bytes(self.content, offset + size)
        size = min(size, len(self.content) - offset)
        nothing = name == "add" and self.content[offset : offset + 2] == b"\0\0"
        if flow_of(name) is not None or nothing:
            self._flows[offset] = (size, name, operands)
        elif name == "lea" and (near := NEAR.search(operands)):
            distance = int(f"{near[1]}{int(near[2], 0)}")
            self.addresses[offset] = self.start + offset + size + distance
        elif name == "mov" and (number := NUMBER.fullmatch(operands)):
            self.addresses[offset] = int(number[1], 0)
        elif name in x86.BASELINE and name not in WITH_OPERANDS:
            self._plain.add(name)
        code = self.content[offset : offset + size]
        beyond = name not in x86.BASELINE or 0x66 in code
        if beyond and (needs := tuple(x86.needs(name, operands, code))):
            self.needs[offset] = (size, needs)
        elif name == "pextrw" and "[" in operands:
            self.needs[offset] = (size, (x86.SSE41,))
        return size

    def _block(self, at: int) -> Block:
        """What is read from the middle of an instruction of the usual reading."""
        if at not in self._aside:
            begins, here = list[int](), at
            while self._is_aside(here):
                begins.append(here)
                (one,) = self._decoder.disasm_lite(
                    self.content[here : here + x86.LONGEST], self.start + here, 1
                )
                _, length, name, operands = one
                size = self._note(here, length, name, operands)
                if here in self._flows:
                    self._aside[at] = Block(here, tuple(begins), here + size)
                    return self._aside[at]
                here += size
            self._aside[at] = Block(self._usual(here), tuple(begins), here)
        return self._aside[at]
