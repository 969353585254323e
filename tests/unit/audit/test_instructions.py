"""Every class of instruction against every baseline, in files made by hand: refused in its own
words where the baseline lacks what it needs, and let through where it has it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import capstone
import pytest

from muslin.audit import aarch64, arm, audit, baseline, ppc, x86
from muslin.audit.baseline import BASELINES, Baseline
from tests import elf
from tests.instructions import Cases
from tests.instructions.aarch64 import A64
from tests.instructions.arm import A32, THUMB
from tests.instructions.ppc import PPC64
from tests.instructions.riscv import RV64
from tests.instructions.x86 import X86, X86_32

KINDS: dict[str, Cases] = {
    **{"a": A32, "t": THUMB, "x": A64, "v": RV64, "p": PPC64},
    **{"x86": X86, "x86_32": X86_32},
}
MARKS = {"a": "$a", "t": "$t", "x": "$x", "v": "$x"}
V7 = {arm.V6, arm.V6T2, arm.V7, arm.VFP2, arm.VFP3, arm.THUMB2}
V8_1 = {aarch64.LSE, aarch64.RDM, aarch64.LOR, aarch64.CRC}
V2 = {x86.CX16, x86.LAHF, x86.POPCNT, x86.SSE3, x86.SSSE3, x86.SSE41, x86.SSE42}
V3 = {*V2, x86.AVX, x86.BMI, x86.MOVBE, x86.XSAVE}
HAS: dict[str, set[str]] = {
    "armv5te": set(),
    "armv6-vfpv2": {arm.V6, arm.VFP2},
    "armv7-vfpv3-d16": V7,
    "neon-vfpv4": {*V7, arm.D32, arm.HALF, arm.VFP4, arm.NEON},
    "armv8.0": set(),
    "armv8.1-a": V8_1,
    "armv8.2-a": {*V8_1, aarch64.PERSISTENT},
    "x86-64": set(),
    "x86-64-v2": V2,
    "x86-64-v3": V3,
    "x86-64-v4": {*V3, x86.AVX512},
    "i686-sse2": set(),
    "rv64gc": set(),
    "power8": set(),
    "power9": {ppc.POWER9},
}
"""What each baseline has beyond the least of its kind: Tegra 2 has neither d16 to d31 nor NEON, the
Cortex-A9 and the Cortex-A5 divide no integers."""
BASES = [
    *((kind, name) for kind in "at" for name in ("armv5te", "armv6-vfpv2", "armv7-vfpv3-d16")),
    *((kind, "neon-vfpv4") for kind in "at"),
    *(("x", name) for name in ("armv8.0", "armv8.1-a", "armv8.2-a")),
    *(("x86", name) for name in ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")),
    *(("x86_32", "i686-sse2"), ("v", "rv64gc"), ("p", "power8"), ("p", "power9")),
]


def test_every_baseline_is_tried() -> None:
    assert HAS.keys() == BASELINES.keys() == {name for _, name in BASES}


@pytest.mark.parametrize(("kind", "name"), BASES)
def test_every_class_for_every_baseline(tmp_path: Path, kind: str, name: str) -> None:
    found = needs_of(KINDS[kind], tmp_path, kind, BASELINES[name])
    wanted = {f"f{number}": needs - HAS[name] for number, (_, _, needs) in enumerate(KINDS[kind])}
    assert found == {symbol: needs for symbol, needs in wanted.items() if needs}


def needs_of(cases: Cases, folder: Path, kind: str, held_to: Baseline) -> dict[str, set[str]]:
    """What the audit finds in an object with one symbol for each instruction."""
    code, names = b"", list[elf.Name]()
    for number, (_, there, _) in enumerate(cases):
        names.append((f"f{number}", len(code), 0, elf.NOTYPE))
        code += bytes.fromhex(there)
    if kind in MARKS:
        names.append((MARKS[kind], 0, 0, elf.NOTYPE))
    path = folder / "x.o"
    text = elf.Part(name=".text", content=code, flags=elf.ALLOC | elf.EXEC)
    made = elf.made(held_to.machine, [text], names=names, bits=held_to.bits or 64)
    path.write_bytes(elf.arm(code, names) if kind in "at" else made)
    found: dict[str, set[str]] = {}
    for finding in audit.of(path, "x.o", held_to).findings:
        found.setdefault(finding.symbol, set()).add(finding.what)
    return found


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name in BASES if not BASELINES[name].has]
)
def test_a_processor_that_has_all_of_it_passes(tmp_path: Path, kind: str, name: str) -> None:
    every = frozenset(need for _, _, needs in KINDS[kind] for need in needs)
    found = needs_of(KINDS[kind], tmp_path, kind, replace(BASELINES[name], has=every))
    assert found == {}


def test_every_word_for_a_need_has_an_instruction() -> None:
    seen = {need for cases in KINDS.values() for _, _, needs in cases for need in needs}
    assert baseline.words() - seen == set()


# --- the same instruction with other operands needs the same -----------------------------------

DECODERS = {
    "a": (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
    "t": (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    "x": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
}
PARTICULAR = ("mrc", "mcr", "mrrc", "bl", "setpan")
"""Of these the operands say what they are, or bits that must be zero."""
FIXED = {
    **{"crc32b": 0xD00, "vldmia": 0xFF},
    **dict.fromkeys(("vmaxnm.f32", "vrintn.f32", "aese.8", "sha256h.32"), 0xF00),
}
"""Bits of which capstone takes others than the manual allows: what must be zero, a number of
registers, of which there are 16 at most, and how ARMv8's vectors begin in Thumb."""
FLOATING = {arm.VFP2, arm.VFP3, arm.VFP4, arm.HALF}


def needed(kind: str, code: bytes) -> set[str]:
    """What an instruction needs."""
    word = int.from_bytes(code, "little")
    match kind:
        case "a":
            return {*arm.a32(word)}
        case "x":
            return {*aarch64.a64(word)}
        case _:
            first = word & 0xFFFF
            return {*(arm.t32(first, word >> 16) if len(code) == 4 else arm.t16(first))}


def shape(decoder: capstone.Cs, code: bytes) -> tuple[str, str, bool]:
    """Name and kinds of operands by a decoder that is not ours, and whether one is of d16-d31;
    empty where it knows no instruction."""
    for _, size, name, operands in decoder.disasm_lite(code, 0x1000):
        if size == len(code):
            kinds = re.sub(r"#-?[0-9a-fx.]+(e[+-]?\d+)?", "#", operands)
            kinds = re.sub(r"\b(sb|sl|fp|ip|sp|lr|pc|r\d+|apsr_nzcv)\b", "r", kinds)
            kinds = re.sub(r"\b(xzr|wzr|wsp)\b", lambda match: match[0][0], kinds)
            kinds = re.sub(r"\b([a-z])\d+", r"\1", kinds)
            high = re.search(r"\bd(1[6-9]|2\d|3[01])\b", operands) is not None
            return name, re.sub(r"\{.*\}", "{}", kinds), high
    return "", "", False


def variants(decoder: capstone.Cs, code: bytes) -> dict[bytes, bool]:
    """The same instruction with each bit of its operands another, from itself on and from where
    all of them are others; and whether one is of d16-d31."""
    name, kinds, _ = shape(decoder, code)
    found, whole = dict[bytes, bool](), int.from_bytes(code, "little")
    for _ in range(2):
        free = 0
        for bit in range(8 * len(code)):
            other = (whole ^ 1 << bit).to_bytes(len(code), "little")
            *same, high = shape(decoder, other)
            if same == [name, kinds] and not FIXED.get(name, 0) >> bit & 1:
                found[other] = high
                free |= 1 << bit
        whole ^= free
    return found


@pytest.mark.parametrize("kind", DECODERS)
def test_other_operands_change_nothing(kind: str) -> None:
    """But for d16 to d31, which not every floating point unit has."""
    decoder, differing, tried = capstone.Cs(*DECODERS[kind]), list[str](), 0
    for text, code, needs in KINDS[kind]:
        if shape(decoder, bytes.fromhex(code))[0] in ("", *PARTICULAR):
            continue
        for other, high in variants(decoder, bytes.fromhex(code)).items():
            wanted, got = needs - {arm.D32}, needed(kind, other)
            tried += 1
            counts = needs & FLOATING and arm.NEON not in needs  # which has all of them
            if got - {arm.D32} != wanted or (counts and high != (arm.D32 in got)):
                differing.append(f"{text}: {other.hex()}")
    assert differing == []
    assert tried > 100
