"""What an instruction of 64-bit ARM needs beyond ARMv8.0 with floating point and SIMD.

Masks are of the Arm Architecture Reference Manual (DDI 0487), chapter C4.
"""

from __future__ import annotations

from collections.abc import Iterator

LSE = "LSE atomics (ARMv8.1)"
SVE = "SVE"
SME = "SME"
AES = "AES"
SHA = "SHA"
SHA3 = "SHA3, SHA512, SM3 or SM4 (ARMv8.2)"
PMULL = "polynomial multiplication"
CRC = "CRC32"
RDM = "rounding multiplication (ARMv8.1)"
DOT = "dot product (ARMv8.2)"
FP16 = "half precision arithmetic (ARMv8.2)"
PAUTH = "pointer authentication (ARMv8.3)"
COMPLEX = "complex numbers or conversion for JavaScript (ARMv8.3)"
RCPC = "release consistency (ARMv8.3)"
LOR = "limited ordering (ARMv8.1)"

TABLE = (
    (0x1E000000, 0x04000000, SVE),
    (0x9E000000, 0x80000000, SME),
    (0x3FA07C00, 0x08A07C00, LSE),  # cas
    (0xBFA07C00, 0x08207C00, LSE),  # casp
    (0x3FA08000, 0x08800000, LOR),  # stllr, ldlar
    (0x3FFFFC00, 0x38BFC000, RCPC),  # ldapr
    (0x3F200C00, 0x38200000, LSE),  # ldadd, ldclr, swp and so on
    (0x3F200C00, 0x19000000, RCPC),  # ldapur, stlur
    (0xFF3E0C00, 0x4E280800, AES),
    (0xFF208C00, 0x5E000000, SHA),
    (0xFF3E0C00, 0x5E280800, SHA),
    (0xBFE0FC00, 0x0EE0E000, PMULL),
    (0xFF000000, 0xCE000000, SHA3),
    (0x7FE0F000, 0x1AC04000, CRC),
    (0xBF20F400, 0x2E008400, RDM),
    (0xFF20F400, 0x7E008400, RDM),
    (0xBF20FC00, 0x0E009400, DOT),
    (0xBF20FC00, 0x2E009400, DOT),
    (0x9F00F400, 0x0F00E000, DOT),
    (0xBF20EC00, 0x2E00E400, COMPLEX),
    (0xBF20E400, 0x2E00C400, COMPLEX),
    (0xFFFFFC00, 0x1E7E0000, COMPLEX),  # fjcvtzs
    (0x9F60C400, 0x0E400400, FP16),
    (0xFE1FF800, 0xD61F0800, PAUTH),  # braa, blraa, retaa and so on
    (0xFFFF0000, 0xDAC10000, PAUTH),
)
# Scalar arithmetic on halves; fcvt from and to them is ARMv8.0's.
HALF, HALF_BITS = 0x5FE00000, 0x1EE00000
FCVT, FCVT_BITS = 0xFF3E7C00, 0x1E224000


def _by_top() -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """The rows that a word may match, by its highest eight bits."""
    return tuple(
        tuple(row for row in TABLE if top & (row[0] >> 24) == row[1] >> 24) for top in range(256)
    )


BY_TOP = _by_top()


def a64(word: int) -> Iterator[str]:
    """Everything that an instruction needs beyond the baseline."""
    for mask, bits, needs in BY_TOP[word >> 24]:
        if word & mask == bits:
            yield needs
            return
    if word & HALF == HALF_BITS and word & FCVT != FCVT_BITS:
        yield FP16
