"""Where code goes: thousands of instructions, by a decoder that is not ours."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator

import capstone
import pytest

from muslin.audit import flow

START = 0x20000000
"""Far from 0, for branches lead back too."""
DECODERS = {
    "a": (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
    "t": (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    "x": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
}
WORDS = 5000
"""Of each kind, the same ones each time."""
STOPS = ("udf", "udf.w", "bkpt", "brk", "hlt")
CALLS = ("b", "b.w", "bl", "blx", "bx", "bxj", "br", "blr", "ret", "eret", "drps", "tbb", "tbh")
WITH_KEYS = re.compile(r"(br|blr)a[ab]z?|e?reta[ab]")
"""Branches of pointer authentication."""
COMPUTES = re.compile(r"(and|eor|sub|rsb|add|adc|sbc|rsc|orr|mov|lsl|lsr|asr|ror|rrx|bic|mvn)s?")
WHEN = "eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al|nv"
LEADS = re.compile(rf"blx|bl?({WHEN})?(\.w)?|bc?\.({WHEN})|cbn?z|tbn?z")
MANY = re.compile(r"(ldm(da|db|ib)?|pop)(\.w)?")
"""Loads of several registers, always."""


def likely(kind: str, dice: random.Random) -> int:
    """A word, of which many are branches, or write the program counter."""
    word = dice.getrandbits(32)
    match kind:
        case "a":
            word = word & 0xFFFFFFF | dice.choice((0xE, 0xE, 0xE, word >> 28)) << 28
            return word | dice.choice((0, 0xF000))
        case "t":
            second = dice.choice((0, 0xF000)) | word >> 16
            return (word | dice.choice((0, 0xE800, 0xF000))) & 0xFFFF | second << 16
        case _:
            tops = (0x14, 0x34, 0x36, 0x54, 0xD4, 0xD6, 0x94, 0xB5, 0xB7, word >> 24)
            return dice.choice((word & 0x3FFFFFF | dice.choice(tops) << 24, word & 0xFFFF, word))


@functools.cache
def decoded(kind: str) -> list[tuple[bytes, str, str]]:
    """Bytes, name and operands of what the decoder knows among many words."""
    return [*_decoded(kind)]


def _decoded(kind: str) -> Iterator[tuple[bytes, str, str]]:
    decoder, dice = capstone.Cs(*DECODERS[kind]), random.Random(7)  # noqa: S311  # no secrets
    for _ in range(WORDS):
        code = likely(kind, dice).to_bytes(4, "little")
        for _, size, name, operands in decoder.disasm_lite(code, START, 1):
            if kind != "t" or (size == 4) == (code[1] >= 0xE8):
                yield code[:size], name, operands


def number(kind: str, code: bytes) -> int:
    """An instruction as `flow` takes it."""
    if kind == "t" and len(code) == 4:
        code = code[2:] + code[:2]
    return int.from_bytes(code, "little")


def ends(kind: str, name: str, operands: str) -> bool | None:
    """Whether nothing is run behind it; None where the manual leaves open what it does."""
    if name in (*STOPS, *CALLS) or (kind == "x" and WITH_KEYS.fullmatch(name)):
        return None if kind != "x" and name == "hlt" else True
    if kind == "x":
        return False
    if MANY.fullmatch(name) and "pc!" not in operands:
        return "pc}" in operands
    if re.search(r"pc!|\[pc[^]]*\](!|,)|^pc", operands):
        wide = kind == "t" and operands.count(",") > 1
        known = name in ("ldr", "ldr.w") or (COMPUTES.fullmatch(name) and not wide)
        return True if known and operands.startswith("pc") else None
    return None if name in ("blxns", "bxns") else False


WAYS = {"a": flow.ends_a32, "t": flow.ends_thumb, "x": flow.ends_a64}


@pytest.mark.parametrize("kind", DECODERS)
def test_what_ends_a_stretch_of_code(kind: str) -> None:
    differing, seen = list[str](), {True: 0, False: 0}
    for code, name, operands in decoded(kind):
        if (wanted := ends(kind, name, operands)) is not None:
            seen[wanted] += 1
            if WAYS[kind](number(kind, code)) != wanted:
                differing.append(f"{code.hex()} {name} {operands}")
    assert differing == []
    assert min(seen.values()) > 300


@pytest.mark.parametrize("kind", DECODERS)
def test_where_branches_lead(kind: str) -> None:
    differing, seen = list[str](), 0
    for code, name, operands in decoded(kind):
        wanted = list[tuple[int, int, str]]()
        if LEADS.fullmatch(name) and (to := re.search(r"#(0x[0-9a-f]+)$", operands)):
            there = {"a": "t", "t": "a"}[kind] if name == "blx" else kind
            wanted.append((START, int(to[1], 16), there))
            seen += 1
        if [*flow.branches(kind, START, code)] != wanted:
            differing.append(f"{code.hex()} {name} {operands}")
    assert differing == []
    assert seen > 300


def test_branches_are_found_one_after_the_other() -> None:
    """Behind what has two bytes and what has four, and before half an instruction."""
    for kind, code, wanted in (
        ("a", "0000a0e1 000000ea 0000a0e1 000000ea 00", [(4, 12, "a"), (12, 20, "a")]),
        ("t", "0046 40f20000 00e0 00f000f8 00e0 00f0", [(6, 10, "t"), (8, 12, "t"), (12, 16, "t")]),
        ("x", "1f2003d5 00000014 02", [(4, 4, "x")]),
    ):
        assert [*flow.branches(kind, 0, bytes.fromhex(code))] == wanted


def test_how_many_instructions_an_it_makes_conditional() -> None:
    """The manual's table of `it`, section A8.8.54: the lowest bit set says how many."""
    for condition in range(15):
        for mask in range(1, 16):
            many = {8: 1, 4: 2, 2: 3, 1: 4}[mask & -mask]
            instruction = 0xBF00 | condition << 4 | mask
            wanted = 0 if condition == 14 else many
            assert flow.conditional_after(instruction) == wanted, hex(instruction)
    for other in (0xBF00, 0xBF10, 0xBFE8, 0xBE08, 0x4708, 0x1BF08, 0xF3AFBF08):
        assert flow.conditional_after(other) == 0
