"""Jump tables of x86-64, by the names of instructions before the jump."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Instruction = tuple[int, int, str, str]
"""Offset, size, name and operands."""
ABSOLUTE = re.compile(r"qword ptr \[(r\w+)\*8 \+ (0x[0-9a-f]+)\]")
RELATIVE = re.compile(r"(r\w+), dword ptr \[(r\w+) \+ (r\w+)\*4\]")
NEAR = re.compile(r"(r\w+), \[rip ([+-]) (0x[0-9a-f]+|\d+)\]")
COMPARED = re.compile(r"(\w+), (0x[0-9a-f]+|\d+)")


@dataclass(frozen=True)
class Found:
    """A table: its address, whether it holds distances from there, and how many entries."""

    address: int
    is_relative: bool
    bound: int | None


def table(before: Sequence[Instruction], start: int) -> Found | None:
    """The table of the last of some instructions, which is a jump, in code at an address."""
    operands = before[-1][3]
    if by_memory := ABSOLUTE.fullmatch(operands):
        return Found(int(by_memory[2], 0), False, _bound(before, by_memory[1]))
    for index in range(len(before) - 2, -1, -1):
        _, _, name, text = before[index]
        if name == "movsxd" and (load := RELATIVE.fullmatch(text)):
            address = _near(before[: len(before) - 1], load[2], start)
            if address is None:
                return None
            return Found(address, True, _bound(before[:index], load[3]))
    return None


def _near(before: Sequence[Instruction], register: str, start: int) -> int | None:
    for offset, size, name, operands in reversed(before):
        near = NEAR.fullmatch(operands) if name == "lea" else None
        if near and near[1] == register:
            return start + offset + size + int(f"{near[2]}{int(near[3], 0)}")
    return None


def _bound(before: Sequence[Instruction], register: str) -> int | None:
    """The number of values that a comparison leaves to an index."""
    names, jump = _parts(register), ""
    for _, _, name, operands in reversed(before):
        if name in ("ja", "jae"):
            jump = name
        elif name == "cmp" and (compared := COMPARED.fullmatch(operands)):
            if compared[1] not in names or not jump:
                return None
            return int(compared[2], 0) + (jump == "ja")
        elif name == "and" and (masked := COMPARED.fullmatch(operands)) and masked[1] in names:
            return int(masked[2], 0) + 1
        elif name in ("mov", "movzx", "movsxd") and operands.partition(",")[0] in names:
            names |= _parts(operands.partition(", ")[2])
    return None


OLD = ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")


def _parts(register: str) -> frozenset[str]:
    """The names of a register and its lower parts."""
    for old in OLD:
        low = f"{old[0]}l" if old[1] == "x" else f"{old}l"
        names = frozenset((f"r{old}", f"e{old}", old, low))
        if register in names:
            return names
    plain = register.rstrip("dwb")
    return frozenset((plain, f"{plain}d", f"{plain}w", f"{plain}b"))
