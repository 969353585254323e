"""What an instruction of 32-bit ARM's Advanced SIMD needs beyond NEON as ARMv7 has it.

Masks are of DDI 0406C, section A7.4, in ARM's encoding; what ARMv8.0 adds is of DDI 0487, section
F4.1. What neither has is a finding, known or not.
"""

from __future__ import annotations

from collections.abc import Iterator

NEON = "NEON"
VFP4 = "VFPv4"
HALF = "half precision"
V8 = "ARMv8"
CRYPTO = "AES, SHA or polynomials of 64 bits (ARMv8)"
LATER = "NEON beyond ARMv8.0"

Row = tuple[int, int]
ARMV7: tuple[Row, ...] = (
    # three registers of one length, by bits 11 to 8 and 4
    *((0xFE800F00, 0xF2000000 | kind << 8) for kind in range(0xA)),  # to vmul
    (0xFE800F40, 0xF2000A00),  # vpmax, vpmin
    (0xFE800F10, 0xF2000B00),  # vqdmulh, vqrdmulh
    (0xFF800F50, 0xF2000B10),  # vpadd
    (0xFE900F10, 0xF2000D00),  # vadd, vsub, vpadd, vabd of numbers
    (0xFF900F10, 0xF2000D10),  # vmla, vmls
    (0xFFB00F10, 0xF3000D10),  # vmul
    (0xFFB00F10, 0xF2000E00),  # vceq
    (0xFF900F00, 0xF3000E00),  # vcge, vcgt, vacge, vacgt
    (0xFE900F10, 0xF2000F00),  # vmax, vmin, vpmax, vpmin
    (0xFF900F10, 0xF2000F10),  # vrecps, vrsqrts
    # a constant; a shift by one
    (0xFEB80090, 0xF2800010),
    *((0xFE800F10, 0xF2800010 | kind << 8) for kind in (0, 1, 2, 3, 5, 7, 8, 9, 0xA, 0xE, 0xF)),
    *((0xFF800F10, 0xF3800010 | kind << 8) for kind in (4, 6)),  # vsri, vqshlu
    # where bits 21 and 20 are set
    (0xFFB00010, 0xF2B00000),  # vext
    (0xFFB00C10, 0xF3B00800),  # vtbl, vtbx
    (0xFFB00F90, 0xF3B00C00),  # vdup
    # two registers, by bits 17 and 16, and 10 to 7
    *((0xFFB30F90, 0xF3B00000 | kind << 7) for kind in (0, 1, 2, 4, 5, *range(8, 16))),
    *((0xFFB30F90, 0xF3B10000 | kind << 7) for kind in (0, 1, 2, 3, 4, 6, 7)),
    *((0xFFBF0F90, 0xF3B90400 | kind << 7) for kind in (0, 1, 2, 3, 4, 6, 7)),  # of numbers
    *((0xFFB30F90, 0xF3B20000 | kind << 7) for kind in (0, 1, 2, 3, 4, 5)),  # vswp to vqmovn
    (0xFFB30FD0, 0xF3B20300),  # vshll
    *((0xFFBF0E90, 0xF3BB0400 | kind << 7) for kind in (0, 1)),  # vrecpe, vrsqrte
    (0xFFBF0E10, 0xF3BB0600),  # vcvt
)
LONG: tuple[Row, ...] = (
    # three registers of different lengths
    *((0xFE800F50, 0xF2800000 | kind << 8) for kind in (*range(9), 0xA, 0xC)),
    *((0xFF800F50, 0xF2800000 | kind << 8) for kind in (9, 0xB, 0xD)),  # vqdmlal and so on
    (0xFFB00F50, 0xF2800E00),  # vmull of polynomials of eight bits
    # two registers and a scalar
    *((0xFE800F50, 0xF2800040 | kind << 8) for kind in (0, 2, 4, 6, 8, 0xA, 0xC, 0xD)),
    *((0xFEB00F50, 0xF2A00040 | kind << 8) for kind in (1, 5, 9)),  # of numbers of 32 bits
    *((0xFF800F50, 0xF2800040 | kind << 8) for kind in (3, 7, 0xB)),
)
"""Where bits 21 and 20 are not both set."""
FUSED = (0xFF900F10, 0xF2000C10)
"""vfma, vfms."""
HALVES = (0xFFBF0ED0, 0xF3B60600)
"""vcvt from and to half precision."""
ARMV8 = (
    (0xFF900F10, 0xF3000F10),  # vmaxnm, vminnm
    (0xFFBF0C10, 0xF3BA0400),  # vrint
    (0xFFBF0C10, 0xF3BB0000),  # vcvta, vcvtn, vcvtp, vcvtm
)
OF_CRYPTO = (
    (0xFFBF0F10, 0xF3B00300),  # aese and so on
    (0xFFBF0FD0, 0xF3B902C0),  # sha1h
    (0xFFBF0F90, 0xF3BA0380),  # sha1su1, sha256su0
    (0xFF800F50, 0xF2000C40),  # sha1c, sha1p, sha1m, sha1su0
    (0xFFA00F50, 0xF3000C40),  # sha256h and so on
    (0xFFB00F50, 0xF3200C40),
    (0xFFB00F50, 0xF2A00E00),  # vmull of polynomials of 64 bits
)


def needs(word: int) -> Iterator[str]:
    """Everything that data processing of Advanced SIMD (0xF2, 0xF3) needs."""
    yield NEON
    long = LONG if word & 0x00300000 != 0x00300000 else ()
    if any(word & mask == bits for mask, bits in (*ARMV7, *long)):
        return
    if word & FUSED[0] == FUSED[1]:
        yield VFP4
    elif word & HALVES[0] == HALVES[1]:
        yield HALF
    elif any(word & mask == bits for mask, bits in ARMV8):
        yield V8
    elif any(word & mask == bits for mask, bits in OF_CRYPTO):
        yield CRYPTO
    else:
        yield LATER


def needs_thumb(word: int) -> Iterator[str]:
    """The same in Thumb's encoding, which has one bit elsewhere."""
    return needs(0xF2000000 | word >> 4 & 0x01000000 | word & 0x00FFFFFF)
