"""RISC-V and PowerPC: what baselines have and where code goes, by decoders that are not ours."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import capstone
import pytest

from muslin.audit import flow, ppc, riscv, riscv_flow, stretches
from muslin.audit.ppc_later import POWER9, POWER10
from muslin.audit.ppc_power8 import POWER8

START = 0x20000000
DECODERS = {
    "v": (capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC),
    "p": (capstone.CS_ARCH_PPC, capstone.CS_MODE_64),
}
WORDS = 5000
TOPS = {"v": (0x6F, 0x63, 0x67, 0xA001, 0xC001, 0xE001, 0x8002, 0x73), "p": (16, 18, 19, 17, 31)}
RISCV_BRANCHES = re.compile(r"(c\.)?(j|jal|beq|bne|blt|bge|bltu|bgeu|b(eq|ne|lt|ge|le|gt)z)")
RISCV_ENDS = ("j", "jal", "jr", "jalr", "c.j", "c.jr", "c.jalr", "c.ebreak", "ebreak", "ret")


def likely(kind: str, dice: random.Random) -> bytes:
    """An instruction, of which many branch."""
    word, top = dice.getrandbits(32), dice.choice(TOPS[kind])
    if kind == "p":
        return (word & 0x3FFFFFF | dice.choice((top, top, word >> 26)) << 26).to_bytes(4, "little")
    if top & 3 == 3:
        return (word & ~0x7F | top).to_bytes(4, "little")
    return (word & 0x1FFC & 0xFFFF | top).to_bytes(2, "little")


@pytest.mark.parametrize("kind", DECODERS)
def test_branches_and_ends(kind: str) -> None:
    decoder, dice = capstone.Cs(*DECODERS[kind]), random.Random(7)  # noqa: S311  # no secrets
    seen, differing = {True: 0, False: 0}, list[str]()
    for _ in range(WORDS):
        code = likely(kind, dice)
        for _, size, name, operands in decoder.disasm_lite(code, START, 1):
            if size != len(code) or not known(kind, code):
                continue
            wanted = target(kind, name, operands)
            found = [to % (1 << 64) for _, to, _ in flow.branches(kind, START, code)]
            ended = ends(kind, name)
            seen[bool(wanted)] += 1
            number = int.from_bytes(code, "little")
            if found != wanted or stretches.ends(kind, number) != ended:
                differing.append(f"{code.hex()} {name} {operands}: {found}")
    assert differing == []
    assert min(seen.values()) > 300


def known(kind: str, code: bytes) -> bool:
    """Whether the baseline has it: what a branch is that it has not is anybody's guess."""
    number = int.from_bytes(code, "little")
    return not [*(riscv.needs(number) if kind == "v" else ppc.needs(number))]


def target(kind: str, name: str, operands: str) -> list[int]:
    last = re.search(r"(-?(?:0x)?[0-9a-f]+)$", operands)
    if kind == "v":
        is_one = RISCV_BRANCHES.fullmatch(name) and name != "c.jalr" and last
        return [START + int(last[1], 0)] if is_one and last else []
    by_register = re.search(r"(lr|ctr|tar)l?[+-]?$", name)
    if not name.startswith("b") or by_register or name == "bpermd" or last is None:
        return []
    return [int(last[1], 0) % (1 << 64)]


def ends(kind: str, name: str) -> bool:
    if kind == "v":
        return name in RISCV_ENDS
    return name in ("b", "ba", "bl", "bla", "blr", "blrl", "bctr", "bctrl", "trap")


def test_a_call_by_two_instructions() -> None:
    """`auipc ra, 1; jalr ra, -4(ra)`, as compilers write for what is far."""
    code = (0x00001097).to_bytes(4, "little") + (0xFFC080E7).to_bytes(4, "little")
    assert [*riscv_flow.branches(START, code)] == [(START + 4, START + 0xFFC, "v")]
    other = code[:4] + (0xFFC28067).to_bytes(4, "little")  # by a register that it is not in
    assert [*riscv_flow.branches(START, other)] == []


# --- RV64GC against a decoder that knows nothing else -------------------------------------------

OPERATIONS = (
    *(0x37, 0x17, 0x6F, 0x67, 0x63, 0x03, 0x23, 0x13, 0x1B, 0x33, 0x3B, 0x2F, 0x07, 0x27),
    *(0x43, 0x47, 0x4B, 0x4F, 0x53, 0x57, 0x0B, 0x6B, 0x77),
)
"""Less system and fences: the decoder knows the kernel's registers, and no reserved fence."""
FUNCTIONS = {0x2F: (0, 1, 2, 3, 31), 0x53: (0, 1, 2, 3, 4, 5, 31)}
"""Numbers of a second register that say what an operation does."""


def words() -> Iterator[tuple[int, int]]:
    """All that bits 31 to 25 and 14 to 12 may say in four bytes, and everything of two."""
    for operation in OPERATIONS:
        for function in range(1 << 10):
            word = (function >> 3) << 25 | (function & 7) << 12 | operation
            for second in FUNCTIONS.get(operation, (21,)):
                yield word | second << 20 | 11 << 15 | 10 << 7, 4
    yield from ((half, 2) for half in range(1 << 16) if half & 3 != 3)


def is_open(number: int, size: int) -> bool:
    """Whether decoders may differ: conversions that are exact and round all the same; hints; what
    was reserved in `c.lui`; and `c.unimp`."""
    if size == 4:
        return number & 0x7000 != 0 and number & 0xFE00007F in (0xD2000053, 0x42000053)
    return number & 0xF80 == 0 or number & 0xF07F == 0x6001


def test_rv64gc() -> None:
    decoder, differing, seen = capstone.Cs(*DECODERS["v"]), list[str](), {True: 0, False: 0}
    for number, size in words():
        code = number.to_bytes(size, "little")
        theirs = any(length == size for _, length, _, _ in decoder.disasm_lite(code, START, 1))
        seen[theirs] += 1
        if theirs != (not [*riscv.needs(number)]) and not is_open(number, size):
            differing.append(code.hex())
    assert differing == []
    assert min(seen.values()) > 5000


# --- PowerPC's table against a decoder ------------------------------------------------------------

ALIASES = {
    **{"tdi": "tdeqi", "twi": "tweqi", "cmpli": "cmplwi", "cmpi": "cmpwi", "bc": "ble"},
    **{"rldicl": "rotldi", "rldcl": "rotld", "xxpermdi": "xxmrghd", "tw": "tweq", "td": "tdeq"},
    **{"bclr": "blelr", "bclrl": "blelrl", "bcctr": "blectr", "bcctrl": "blectrl"},
    **{"mfvsrd": "mffprd", "cmp": "cmpw", "cmpl": "cmplw"},
}
OPERANDS = 0x00853000
"""Registers that all differ."""


def test_names_of_power8() -> None:
    """The decoder knows most, and calls them by their names."""
    decoder, same, differing = capstone.Cs(*DECODERS["p"]), 0, list[str]()
    for mask, words in POWER8.items():
        for word in words.split():
            name, _, bits = word.rpartition("=")
            code = (int(bits, 16) | OPERANDS & ~mask).to_bytes(4, "little")
            for _, _, other, _ in decoder.disasm_lite(code, START, 1):
                if other.rstrip(".+-") in (name.rstrip("."), ALIASES.get(name)):
                    same += 1
                else:
                    differing.append(f"{name}: {code.hex()} is {other}")
    assert differing == []
    assert same > 650


NOT_POWER8 = (
    "attn copy dcba dcbfep dcbi dcbstep dcbtep dcbtstep dcbzep dccci icbiep icblc icblq. icbtls "
    "iccci lbepx ldmx lfdepx lhepx lwepx mbar mfdcr mfpmr mfsr mfsrin mtdcr mtmsr mtmsrd mtpmr "
    "mtsr mtsrin paste paste. rfci rfdi rfmci sc stbepx stfdepx sthepx stwepx tlbia tlbivax tlbld "
    "tlbli tlbre tlbrehi tlbsx tlbsx. tlbwe tlbwehi vspltw wrtee wrteei"
)
"""What the decoder knows of other processors, or with bits that must be zero."""
UNKNOWN_TO_IT = (
    "addg6s bcdadd bcdsub bctar bctarl cbcdtd cdtbcd doze fcmpo fmrgew fmrgow hashchk hashchkp "
    "hashst hashstp isel lq lqarx lswx msgclr msgclrp msgsnd msgsndp mtfsb0 mtfsb1 prtyd prtyw "
    "rvwinkle slbfee sleep stq stqcx stswx dss dst dstst"
)
DECIMAL = re.compile(r"d[a-z0-9]+")
"""Instructions of decimal floating point, which it does not know either."""
WITH_OVERFLOW = re.compile(r"(add|sub|mul|div|neg)\w*o")


def test_power8() -> None:
    """Every operation, with all registers that differ and with none: both know it, or neither."""
    decoder, differing, seen = capstone.Cs(*DECODERS["p"]), set[str](), {True: 0, False: 0}
    for number in range(1 << 17):
        for operands in (OPERANDS, 0):
            word = (number >> 11) << 26 | number & 0x7FF | operands
            known = decoder.disasm_lite(word.to_bytes(4, "little"), START, 1)
            theirs, mine = next((name for _, _, name, _ in known), ""), [*ppc.needs(word)]
            seen[bool(theirs)] += 1
            if theirs and ppc.UNKNOWN in mine:
                differing |= {theirs} - {*NOT_POWER8.split()}
            elif word and not theirs and not mine and not may_be_unknown(word):
                differing.add(hex(word))
    assert differing == set()
    assert min(seen.values()) > 50000


def may_be_unknown(word: int) -> bool:
    (name,) = {text.rpartition("=")[0] for mask, bits, text in ROWS if word & mask == bits}
    return name in UNKNOWN_TO_IT.split() or bool(
        DECIMAL.fullmatch(name) or WITH_OVERFLOW.fullmatch(name)
    )


ROWS = [
    (mask, int(word.rpartition("=")[2], 16), word)
    for table in (POWER8, POWER9, POWER10)
    for mask, words in table.items()
    for word in words.split()
]


def test_every_instruction_is_of_one_row() -> None:
    """With whatever operands: a mask with a bit too few would take in its neighbours."""
    twice = [
        f"{word} and {other}"
        for mask, bits, word in ROWS
        for theirs, those, other in ROWS
        if word != other and not (bits ^ those) & mask & theirs
    ]
    assert twice == []
