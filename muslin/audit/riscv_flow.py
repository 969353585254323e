"""Where code of RISC-V goes.

Encodings are of the manual that riscv.py names.
"""

from __future__ import annotations

from collections.abc import Iterator

from muslin.audit import riscv

ENDS = (
    (0x0000007F, 0x0000006F),  # jal
    (0x0000707F, 0x00000067),  # jalr
    (0xFFFFFFFF, 0x00100073),  # ebreak
    (0xFFFFFFFF, 0xC0001073),  # unimp
    (0xFFFFE003, 0x0000A001),  # c.j
    (0xFFFFE07F, 0x00008002),  # c.jr, c.jalr, c.ebreak
    (0xFFFFFFFF, 0x00000000),  # no instruction
)
CALLS = (
    (0x00000FFF, 0x000000EF),  # jal ra, jal t0
    (0x00000FFF, 0x000002EF),
    (0x00007FFF, 0x000000E7),  # jalr ra, jalr t0
    (0x00007FFF, 0x000002E7),
    (0xFFFFF07F, 0x00009002),  # c.jalr
)
RETURNS = ((0xFFFFFFFF, 0x00008082), (0xFFFFFFFF, 0x00008067))  # c.jr ra, jalr (ra)
SYSTEM_CALLS = ((0xFFFFFFFF, 0x00000073),)
EXITS = (0x05D00893, 0x05E00893)
"""`li a7, 93` (exit) and `li a7, 94` (exit_group)."""
NOTHING = (0x0001, 0x00000013)
AUIPC, JALR = 0x17, 0x67


def size(number: int) -> int:
    """Bytes of an instruction."""
    return riscv.size(number & 0xFF)


def ends(number: int) -> bool:
    """Whether nothing is run behind an instruction: it branches, calls or stops, always."""
    return any(number & mask == bits for mask, bits in ENDS)


def instructions(start: int, code: bytes) -> Iterator[tuple[int, int]]:
    """Place and number of each; what breaks off in the end is left out."""
    at = 0
    while at + 2 <= len(code):
        length = riscv.size(code[at])
        if at + length > len(code):
            return
        yield start + at, int.from_bytes(code[at : at + length], "little")
        at += length


def branches(start: int, code: bytes) -> Iterator[tuple[int, int, str]]:
    """The branches that say where they go, as `flow.branches`: those by `auipc` and `jalr` too, one
    behind the other, that compilers write for calls."""
    upper: tuple[int, int] | None = None
    for at, number in instructions(start, code):
        operation, offset = number & 0x7F, 0
        if upper and number & 0x707F == JALR and number >> 15 & 0x1F == upper[0]:
            yield at, upper[1] + _signed(number >> 20, 12), "v"
        upper = None
        if operation == AUIPC:
            upper = number >> 7 & 0x1F, at + _signed(number & 0xFFFFF000, 32)
        elif operation == 0x6F:
            offset = _gathered(number, 21, J)
        elif operation == 0x63 and number & 0x6000 != 0x2000:
            offset = _gathered(number, 13, B)
        elif number & 3 == 1 and number & 0xE000 == 0xA000:
            offset = _gathered(number, 12, CJ)
        elif number & 3 == 1 and number & 0xC000 == 0xC000:
            offset = _gathered(number, 9, CB)
        else:
            continue
        if operation != AUIPC:
            yield at, at + offset, "v"


Fields = tuple[tuple[int, int, int], ...]
"""Where bits of an offset lie in an instruction: the lowest there, how many, the lowest of it."""
J: Fields = ((31, 1, 20), (21, 10, 1), (20, 1, 11), (12, 8, 12))
B: Fields = ((31, 1, 12), (25, 6, 5), (8, 4, 1), (7, 1, 11))
CJ: Fields = (
    *((12, 1, 11), (11, 1, 4), (9, 2, 8), (8, 1, 10), (7, 1, 6), (6, 1, 7), (3, 3, 1)),
    (2, 1, 5),
)
CB: Fields = ((12, 1, 8), (10, 2, 3), (5, 2, 6), (3, 2, 1), (2, 1, 5))


def _gathered(number: int, bits: int, fields: Fields) -> int:
    found = 0
    for lowest, many, to in fields:
        found |= (number >> lowest & (1 << many) - 1) << to
    return _signed(found, bits)


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) else number
