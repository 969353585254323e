"""Where code ends: instructions behind which nothing is run.

Masks are of the manuals that arm.py and aarch64.py name.
"""

from __future__ import annotations

ENDS_A32 = (
    (0x0E000000, 0x0A000000),  # b, bl
    (0x0FFFFFD0, 0x012FFF10),  # bx, blx
    (0x0C00F000, 0x0000F000),  # what writes pc
    (0x0C10F000, 0x0410F000),  # ldr pc
    (0x0E108000, 0x08108000),  # ldm with pc
    (0x0F000000, 0x0F000000),  # svc
    (0x0FF000F0, 0x07F000F0),  # udf
    (0x0FF000F0, 0x01200070),  # bkpt
)
ENDS_T16 = (
    (0xF800, 0xE000),  # b
    (0xFF00, 0x4700),  # bx, blx
    (0xFD87, 0x4487),  # add and mov to pc
    (0xFF00, 0xBD00),  # pop with pc
    (0xFE00, 0xDE00),  # udf, svc
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
    return word >> 28 == 0xE and any(word & mask == bits for mask, bits in ENDS_A32)


def ends_thumb(instruction: int) -> bool:
    """The same for a Thumb instruction of two or four bytes, whatever it has for a condition."""
    table = ENDS_T32 if instruction >> 16 else ENDS_T16
    return any(instruction & mask == bits for mask, bits in table)


ENDS_A64 = (
    (0x7C000000, 0x14000000),  # b, bl
    (0xFE000000, 0xD6000000),  # br, blr, ret and so on
    (0xFF000000, 0xD4000000),  # brk, hlt, svc
    (0xFFFF0000, 0x00000000),  # udf
)


def ends_a64(word: int) -> bool:
    """The same for AArch64."""
    return any(word & mask == bits for mask, bits in ENDS_A64)
