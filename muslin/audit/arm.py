"""What an instruction of 32-bit ARM needs beyond the oldest processors, from its bits.

Masks are of the ARM Architecture Reference Manual for ARMv7-A and ARMv7-R (DDI 0406C), chapters A5
to A8, and for ARMv8's additions of DDI 0487. A word is looked at as one: there is no decoder with
gaps between. Literal pools are told apart by mapping symbols, before this.
"""

from __future__ import annotations

from collections.abc import Iterator

from muslin.audit import arm_neon
from muslin.audit.arm_neon import CRYPTO, HALF, NEON, V8, VFP4
from muslin.audit.arm_neon import LATER as NEON_LATER

__all__ = ["CRYPTO", "HALF", "NEON", "NEON_LATER", "V8", "VFP4"]  # words too

Word = int

# What an instruction needs, in the order in which processors got it.
V6 = "ARMv6"
V6T2 = "ARMv6T2"
V7 = "ARMv7"
DIV = "integer division"
VFP2 = "VFPv2"
VFP3 = "VFPv3"
D32 = "d16-d31"
F16 = "half precision arithmetic"
THUMB2 = "Thumb-2"
SYSTEM = "a system register beyond ARMv6"
COPROCESSOR = "another coprocessor"
VIRTUAL = "virtualization extensions (ARMv7)"


def a32(word: Word) -> Iterator[str]:
    """Everything that an ARM instruction needs beyond ARMv5TE without floating point."""
    if word >> 28 == 0xF:
        yield from _unconditional(word)
        return
    if word & 0x0C000000 == 0x0C000000:  # coprocessors, and supervisor calls
        if word & 0x0F000000 != 0x0F000000:
            yield from _coprocessors(word)
        return
    if word & 0x0FF000F0 == 0x07F000F0:  # udf, which compilers write where nothing should come by
        return
    for mask, bits, needs in A32_BY_BITS[word >> 25 & 7]:
        if word & mask == bits:
            yield needs
            return


A32 = (
    # Data processing and miscellaneous, bits 27-25 = 000
    (0x0FF000F0, 0x00600090, V6T2),  # mls
    (0x0FF000F0, 0x00400090, V6),  # umaal
    (0x0F800DF0, 0x01800C90, V8),  # lda, stl, ldaex, stlex
    (0x0F8000F0, 0x01800090, V6),  # ldrex, strex and, from ARMv6K, those of other widths
    (0x0F900DF0, 0x01000040, V8),  # crc32
    (0x0FF000F0, 0x01000070, V8),  # hlt
    (0x0FF000F0, 0x01400070, VIRTUAL),  # hvc
    (0x0FFFFFFF, 0x0160006E, VIRTUAL),  # eret
    (0x0FB00EFF, 0x01000200, VIRTUAL),  # mrs and msr of another mode's registers
    (0x0FB0FEF0, 0x0120F200, VIRTUAL),
    (0x0F2000F0, 0x002000B0, V6T2),  # ldrht, strht
    (0x0F3000F0, 0x003000D0, V6T2),  # ldrsbt
    (0x0F3000F0, 0x003000F0, V6T2),  # ldrsht
    # bits 27-25 = 001
    (0x0FB00000, 0x03000000, V6T2),  # movw, movt
    (0x0FFFFFF0, 0x0320F0F0, V7),  # dbg
    # Media, bits 27-25 = 011 and bit 4 = 1
    (0x0FE00070, 0x07C00010, V6T2),  # bfc, bfi
    (0x0FA00070, 0x07A00050, V6T2),  # sbfx, ubfx
    (0x0FFF0FF0, 0x06FF0F30, V6T2),  # rbit
    (0x0FD000F0, 0x07100010, DIV),  # sdiv, udiv
    (0x0E000010, 0x06000010, V6),  # the rest: rev, sxtb, ssat, uadd8 and so on
)


def _by_bits() -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """The table's rows by the value of bits 27 to 25."""
    return tuple(
        tuple(row for row in A32 if (row[1] >> 25 & 7) == top and (row[0] >> 25 & 7) == 7)
        for top in range(8)
    )


A32_BY_BITS = _by_bits()
UNCONDITIONAL = (
    (0xFF100000, 0xF4000000, NEON),  # vld, vst
    (0xFFFFFFF0, 0xF57FF010, V6),  # clrex: ARMv6K, which the ARM1176 is
    (0xFFFFFFF0, 0xF57FF040, V7),  # dsb
    (0xFFFFFFF0, 0xF57FF050, V7),  # dmb
    (0xFFFFFFF0, 0xF57FF060, V7),  # isb
    (0xFFFFFFF0, 0xF57FF070, V8),  # sb
    (0xFF70F000, 0xF450F000, V7),  # pli
    (0xFF70F010, 0xF650F000, V7),  # pli
    (0xFF70F000, 0xF510F000, V7),  # pldw
    (0xFF70F010, 0xF710F000, V7),  # pldw
    (0xFFFFFDFF, 0xF1100000, V8),  # setpan
    (0xFFF10020, 0xF1000000, V6),  # cps
    (0xFFFFFDFF, 0xF1010000, V6),  # setend
    # Vectors of later versions, in coprocessors 8, 9, 12 and 13: vcmla, vsdot, vfmal, vdot.bf16
    (0xFE000A00, 0xFC000800, NEON_LATER),
    (0xFF000A00, 0xFE000800, NEON_LATER),
    (0xFF000E00, 0xFE000A00, V8),  # vsel, vmaxnm, vrinta and so on
    (0xFF000E00, 0xFC000A00, V8),
)


def _unconditional(word: Word) -> Iterator[str]:
    if word & 0xFE000000 == 0xF2000000:
        yield from arm_neon.needs(word)
        return
    for mask, bits, needs in UNCONDITIONAL:
        if word & mask == bits:
            yield needs
            return
    if word & 0x0C000000 == 0x0C000000 and word & 0x0F000000 != 0x0F000000:  # mcr2, ldc2, cdp2
        yield SYSTEM if word >> 8 & 0xF == 0xF else COPROCESSOR


# --- coprocessors ---------------------------------------------------------------------------

USERS = (
    (0x0FFF0FFF, 0x0E070F95),  # c7, c5, 4: flush the pipeline
    (0x0FFF0FFF, 0x0E070F9A),  # c7, c10, 4: wait for memory
    (0x0FFF0FFF, 0x0E070FBA),  # c7, c10, 5: order memory
    (0x0FEF0FFF, 0x0E0D0F50),  # c13, c0, 2: the thread's own, read and written
    (0x0FFF0FFF, 0x0E1D0F70),  # c13, c0, 3: the thread's own, read
)
"""What ARMv6 lets programs do with it (ARM1176JZF-S, DDI 0301, chapter 3), but for the register
that is moved."""


def _coprocessors(word: Word) -> Iterator[str]:
    """An instruction for a coprocessor, in ARM's encoding and, but for the condition, Thumb's."""
    match word >> 8 & 0xF:
        case 0xA | 0xB:
            yield from vfp(word)
        case 0x9:
            yield F16
        case 0xF:
            users = any(word & mask & ~0xF000 == bits & ~0xF000 for mask, bits in USERS)
            yield V6 if users else SYSTEM
        case _:
            yield COPROCESSOR


# --- floating point -------------------------------------------------------------------------


def vfp(word: Word) -> Iterator[str]:
    """What an instruction for coprocessors 10 and 11 needs, in ARM's encoding and, but for the
    condition, in Thumb's."""
    double = bool(word & 0x100)
    if word & 0x0FE00000 == 0x0C400000:  # two core registers to or from one or two
        yield VFP2
        if double and word & 0x20:
            yield D32
    elif word & 0x0F000000 == 0x0E000000:
        yield from _transfers(word) if word & 0x10 else _arithmetic(word, double=double)
    else:
        yield VFP2
        if double and _ends_at(word) > 16:
            yield D32


def _ends_at(word: Word) -> int:
    """One more than the last double register that a load or store names."""
    first = (word >> 18 & 0x10) | (word >> 12 & 0xF)
    one = word & 0x01200000 == 0x01000000  # vldr, vstr: the offset is no count
    return first + (1 if one else (word & 0xFF) // 2)


def _transfers(word: Word) -> Iterator[str]:
    """One core register to or from a single one, a part of a double one or a status register."""
    if not word & 0x100:
        yield VFP2
        return
    whole = word & 0x00800060 == 0 and not word & 0x00400000
    if word & 0x00900000 == 0x00800000 or not whole:  # vdup; bytes and halves of a register
        yield NEON
    else:
        yield VFP2
    if word & 0x80:
        yield D32


def _arithmetic(word: Word, *, double: bool) -> Iterator[str]:
    operation = word >> 20 & 0xB
    if operation == 0xB:
        yield from _other(word, double=double)
        return
    yield VFP4 if operation in (0x9, 0xA) else VFP2
    if double and word & 0x004000A0:
        yield D32


def _other(word: Word, *, double: bool) -> Iterator[str]:
    """Moves, comparisons, conversions: by bits 19 to 16 and 7, and bit 6."""
    if word & 0x40:
        needs, to, of = _kind(word >> 16 & 0xF, double=double, high=bool(word & 0x80))
    else:  # vmov with a constant
        needs, to, of = VFP3, double, False
    yield needs
    if (to and word & 0x00400000) or (of and word & 0x20):
        yield D32


def _kind(kind: int, *, double: bool, high: bool) -> tuple[str, bool, bool]:
    """Needs, and whether result and operand are double registers."""
    if kind == 0b0111:  # vcvt from one precision to the other; vrintx
        return (VFP2, not double, double) if high else (V8, double, double)
    if kind in (0b0010, 0b0011):  # vcvtb, vcvtt
        return (V8 if double else HALF), double, double
    needs, to, of = KINDS.get(kind, (V8, True, True))
    return needs, to and double, of and double


KINDS = {
    0b0000: (VFP2, True, True),  # vmov, vabs
    0b0001: (VFP2, True, True),  # vneg, vsqrt
    0b0100: (VFP2, True, True),  # vcmp
    0b0101: (VFP2, True, False),  # vcmp with zero
    0b1000: (VFP2, True, False),  # vcvt from an integer
    0b1100: (VFP2, False, True),  # vcvt to an integer
    0b1101: (VFP2, False, True),
    0b1010: (VFP3, True, False),  # vcvt with fixed point, in place
    0b1011: (VFP3, True, False),
    0b1110: (VFP3, True, False),
    0b1111: (VFP3, True, False),
}
"""Needs, and whether result and operand are double registers in an instruction for doubles; what is
not here came with ARMv8."""


# --- Thumb ----------------------------------------------------------------------------------


def is_wide(first: int) -> bool:
    """Whether a half-word begins an instruction of four bytes."""
    return first >= 0xE800


def t16(half: int) -> Iterator[str]:
    """What a Thumb instruction of two bytes needs beyond ARMv5T's Thumb."""
    if half & 0xFFC0 == 0xBA80 or half & 0xFFF7 == 0xB610:
        yield V8  # hlt; setpan
        return
    if half & 0xFF00 == 0xB200 or half & 0xFF00 == 0xBA00 or half & 0xFFC0 == 0xB640:
        yield V6  # sxth and so on; rev and so on; setend, cps
    if half & 0xFF00 == 0xBF00 or half & 0xF500 == 0xB100:  # it and hints; cbz, cbnz
        yield THUMB2


def t32(first: int, second: int) -> Iterator[str]:
    """What a Thumb instruction of four bytes needs beyond ARMv5T's Thumb."""
    # bl and blx were two halves of two bytes each; Thumb-2 gave two bits of the second a meaning.
    if first & 0xF800 == 0xF000 and (second & 0xF800 == 0xF800 or second & 0xF801 == 0xE800):
        return
    yield THUMB2
    word = first << 16 | second
    if word & 0xEF000000 == 0xEF000000:
        yield from arm_neon.needs_thumb(word)
    elif word & 0xFF100000 == 0xF9000000:
        yield NEON
    elif word & 0xEC000000 == 0xEC000000:
        if not word & 0x10000000:
            yield from _coprocessors(word)
        elif word & 0x0A00 == 0x0800:
            yield NEON_LATER
        else:
            yield V8 if word & 0x0E00 == 0x0A00 else COPROCESSOR
    else:
        yield from (needs for mask, bits, needs in T32 if word & mask == bits)


T32 = (
    (0xFFD000F0, 0xFB9000F0, DIV),  # sdiv, udiv
    (0xFFE00080, 0xE8C00080, V8),  # lda, stl, ldaex, stlex
    (0xFFE0F0C0, 0xFAC0F080, V8),  # crc32
    (0xFFFFFFF0, 0xF3BF8F70, V8),  # sb
    (0xFFF0F000, 0xF7E08000, VIRTUAL),  # hvc
)
