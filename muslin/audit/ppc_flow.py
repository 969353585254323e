"""Where code of 64-bit PowerPC goes, and the tables that lie in and between its functions.

Encodings are of the Power ISA, version 2.07 B, book I, chapter 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

ENDS = (
    (0xFC000000, 0x48000000),  # b, bl
    (0xFE8007FE, 0x4E800020),  # bclr, bcctr and bctar, always
    (0xFE8007FE, 0x4E800420),
    (0xFE8007FE, 0x4E800460),
    (0xFFE007FE, 0x7FE00008),  # tw, td, always
    (0xFFE007FE, 0x7FE00088),
    (0xFFFFFFFF, 0x00000000),  # no instruction
)
CALLS = (
    (0xFC000001, 0x48000001),  # bl
    (0xFC000001, 0x40000001),  # bcl
    (0xFC0007FF, 0x4C000021),  # bclrl, bcctrl, bctarl
    (0xFC0007FF, 0x4C000421),
    (0xFC0007FF, 0x4C000461),
)
RETURNS = ((0xFFFFFFFF, 0x4E800020),)
SYSTEM_CALLS = ((0xFFFFFFFF, 0x44000002),)
EXITS = (0x38000001, 0x380000EA)
"""`li r0, 1` (exit) and `li r0, 234` (exit_group)."""
NOTHING = (0x60000000,)
BCTR = 0x4E800420
FAR = 1 << 18
"""Bytes that a jump table leads back at most: compilers write functions that are shorter."""
LANGUAGES = 16
"""Numbers of languages in tables for tracing."""
ASSEMBLER = 12
LONGEST_NAME = 256


def ends(word: int) -> bool:
    """Whether nothing is run behind an instruction: it branches, calls or stops, always."""
    return any(word & mask == bits for mask, bits in ENDS)


def branches(start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    """The branches that say where they go, as `flow.branches`."""
    words = struct.iter_unpack("<I", code[: len(code) & ~3])
    for index, (word,) in enumerate(words):
        at = start + 4 * index
        match word >> 26:
            case 18:
                offset = (word & 0x3FFFFFC ^ 0x2000000) - 0x2000000
            case 16:
                offset = (word & 0xFFFC ^ 0x8000) - 0x8000
            case _:
                continue
        yield at, offset if word & 2 else at + offset, "p"


def marks(content: bytes) -> list[tuple[int, str]]:
    """Offset and kind of the stretches of a section, as `symbols.marks`: PowerPC has no mapping
    symbols, tables for tracing behind functions, and jump tables behind the jump."""
    found, at, before = [(0, "p")], 0, 0
    while at + 4 <= len(content):
        word = int.from_bytes(content[at : at + 4], "little")
        length = _jumps(content, at) if before == BCTR else 0
        if not word and not length:
            length = _table(content, at)
        if length:
            found += [(at, "d"), (at + length, "p")]
        before = word
        at += length or 4
    return [mark for mark in found if mark[0] < len(content)]


def _jumps(content: bytes, start: int) -> int:
    """Length of a table of offsets from itself, each to code of the section; 0 where none is.

    Words that are such an offset are no code that a compiler writes: primary opcode 0 has no
    instruction, and that of small negative numbers, 63, works on the last registers there."""
    at = start
    while at + 4 <= len(content):
        offset = int.from_bytes(content[at : at + 4], "little", signed=True)
        inside = -min(start, FAR) <= offset < len(content) - start and offset % 4 == 0
        if not inside or not offset or offset >= 1 << 26:
            break
        at += 4
    return at - start


def _table(content: bytes, at: int) -> int:
    """Length of a table for tracing that begins with a word of zero, which no processor runs; 0
    where none is.

    64-bit ELFv2 ABI, section 2.3.3 of version 1.4 names it; its form is AIX's (sys/debug.h).
    """
    fixed = content[at + 4 : at + 12]
    if fixed[6:] == bytes((ASSEMBLER, 0)) and not any(fixed[:4]):
        fixed = fixed[::-1]  # glibc's assembler files write it as a number of eight bytes
    if len(fixed) < 8 or fixed[0] or fixed[1] >= LANGUAGES:
        return 0
    first, second = fixed[2], fixed[3]
    length = 12
    length += 4 if fixed[6] or fixed[7] >> 1 else 0  # the kinds of parameters
    length += 4 if first & 0x20 else 0  # the offset from the function's start
    length += 4 if second & 0x80 else 0
    if first & 0x08:  # anchors of controlled storage: compilers for Linux write none
        return 0
    if second & 0x40:  # the name
        size = int.from_bytes(content[at + length : at + length + 2], "little")
        name = content[at + length + 2 : at + length + 2 + size]
        if (
            not 0 < len(name) == size < LONGEST_NAME
            or not name.isascii()
            or not name.decode().isprintable()
        ):
            return 0
        length += 2 + size
    length += 1 if second & 0x20 else 0
    length += -length % 4
    return length if at + length <= len(content) else 0
