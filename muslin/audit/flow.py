"""Where code goes: instructions behind which nothing is run, and branches.

Masks are of the manuals that arm.py and aarch64.py name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from muslin.audit import ppc_flow, riscv_flow

ENDS_A32 = (
    (0x0E000000, 0x0A000000),  # b, bl
    (0x0FFFFFD0, 0x012FFF10),  # bx, blx
    (0x0E50F000, 0x0410F000),  # ldr pc
    (0x0E50F010, 0x0610F000),  # the same with a register; with bit 4 it is no load
    (0x0E108000, 0x08108000),  # ldm with pc
    (0x0FF000F0, 0x07F000F0),  # udf
    (0x0FF000F0, 0x01200070),  # bkpt
)
ENDS_T16 = (
    (0xF800, 0xE000),  # b
    (0xFF00, 0x4700),  # bx, blx
    (0xFD87, 0x4487),  # add and mov to pc
    (0xFF00, 0xBD00),  # pop with pc
    (0xFF00, 0xDE00),  # udf
    (0xFF00, 0xBE00),  # bkpt
)
ENDS_T32 = (
    (0xF800D000, 0xF0009000),  # b
    (0xF800C000, 0xF000C000),  # bl, blx
    (0xFFF0FFE0, 0xE8D0F000),  # tbb, tbh
    (0xFE70F000, 0xF850F000),  # ldr pc
    (0xFE508000, 0xE8108000),  # ldm, pop with pc
    (0xFFF0F000, 0xF7F0A000),  # udf
    (0xFFFFFF00, 0xF3DE8F00),  # subs pc, lr
)


def ends_a32(word: int) -> bool:
    """Whether nothing is run behind an ARM instruction: it branches, calls or stops, always."""
    if word >> 28 == 0xF:
        return word & 0x0E000000 == 0x0A000000  # blx
    return word >> 28 == 0xE and (
        _writes_pc(word) or any(word & mask == bits for mask, bits in ENDS_A32)
    )


def _writes_pc(word: int) -> bool:
    """Whether it is data processing with pc for a result: no comparison, which has none, nor what
    lies among the comparisons (msr, hints) or the multiplications."""
    return (
        word & 0x0C00F000 == 0x0000F000
        and word & 0x01800000 != 0x01000000
        and word & 0x02000090 != 0x00000090
    )


def ends_thumb(instruction: int) -> bool:
    """The same for a Thumb instruction of two or four bytes, where no `it` is before it."""
    table = ENDS_T32 if instruction >> 16 else ENDS_T16
    return any(instruction & mask == bits for mask, bits in table)


def conditional_after(instruction: int) -> int:
    """How many of the next Thumb instructions have a condition by this one, an `it`."""
    mask = instruction & 0xF
    if instruction & 0xFFFFFF00 != 0xBF00 or not mask or instruction & 0xE0 == 0xE0:
        return 0
    return 4 - (mask & -mask).bit_length() + 1


ENDS_A64 = (
    (0x7C000000, 0x14000000),  # b, bl
    (0xFE000000, 0xD6000000),  # br, blr, ret and so on
    (0xFFE0001F, 0xD4200000),  # brk
    (0xFFE0001F, 0xD4400000),  # hlt
    (0xFFFF0000, 0x00000000),  # udf
)


def ends_a64(word: int) -> bool:
    """The same for AArch64."""
    return any(word & mask == bits for mask, bits in ENDS_A64)


CALLS = {
    "a": ((0x0F000000, 0x0B000000), (0xFE000000, 0xFA000000), (0x0FFFFFF0, 0x012FFF30)),
    "t": ((0xF800C000, 0xF000C000), (0xFFFFFF80, 0x00004780)),  # bl, blx
    "x": ((0xFC000000, 0x94000000), (0xFFFFFC1F, 0xD63F0000)),  # bl, blr
    "v": riscv_flow.CALLS,
    "p": ppc_flow.CALLS,
}
"""Instructions that come back behind themselves, if what they call returns."""
SYSTEM_CALLS = {
    "a": ((0x0F000000, 0x0F000000),),
    "t": ((0xFFFFFF00, 0x0000DF00),),
    "x": ((0xFFE0001F, 0xD4000001), (-1, -2)),
    "v": riscv_flow.SYSTEM_CALLS,
    "p": ppc_flow.SYSTEM_CALLS,
}


RETURNS = {
    "a": (
        (0x0FFFFFFF, 0x012FFF1E),  # bx lr
        (0x0FFFFFFF, 0x01A0F00E),  # mov pc, lr
        (0x0FFF8000, 0x08BD8000),  # pop with pc
        (0x0FFFFFFF, 0x049DF004),  # pop of pc alone
    ),
    "t": ((0xFFFFFFFF, 0x4770), (0xFFFFFF00, 0xBD00), (0xFFFF8000, 0xE8BD8000)),
    "x": ((0xFFFFFFFF, 0xD65F03C0),),
    "v": riscv_flow.RETURNS,
    "p": ppc_flow.RETURNS,
}


def is_return(kind: str, number: int) -> bool:
    """Whether an instruction goes back to who called."""
    return any(number & mask == bits for mask, bits in RETURNS[kind])


LOOK_BACK = 8
"""Instructions before a system call among which is the one that says which it is."""
EXITS = {
    "a": (0xE3A07001, 0xE3A070F8),  # mov r7, #1 (exit) and #248 (exit_group)
    "t": (0x2701, 0x27F8),
    # mov x8 or w8, #93 and #94; and what x86.py says
    "x": (0xD2800BA8, 0xD2800BC8, 0x52800BA8, 0x52800BC8, -1),
    "v": riscv_flow.EXITS,
    "p": ppc_flow.EXITS,
}
"""Instructions that say that the next system call does not return."""


def is_call(kind: str, number: int) -> bool:
    """Whether an instruction calls a function."""
    return any(number & mask == bits for mask, bits in CALLS[kind])


def is_system_call(kind: str, number: int) -> bool:
    """Whether an instruction calls the kernel."""
    return any(number & mask == bits for mask, bits in SYSTEM_CALLS[kind])


def is_exit(kind: str, numbers: Sequence[int]) -> bool:
    """Whether the last of some instructions is a system call that does not return."""
    said = any(number in EXITS[kind] for number in numbers)
    return said and is_system_call(kind, numbers[-1])


def branches(kind: str, start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    """The branches of a stretch of code that say where they go: place, target and kind there.
    Places count from where `start` does."""
    match kind:
        case "a":
            yield from _branches_a32(start, code)
        case "t":
            yield from _branches_thumb(start, code)
        case "v":
            yield from riscv_flow.branches(start, code)
        case "p":
            yield from ppc_flow.branches(start, code)
        case _:
            yield from _branches_a64(start, code)


def signed(number: int, bits: int) -> int:
    """A number of so many bits whose highest says that it is less than nothing."""
    return number - (1 << bits) if number >> (bits - 1) else number


def _words(start: int, code: bytes) -> Iterator[tuple[int, int]]:
    words = struct.iter_unpack("<I", code[: len(code) & ~3])
    return ((start + 4 * index, word) for index, (word,) in enumerate(words))


def _branches_a32(start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    for at, word in _words(start, code):
        if word & 0x0E000000 == 0x0A000000:
            to = at + 8 + 4 * signed(word & 0xFFFFFF, 24)
            if word >> 28 == 0xF:  # blx
                yield at, to + (word >> 23 & 2), "t"
            else:
                yield at, to, "a"


def _branches_a64(start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    for at, word in _words(start, code):
        if word & 0x1C000000 != 0x14000000:
            continue
        if word & 0x7C000000 == 0x14000000:  # b, bl
            yield at, at + 4 * signed(word & 0x3FFFFFF, 26), "x"
        elif word & 0x7E000000 == 0x34000000 or word & 0xFE000000 == 0x54000000:  # cbz, b.cond
            yield at, at + 4 * signed(word >> 5 & 0x7FFFF, 19), "x"
        elif word & 0x7E000000 == 0x36000000:  # tbz
            yield at, at + 4 * signed(word >> 5 & 0x3FFF, 14), "x"


def _branches_thumb(start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    halves = [half for (half,) in struct.iter_unpack("<H", code[: len(code) & ~1])]
    index = 0
    while index < len(halves):
        first, at = halves[index], start + 2 * index
        index += 1
        if first < 0xE800:
            if first & 0xF000 == 0xD000 and first & 0x0E00 != 0x0E00:  # b with a condition
                yield at, at + 4 + 2 * signed(first & 0xFF, 8), "t"
            elif first & 0xF800 == 0xE000:  # b
                yield at, at + 4 + 2 * signed(first & 0x7FF, 11), "t"
            elif first & 0xF500 == 0xB100:  # cbz, cbnz
                yield at, at + 4 + (first >> 3 & 0x40 | first >> 2 & 0x3E), "t"
        elif index < len(halves):
            second = halves[index]
            index += 1
            if first & 0xF800 == 0xF000 and second & 0x8000:
                yield from _branches_t32(at, first, second)


def _branches_t32(at: int, first: int, second: int) -> Iterator[tuple[int, int, str]]:
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    low = (second & 0x7FF) << 1
    if second & 0x5000 == 0:  # b with a condition; with 111 for one it is something else
        if first & 0x0380 != 0x0380:
            to = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3F) << 12 | low
            yield at, at + 4 + signed(to, 21), "t"
        return
    i1, i2 = 1 - (j1 ^ sign), 1 - (j2 ^ sign)
    to = signed(sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12 | low, 25)
    if second & 0x5000 == 0x4000:  # blx, to a word
        yield at, (at + 4 & ~3) + to, "a"
    else:  # b, bl
        yield at, at + 4 + to, "t"
