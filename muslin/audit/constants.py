"""Branches whose target a program computes from constants just before: `ldr r3, =f; bx r3`.

Followed are addresses relative to the instruction, constants beside the code, and what is put
together of immediate values, over a few instructions of one stretch. Encodings are of the manuals
that arm.py, aarch64.py and x86.py name.
"""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from muslin.audit import flow
from muslin.audit.flow import signed
from muslin.audit.memory import Memory

WINDOW = 12
"""Instructions before a branch in which its register is followed."""
Branch = tuple[int, int, str]
"""Place, target and state there, as in `flow.branches`."""


def branches(kind: str, start: int, code: bytes, memory: Memory) -> Iterator[Branch]:
    """The branches of a stretch of ARM or AArch64 code by a register, or by a word beside it, that
    lead to what can be run; none of other processors."""
    if kind in ("v", "p"):
        return iter(())
    of = {"a": _a32, "t": _t32, "x": _a64}[kind]
    return (one for one in of(start, code, memory) if memory.is_executable(one[1]))


def _interworking(at: int, to: int | None) -> Iterator[Branch]:
    if to and to & 1:
        yield at, to & ~1, "t"
    elif to and not to & 2:
        yield at, to, "a"


# --- ARM --------------------------------------------------------------------------------------


def _a32(start: int, code: bytes, memory: Memory) -> Iterator[Branch]:
    words = [word for (word,) in struct.iter_unpack("<I", code[: len(code) & ~3])]
    for index, word in enumerate(words):
        at = start + 4 * index
        if (to := add_to_pc(word, at)) is not None:
            yield at, to, "a"
        elif word & 0x0F7FF000 == 0x051FF000 and word >> 28 != 0xF:  # ldr pc, [pc, #n]
            yield from _interworking(at, memory.word(_near(word, at), 4))
        elif word & 0x0FFFFFD0 == 0x012FFF10 or word & 0x0FFFFFF0 == 0x01A0F000:  # bx, blx, mov pc
            first = max(index - WINDOW, 0)
            known = dict[int, int]()
            for back, before in enumerate(words[first:index], first):
                _step_a32(before, start + 4 * back, known, memory)
            yield from _interworking(at, known.get(word & 0xF))


def add_to_pc(word: int, at: int) -> int | None:
    """Where `add pc, pc, #n` and `sub pc, pc, #n` lead."""
    if word >> 28 == 0xF or word & 0x0F0FF000 != 0x020FF000:
        return None
    operation = OPERATIONS.get(word & 0x0FE00000)
    return None if operation is None else operation(at + 8, _rotated(word))


def _near(word: int, at: int) -> int:
    offset = word & 0xFFF
    return at + 8 + (offset if word & 0x00800000 else -offset)


def _step_a32(word: int, at: int, known: dict[int, int], memory: Memory) -> None:
    """What registers hold after an instruction, of those that are known."""
    always = word >> 28 == 0xE
    found = _value_a32(word, at, known, memory) if always else None
    if word & 0x0F000000 == 0x0B000000 or word & 0x0E100000 == 0x08100000:  # bl, ldm
        known.clear()
    known.pop(word >> 12 & 0xF, None)
    if found is not None:
        known[word >> 12 & 0xF] = found & 0xFFFFFFFF
    else:
        known.pop(word >> 16 & 0xF, None)  # of a multiplication, or of what writes back


def _value_a32(word: int, at: int, known: dict[int, int], memory: Memory) -> int | None:
    """What an instruction writes to the register in bits 15 to 12, if that is known."""
    to, of, half = word >> 12 & 0xF, word >> 16 & 0xF, word >> 4 & 0xF000 | word & 0xFFF
    if word & 0x0F7F0000 == 0x051F0000:  # ldr, relative to pc
        return memory.word(_near(word, at), 4)
    if word & 0x0FF00000 == 0x03000000:  # movw
        return half
    if word & 0x0FF00000 == 0x03400000:  # movt
        return known[to] & 0xFFFF | half << 16 if to in known else None
    if word & 0x0FEF0FF0 == 0x01A00000:  # mov of a register
        return known.get(word & 0xF)
    if word & 0x0FEF0000 == 0x03A00000:  # mov
        return _rotated(word)
    have = at + 8 if of == 0xF else known.get(of)
    operation = OPERATIONS.get(word & 0x0FE00000)
    return None if have is None or operation is None else operation(have, _rotated(word))


OPERATIONS: Mapping[int, Callable[[int, int], int]] = MappingProxyType(
    {0x02800000: operator.add, 0x02400000: operator.sub, 0x03800000: operator.or_}
)
"""Of a register and an immediate operand."""


def _rotated(word: int) -> int:
    """An immediate operand: eight bits, rotated."""
    value, turn = word & 0xFF, (word >> 8 & 0xF) * 2
    return (value >> turn | value << (32 - turn)) & 0xFFFFFFFF


# --- Thumb ------------------------------------------------------------------------------------


def _t32(start: int, code: bytes, memory: Memory) -> Iterator[Branch]:
    known, age, conditional = dict[int, int](), 0, 0
    halves = [half for (half,) in struct.iter_unpack("<H", code[: len(code) & ~1])]
    index = 0
    while index < len(halves):
        first, at = halves[index], start + 2 * index
        index += 1
        if first >= 0xE800 and index < len(halves):
            second = halves[index]
            index += 1
            if first & 0xFF7F == 0xF85F and second >> 12 == 0xF:  # ldr pc, [pc, #n]
                offset = second & 0xFFF
                near = (at + 4 & ~3) + (offset if first & 0x80 else -offset)
                yield from _interworking(at, memory.word(near, 4))
            known.clear()
        elif first & 0xFF07 == 0x4700:  # bx, blx
            here = {15: at + 4 & ~3}  # bx pc: on as ARM
            yield from _interworking(at, {**known, **here}.get(first >> 3 & 0xF))
        elif conditional:
            known.clear()
        elif first & 0xFF87 == 0x4687:  # mov pc
            if (to := known.get(first >> 3 & 0xF)) is not None:
                yield at, to & ~1, "t"
        else:
            age = _step_t16(first, at, known, age, memory)
        conditional = flow.conditional_after(first) or max(conditional - 1, 0)


def _step_t16(half: int, at: int, known: dict[int, int], age: int, memory: Memory) -> int:
    """As `_step_a32`; how many instructions it is since anything was known."""
    to, value = half >> 8 & 7, half & 0xFF
    match half >> 11:
        case 0b01001:  # ldr, relative to pc
            word = memory.word((at + 4 & ~3) + 4 * value, 4)
        case 0b10100:  # adr
            word = (at + 4 & ~3) + 4 * value
        case 0b00100:  # movs
            word = value
        case 0b00110 if to in known:  # adds
            word = known[to] + value
        case 0b00111 if to in known:  # subs
            word = known[to] - value
        case 0b10110 | 0b11010 | 0b11011 | 0b11100 | 0b10111 | 0b01000:
            # push, pop, branches and what works on any register
            return _after(known, age, {*range(16)} if half >> 11 != 0b10110 else set())
        case _:  # the lowest bits, or those, name the result
            return _after(known, age, {half & 7, to})
    known.pop(to, None)
    if word is not None:
        known[to] = word & 0xFFFFFFFF
    return 0


def _after(known: dict[int, int], age: int, written: set[int]) -> int:
    for register in written:
        known.pop(register, None)
    if age >= WINDOW:
        known.clear()
    return age + 1


# --- AArch64 ----------------------------------------------------------------------------------


def _a64(start: int, code: bytes, memory: Memory) -> Iterator[Branch]:
    words = [word for (word,) in struct.iter_unpack("<I", code[: len(code) & ~3])]
    for index, word in enumerate(words):
        if word & 0xFF9FFC1F == 0xD61F0000 and word >> 5 & 0x1F != 30:  # br, blr, ret
            first = max(index - WINDOW, 0)
            known = dict[int, int]()
            for back, before in enumerate(words[first:index], first):
                _step_a64(before, start + 4 * back, known, memory)
            if to := known.get(word >> 5 & 0x1F):
                yield start + 4 * index, to, "x"


def _step_a64(word: int, at: int, known: dict[int, int], memory: Memory) -> None:
    found = _value_a64(word, at, known, memory)
    if word & 0xFC000000 == 0x94000000:  # bl
        known.clear()
    if word & 0x0A000000 == 0x08000000:  # loads and stores, of one or two, and where they are
        for register in (word >> 10 & 0x1F, word >> 5 & 0x1F):
            known.pop(register, None)
    known.pop(word & 0x1F, None)
    if found is not None:
        known[word & 0x1F] = found & (1 << 64) - 1


def _value_a64(word: int, at: int, known: dict[int, int], memory: Memory) -> int | None:
    """What an instruction writes to the register in bits 4 to 0, if that is known."""
    to, of, shift = word & 0x1F, word >> 5 & 0x1F, 16 * (word >> 21 & 3)
    half = (word >> 5 & 0xFFFF) << shift
    if word & 0x1F000000 == 0x10000000:  # adr, adrp
        offset = signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
        return (at & ~0xFFF) + (offset << 12) if word >> 31 else at + offset
    if word & 0xFF000000 == 0x58000000:  # ldr, relative to pc
        return memory.word(at + 4 * signed(word >> 5 & 0x7FFFF, 19), 8)
    if word & 0xDF800000 == 0xD2800000:  # movz, movk
        kept = known.get(to) if word & 0x20000000 else 0
        return None if kept is None else kept & ~(0xFFFF << shift) | half
    if word & 0xFFE0FFE0 == 0xAA0003E0:  # mov of a register
        return known.get(word >> 16 & 0x1F)
    if word & 0xBF800000 == 0x91000000 and of in known:  # add, sub
        value = (word >> 10 & 0xFFF) << (12 if word & 0x400000 else 0)
        return known[of] + (-value if word & 0x40000000 else value)
    return None


# --- x86 --------------------------------------------------------------------------------------

BY_MEMORY = re.compile(r"qword ptr \[rip ([+-]) (0x[0-9a-f]+|\d+)\]")
BY_ADDRESS = re.compile(r"([dq]word) ptr \[(0x[0-9a-f]+|\d+)\]")
WORDS = {"dword": 4, "qword": 8}
RELATIVE = re.compile(r"(r[a-z0-9]{1,3}), \[rip ([+-]) (0x[0-9a-f]+|\d+)\]")
IMMEDIATE = re.compile(r"(r[a-z0-9]{1,3}|e[a-z]{2}), (0x[0-9a-f]+|\d+)")
NAMES = {
    **{f"e{two}": f"r{two}" for two in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")},
    **{f"r{number}d": f"r{number}" for number in range(8, 16)},
}
"""Names of the lower halves of registers: what is written there clears the upper ones."""


def x86_64(window: Iterable[tuple[int, int, str, str]], address: int, memory: Memory) -> int | None:
    """Where the last of some instructions (offset, size, name, operands) of a section at an address
    leads, if a constant says it."""
    known, pushed, to = dict[str, int](), None, None
    for offset, size, whole, operands in window:
        name, behind, to = whole.rsplit(" ", 1)[-1], address + offset + size, None
        if name in ("jmp", "call"):
            to = known.get(NAMES.get(operands, operands))
            if by := BY_MEMORY.fullmatch(operands):
                to = memory.word(behind + int(f"{by[1]}{int(by[2], 0)}"), 8)
            elif by := BY_ADDRESS.fullmatch(operands):
                to = memory.word(int(by[2], 0), WORDS[by[1]])
            known.clear()
        elif name == "ret":
            to = pushed
            pushed = None
        elif name == "push":
            of = NAMES.get(operands, operands)
            pushed = int(operands, 0) if operands[:1].isdigit() else known.get(of)
        else:
            pushed = None
            _step_x86(behind, name, operands, known)
    return to


def _step_x86(behind: int, name: str, operands: str, known: dict[str, int]) -> None:
    written = operands.partition(",")[0]
    register, found = NAMES.get(written, written), None
    if name == "lea" and (relative := RELATIVE.fullmatch(operands)):
        found = behind + int(f"{relative[2]}{int(relative[3], 0)}")
    elif constant := IMMEDIATE.fullmatch(operands):
        value = int(constant[2], 0)
        if name in ("mov", "movabs"):
            found = value
        elif name in ("add", "sub") and register in known:
            found = known[register] + (value if name == "add" else -value)
    known.pop(register, None)
    if found is not None:
        known[register] = found & (1 << 64) - 1
