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

BF16 = "BF16 (ARMv8.6)"
I8MM = "8-bit matrices (ARMv8.6)"
FHM = "half precision multiplication (ARMv8.2)"
MOPS = "memory copy and set (ARMv8.8)"
MTE = "memory tags or CSSC (ARMv8.5)"
FLAGM = "flag manipulation (ARMv8.4)"
FRINTTS = "rounding to 32 or 64 bits (ARMv8.5)"
NEWER = "an extension later than ARMv8.7"
PERSISTENT = "persistent memory (ARMv8.2)"
SYSTEM = "a system register beyond ARMv8.0"

TABLE = (
    (0x1E000000, 0x04000000, SVE),
    (0x9E000000, 0x80000000, SME),
    # loads and stores
    (0x3FA07C00, 0x08A07C00, LSE),  # cas
    (0xBFA07C00, 0x08207C00, LSE),  # casp
    (0x3FA08000, 0x08800000, LOR),  # stllr, ldlar
    (0x3FFFFC00, 0x38BFC000, RCPC),  # ldapr
    (0x3F200C00, 0x38200000, LSE),  # ldadd, ldclr, swp and so on
    (0xFF200000, 0x19200000, NEWER),  # ldclrp, ldsetp, swpp; rcwcas and so on
    (0x3F200C00, 0x3C200000, NEWER),  # ldfadd and so on
    (0x3F200400, 0x3C200400, NEWER),
    (0xFFFFEC00, 0xD91F0C00, NEWER),  # gcsstr
    (0xFE400000, 0x68000000, MTE),  # stgp
    (0x3F200C00, 0x19000000, RCPC),  # ldapur, stlur
    (0x3F200C00, 0x19000800, RCPC),  # ldiapp, stilp
    (0x3B200C00, 0x19000400, MOPS),  # cpy, set
    (0xFF200400, 0xF8200400, PAUTH),  # ldraa, ldrab
    (0xFF200000, 0xD9200000, MTE),  # stg, ldg and so on
    # cryptography
    (0xFF3E0C00, 0x4E280800, AES),
    (0xFF208C00, 0x5E000000, SHA),
    (0xFF3E0C00, 0x5E280800, SHA),
    (0xBFE0FC00, 0x0EE0E000, PMULL),
    (0xFF000000, 0xCE000000, SHA3),
    (0x7FE0E000, 0x1AC04000, CRC),
    # vectors of integers
    (0xBF20F400, 0x2E008400, RDM),
    (0xFF20F400, 0x7E008400, RDM),
    (0xBF00D400, 0x2F00D000, RDM),  # by element
    (0xFF00D400, 0x7F00D000, RDM),
    (0xBF20FC00, 0x0E009400, DOT),
    (0xBF20FC00, 0x2E009400, DOT),
    (0x9FC0F400, 0x0F80E000, DOT),  # by element
    (0xFFE0FC00, 0x4E80A400, I8MM),  # smmla
    (0xFFE0FC00, 0x6E80A400, I8MM),  # ummla
    (0xFFE0FC00, 0x4E80AC00, I8MM),  # usmmla
    (0xBFE0FC00, 0x0E809C00, I8MM),  # usdot
    (0xBFC0F400, 0x0F80F000, I8MM),  # usdot by element
    (0xBFC0F400, 0x0F00F000, I8MM),  # sudot by element
    # vectors of numbers
    (0xBF20EC00, 0x2E00E400, COMPLEX),  # fcadd
    (0xBF20E400, 0x2E00C400, COMPLEX),  # fcmla
    (0xBF809400, 0x2F001000, COMPLEX),  # fcmla by element
    (0xBF809400, 0x2F801000, COMPLEX),
    (0xBFE0FC00, 0x2E40FC00, BF16),  # bfdot
    (0xFFE0FC00, 0x6E40EC00, BF16),  # bfmmla
    (0xBFE0FC00, 0x2EC0FC00, BF16),  # bfmlal
    (0xBFFFFC00, 0x0EA16800, BF16),  # bfcvtn
    (0xFFFFFC00, 0x1E634000, BF16),  # bfcvt
    (0xBFC0F400, 0x0F40F000, BF16),  # by element
    (0xBFC0F400, 0x0FC0F000, BF16),
    (0xBF60FC00, 0x0E20EC00, FHM),  # fmlal, fmlsl
    (0xBF60FC00, 0x2E20CC00, FHM),
    (0xBFC0B400, 0x0F800000, FHM),  # by element
    (0xBFC0B400, 0x2F808000, FHM),
    (0x9F60C400, 0x0E400400, FP16),  # three registers
    (0xDF60C400, 0x5E400400, FP16),
    (0x9F7E0C00, 0x0E780800, FP16),  # two registers
    (0xDF7E0C00, 0x5E780800, FP16),
    (0xBF7FFC00, 0x0E30C800, FP16),  # across a vector
    (0xBF7FFC00, 0x0E30F800, FP16),
    (0x9FC0B400, 0x0F001000, FP16),  # fmla, fmls by element
    (0x9FC0F400, 0x0F009000, FP16),  # fmul by element
    (0xDFC0B400, 0x5F001000, FP16),
    (0xDFC0F400, 0x5F009000, FP16),
    (0xBFF8FC00, 0x0F00FC00, FP16),  # fmov with a constant
    (0xFFC00000, 0x1FC00000, FP16),  # fmadd and so on
    (0x7FE00000, 0x1EC00000, FP16),  # to and from fixed point
    (0x9FF0FC00, 0x0F10E400, FP16),
    (0x9FF0FC00, 0x0F10FC00, FP16),
    (0xDFF0FC00, 0x5F10E400, FP16),
    (0xDFF0FC00, 0x5F10FC00, FP16),
    (0xFF7FFC00, 0x5E30C800, FP16),  # of a pair: fmaxnmp, faddp, fmaxp and their likes
    (0xFF7FFC00, 0x5E30D800, FP16),
    (0xFF7FFC00, 0x5E30F800, FP16),
    (0x9FA0FC00, 0x0EA0DC00, NEWER),  # famax, famin
    (0xBFE08C00, 0x0E400000, NEWER),  # luti2, luti4
    (0xBFE08C00, 0x0E800000, NEWER),
    (0xBFE08C00, 0x0EC00000, NEWER),
    (0xFFFFFC00, 0x1E7E0000, COMPLEX),  # fjcvtzs
    (0xFFBE7C00, 0x1E284000, FRINTTS),
    (0x9FBFEC00, 0x0E21E800, FRINTTS),
    # general registers
    (0xBFE0E000, 0x9A002000, NEWER),  # addpt, subpt
    (0xFE1FF800, 0xD61F0800, PAUTH),  # braa, blraa, retaa and so on
    (0xFFFF0000, 0xDAC10000, PAUTH),
    (0xFFE0FC00, 0x9AC03000, PAUTH),  # pacga
    (0x1F800000, 0x11800000, MTE),  # addg, subg; smax and so on with a constant
    (0x7FE0F000, 0x1AC06000, MTE),  # smax and so on
    (0xFFE0F800, 0x9AC01000, MTE),  # irg, gmi
    (0xDFE0FC00, 0x9AC00000, MTE),  # subp
    (0x7FFFFC00, 0x5AC02000, MTE),  # abs
    (0x7FFFF800, 0x5AC01800, MTE),  # ctz, cnt
    (0xFFE07C10, 0xBA000400, FLAGM),  # rmif
    (0xFFFFBC1F, 0x3A00080D, FLAGM),  # setf8, setf16
    (0xFFFFFF9F, 0xD500401F, FLAGM),  # cfinv, axflag, xaflag
    (0xFFE00000, 0x9B600000, NEWER),  # maddpt, msubpt
    # branches
    (0xFF000010, 0x54000010, NEWER),  # bc.cond
    (0x7E000000, 0x74000000, NEWER),  # cbgt and so on
)
PROGRAMS = (
    (0xFFFFF01F, 0xD503201F),  # hints, that do nothing where they are not known
    (0xFFFFF0FF, 0xD503305F),  # clrex
    (0xFFFFF0FF, 0xD503309F),  # dsb
    (0xFFFFF0FF, 0xD50330BF),  # dmb
    (0xFFFFF0FF, 0xD50330DF),  # isb
    (0xFFFFFFE0, 0xD50B7420),  # dc zva, ic ivau, dc cvac, cvau, civac
    (0xFFFFFFE0, 0xD50B7520),
    (0xFFFFFFE0, 0xD50B7A20),
    (0xFFFFFFE0, 0xD50B7B20),
    (0xFFFFFFE0, 0xD50B7E20),
    (0xFFDFFFE0, 0xD51B4200),  # nzcv, fpcr, fpsr, tpidr, read and written
    (0xFFDFFFE0, 0xD51B4400),
    (0xFFDFFFE0, 0xD51B4420),
    (0xFFDFFFE0, 0xD51BD040),
    (0xFFFFFFE0, 0xD53BD060),  # tpidrro
    (0xFFFFFFE0, 0xD53B0020),  # ctr
    (0xFFFFFFE0, 0xD53B00E0),  # dczid
    (0xFFFFFF80, 0xD53BE000),  # cntfrq, cntpct, cntvct
    (0xFFFFF800, 0xD5380000),  # midr, id_aa64isar0 and so on: the kernel answers, HWCAP_CPUID
)
"""What programs may do with the system's registers in ARMv8.0 (chapter C5 and D17), masks first."""
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
    if word >> 24 == 0xD5 and word & 0xFFFFFF9F != 0xD500401F:  # those have a row
        if word & 0xFFFFFFE0 == 0xD50B7C20:  # dc cvap
            yield PERSISTENT
        elif not any(word & mask == bits for mask, bits in PROGRAMS):
            yield SYSTEM
        return
    for mask, bits, needs in BY_TOP[word >> 24]:
        if word & mask == bits:
            yield needs
            return
    if word & HALF == HALF_BITS and word & FCVT != FCVT_BITS:
        yield FP16
