"""What an instruction of 64-bit RISC-V needs beyond RV64GC, from its bits.

Masks are of the RISC-V Instruction Set Manual, volume I (20240411), chapter 34 (RV32/64G) and
chapter 27 (C), and its chapters on each extension. What RV64GC has is listed; all else is a
finding, in the words of the extension if that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

VECTOR = "vectors (V)"
VECTOR_CRYPTO = "vector cryptography (Zvk)"
ZBA = "address generation (Zba)"
ZBB = "bit manipulation (Zbb)"
ZBC = "carry-less multiplication (Zbc)"
ZBS = "single bits (Zbs)"
CRYPTO = "scalar cryptography (Zbk, Zk)"
ZFH = "half precision (Zfh)"
ZFA = "additional floating point (Zfa)"
QUAD = "quad precision (Q)"
ZICOND = "conditional operations (Zicond)"
ZCB = "more compressed instructions (Zcb)"
ATOMICS = "atomics beyond A (Zacas, Zabha)"
CACHES = "cache management (Zicbom, Zicboz)"
WAIT = "waiting for memory (Zawrs)"
MAY_BE = "operations for later use (Zimop)"
SYSTEM = "a control register or an instruction of the kernel's"
VENDOR = "an extension of a vendor"
UNKNOWN = "something that no rule knows"

Row = tuple[int, int]


def size(first: int) -> int:
    """Bytes of an instruction, by its first byte (section 1.5)."""
    if first & 3 != 3:
        return 2
    if first & 0x1F != 0x1F:
        return 4
    return 6 if first & 0x3F == 0x1F else 8


def needs(number: int) -> Iterator[str]:
    """Everything that an instruction needs beyond RV64GC."""
    if number & 3 != 3:
        yield from _compressed(number)
    elif number & 0x1F == 0x1F:
        yield UNKNOWN
    elif not any(number & mask == bits for mask, bits in RV64G[number & 0x7F]):
        beyond = (word for mask, bits, word in BEYOND if number & mask == bits)
        yield next(beyond, UNKNOWN)


# --- four bytes -------------------------------------------------------------------------------

_ROWS: tuple[Row, ...] = (
    (0x0000007F, 0x00000037),  # lui
    (0x0000007F, 0x00000017),  # auipc
    (0x0000007F, 0x0000006F),  # jal
    (0x0000707F, 0x00000067),  # jalr
    *((0x0000707F, 0x00000063 | kind << 12) for kind in (0, 1, 4, 5, 6, 7)),  # beq and so on
    *((0x0000707F, 0x00000003 | kind << 12) for kind in range(7)),  # lb, lh, lw, ld, lbu, lhu, lwu
    *((0x0000707F, 0x00000023 | kind << 12) for kind in range(4)),  # sb, sh, sw, sd
    *((0x0000707F, 0x00000013 | kind << 12) for kind in (0, 2, 3, 4, 6, 7)),  # addi and so on
    (0xFC00707F, 0x00001013),  # slli
    (0xBC00707F, 0x00005013),  # srli, srai
    (0x0000707F, 0x0000001B),  # addiw
    (0xFE00707F, 0x0000101B),  # slliw
    (0xBE00707F, 0x0000501B),  # srliw, sraiw
    (0xFE00007F, 0x00000033),  # add, sll, slt, sltu, xor, srl, or, and
    (0xFE00707F, 0x40000033),  # sub
    (0xFE00707F, 0x40005033),  # sra
    (0xFE00007F, 0x02000033),  # mul, mulh, mulhsu, mulhu, div, divu, rem, remu
    *((0xFE00707F, 0x0000003B | kind << 12) for kind in (0, 1, 5)),  # addw, sllw, srlw
    (0xFE00707F, 0x4000003B),  # subw
    (0xFE00707F, 0x4000503B),  # sraw
    *((0xFE00707F, 0x0200003B | kind << 12) for kind in (0, 4, 5, 6, 7)),  # mulw, divw and so on
    (0x0000707F, 0x0000000F),  # fence, pause
    (0x0000707F, 0x0000100F),  # fence.i
    (0xFFFFFFFF, 0x00000073),  # ecall
    (0xFFFFFFFF, 0x00100073),  # ebreak
    (0xFFFFFFFF, 0xC0001073),  # unimp, a trap: the register cannot be written
    # fflags, frm, fcsr; cycle, time and instret, read
    *((0xFFF0307F, 0x00000073 | at << 20 | kind << 12) for at in (1, 2, 3) for kind in (1, 2, 3)),
    *((0xFFFFF07F, 0x00002073 | at << 20) for at in (0xC00, 0xC01, 0xC02)),
    # lr, sc, amo of four and eight bytes
    *((0xF9F0707F, 0x1000202F | wide << 12) for wide in (0, 1)),
    *(
        (0xF800707F, 0x0000202F | wide << 12 | kind << 27)
        for wide in (0, 1)
        for kind in (0, 1, 3, 4, 8, 12, 16, 20, 24, 28)
    ),
    # floating point: loads and stores; fused; arithmetic
    *((0x0000707F, at | wide << 12) for at in (0x07, 0x27) for wide in (2, 3)),
    *((0x0600007F, at | wide << 25) for at in (0x43, 0x47, 0x4B, 0x4F) for wide in (0, 1)),
    *((0xFE00007F, 0x53 | kind << 27 | w << 25) for kind in range(4) for w in (0, 1)),  # fadd, ...
    *((0xFFF0007F, 0x58000053 | wide << 25) for wide in (0, 1)),  # fsqrt
    *((0xFE00707F, 0x20000053 | w << 25 | k << 12) for k in range(3) for w in (0, 1)),  # fsgnj
    *((0xFE00707F, 0x28000053 | w << 25 | k << 12) for k in range(2) for w in (0, 1)),  # fmin, fmax
    *((0xFE00707F, 0xA0000053 | w << 25 | k << 12) for k in range(3) for w in (0, 1)),  # fle, flt
    (0xFFF0007F, 0x40100053),  # fcvt.s.d
    (0xFFF0007F, 0x42000053),  # fcvt.d.s
    *((0xFFC0007F, 0xC0000053 | wide << 25) for wide in (0, 1)),  # fcvt to integers
    *((0xFFC0007F, 0xD0000053 | wide << 25) for wide in (0, 1)),  # and from them
    *((0xFFF0707F, 0xE0000053 | wide << 25) for wide in (0, 1)),  # fmv.x.w, fmv.x.d
    *((0xFFF0707F, 0xE0001053 | wide << 25) for wide in (0, 1)),  # fclass
    *((0xFFF0707F, 0xF0000053 | wide << 25) for wide in (0, 1)),  # fmv.w.x, fmv.d.x
)
_ROUNDED = {0x43, 0x47, 0x4B, 0x4F, 0x53}
"""Operations whose bits 14 to 12 say how they round, where no row says what else they are."""


def _of(operation: int) -> tuple[Row, ...]:
    """The rows of one operation, bits 6 to 0; of those that round, once for each way there is."""
    rows = [row for row in _ROWS if row[1] & 0x7F == operation]
    return tuple(
        (mask | way_mask, bits | way)
        for mask, bits in rows
        for way_mask, way in (
            ((0x7000, how << 12) for how in (0, 1, 2, 3, 4, 7))
            if operation in _ROUNDED and not mask & 0x7000
            else ((0, 0),)
        )
    )


RV64G = tuple(_of(operation) for operation in range(128))
BEYOND = (
    (0x0000007F, 0x00000057, VECTOR),
    (0x0000007F, 0x00000077, VECTOR_CRYPTO),
    *((0x0000707F, at | wide << 12, VECTOR) for at in (0x07, 0x27) for wide in (0, 5, 6, 7)),
    *((0x0000707F, at | 0x1000, ZFH) for at in (0x07, 0x27)),  # flh, fsh
    *((0x0000707F, at | 0x4000, QUAD) for at in (0x07, 0x27)),
    # integers
    *((0xFE00707F, 0x20000033 | kind << 12, ZBA) for kind in (2, 4, 6)),  # sh1add, ...
    *((0xFE00707F, 0x2000003B | kind << 12, ZBA) for kind in (2, 4, 6)),
    (0xFE00707F, 0x0800003B, ZBA),  # add.uw
    (0xFC00707F, 0x0800101B, ZBA),  # slli.uw
    *((0xFE00707F, 0x40000033 | kind << 12, ZBB) for kind in (4, 6, 7)),  # xnor, orn, andn
    *((0xFE00707F, 0x0A000033 | kind << 12, ZBB) for kind in (4, 5, 6, 7)),  # min, max
    *((0xFE00707F, 0x60000033 | at | kind << 12, ZBB) for at in (0, 8) for kind in (1, 5)),  # rol
    (0xFC00707F, 0x60005013, ZBB),  # rori
    (0xFE00707F, 0x6000501B, ZBB),
    *((0xFFF0707F, 0x60001013 | kind << 20, ZBB) for kind in (0, 1, 2, 4, 5)),  # clz, sext
    *((0xFFF0707F, 0x6000101B | kind << 20, ZBB) for kind in (0, 1, 2)),
    (0xFFF0707F, 0x0800403B, ZBB),  # zext.h
    (0xFFF0707F, 0x28705013, ZBB),  # orc.b
    (0xFFF0707F, 0x6B805013, ZBB),  # rev8
    *((0xFE00707F, 0x0A000033 | kind << 12, ZBC) for kind in (1, 2, 3)),  # clmul
    *((0xFE00707F, at | 0x1033, ZBS) for at in (0x28000000, 0x48000000, 0x68000000)),
    (0xFE00707F, 0x48005033, ZBS),  # bext
    *((0xFC00707F, at | 0x1013, ZBS) for at in (0x28000000, 0x48000000, 0x68000000)),
    (0xFC00707F, 0x48005013, ZBS),
    *((0xFE00707F, 0x0E000033 | kind << 12, ZICOND) for kind in (5, 7)),  # czero
    *((0xFE00707F, 0x08000033 | kind << 12, CRYPTO) for kind in (4, 7)),  # pack, packh
    (0xFE00707F, 0x0800403B, CRYPTO),  # packw
    (0xFFF0707F, 0x68705013, CRYPTO),  # brev8
    *((0xFE00707F, 0x28000033 | kind << 12, CRYPTO) for kind in (2, 4)),  # xperm
    (0xFE00707F, 0x10001013, CRYPTO),  # sha256sum0, sha512sum0, sm3p0
    (0xFE00707F, 0x30001013, CRYPTO),  # aes64im, aes64ks1i
    (0x3000707F, 0x30000033, CRYPTO),  # aes64es, sm4ed and so on
    # floating point
    *((0xFFF0707F, 0xF0100053 | wide << 25, ZFA) for wide in (0, 1)),  # fli
    *((0xFE00607F, 0x28002053 | wide << 25, ZFA) for wide in (0, 1)),  # fminm, fmaxm
    *((0xFE00607F, 0xA0004053 | wide << 25, ZFA) for wide in (0, 1)),  # fleq, fltq
    *((0xFFE0007F, 0x40400053 | wide << 25, ZFA) for wide in (0, 1)),  # fround
    (0xFFF0707F, 0xC2801053, ZFA),  # fcvtmod
    *((0x0600007F, at | 0x04000000, ZFH) for at in (0x43, 0x47, 0x4B, 0x4F, 0x53)),
    *((0xFFF0007F, 0x40200053 | wide << 25, ZFH) for wide in (0, 1)),  # fcvt from it
    *((0x0600007F, at | 0x06000000, QUAD) for at in (0x43, 0x47, 0x4B, 0x4F, 0x53)),
    # memory and system
    *((0xF800707F, 0x2800002F | wide << 12, ATOMICS) for wide in (2, 3, 4)),  # amocas
    *((0x0000707F, 0x0000002F | wide << 12, ATOMICS) for wide in (0, 1)),
    (0x0000707F, 0x0000200F, CACHES),
    *((0xFFFFFFFF, at, WAIT) for at in (0x00D00073, 0x01D00073)),
    (0x8000707F, 0x80004073, MAY_BE),
    # vstart, vxsat, vxrm, vcsr, vl, vtype, vlenb
    *((0xFFF0007F, at << 20 | 0x73, VECTOR) for at in (8, 9, 0xA, 0xF, 0xC20, 0xC21, 0xC22)),
    (0x0000007F, 0x00000073, SYSTEM),
    *((0x0000007F, at, VENDOR) for at in (0x0B, 0x2B, 0x5B, 0x7B)),
)


# --- two bytes --------------------------------------------------------------------------------

C_ROWS: tuple[Row, ...] = (
    (0xE003, 0x0000),  # c.addi4spn; without a number see `_compressed`
    *((0xE003, kind << 13) for kind in (1, 2, 3, 5, 6, 7)),  # c.fld, c.lw, c.ld and their stores
    *((0xE003, 0x0001 | kind << 13) for kind in (0, 1, 2, 3, 5, 6, 7)),  # c.addi to c.bnez
    *((0xEC03, 0x8001 | kind << 10) for kind in (0, 1, 2)),  # c.srli, c.srai, c.andi
    (0xFC03, 0x8C01),  # c.sub, c.xor, c.or, c.and
    *((0xFC63, 0x9C01 | kind << 5) for kind in (0, 1)),  # c.subw, c.addw
    *((0xE003, 0x0002 | kind << 13) for kind in range(8)),  # c.slli to c.sdsp
)
C_BEYOND = (
    (0xE003, 0x8000, ZCB),  # c.lbu and so on
    (0xFC63, 0x9C41, ZCB),  # c.mul
    (0xFC63, 0x9C61, ZCB),  # c.zext.b and so on
    (0xF8FF, 0x6081, MAY_BE),  # c.mop
)
RESERVED = (
    (0xFFE3, 0x0000),  # c.addi4spn of nothing; zero alone is a trap
    (0xEF83, 0x2001),  # c.addiw to no register
    (0xEF83, 0x4002),  # c.lwsp and c.ldsp to none
    (0xEF83, 0x6002),
    (0xFFFF, 0x8002),  # c.jr to none
    (0xF07F, 0x6001),  # c.lui and c.addi16sp of nothing
)


def _compressed(half: int) -> Iterator[str]:
    if not half:
        return  # defined to be no instruction ever, as linkers fill with
    known = any(half & mask == bits for mask, bits in C_ROWS)
    if known and not any(half & mask == bits for mask, bits in RESERVED):
        return
    yield next((word for mask, bits, word in C_BEYOND if half & mask == bits), UNKNOWN)
