"""Levels, and processors that are no ARM: what a program needs, and which computers run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.audit import allowed, ppc, riscv, x86
from muslin.check import command, requirement
from muslin.check.arguments import parser
from muslin.check.assessment import Options
from muslin.check.result import Result
from tests import elf

RETURNS = {"EM_X86_64": "c3", "EM_386": "c3", "EM_RISCV": "8280", "EM_PPC64": "2000804e"}


def checked(folder: Path, machine: str, code: str, *words: str) -> Result:
    bits = 32 if machine == "EM_386" else 64
    content = bytes.fromhex(code + RETURNS[machine])
    text = elf.Part(name=".text", content=content, flags=elf.ALLOC | elf.EXEC)
    path = folder / "x"
    path.write_bytes(elf.made(machine, [text], names=[("f", 0, 0, elf.FUNC)], bits=bits))
    chosen = parser().parse_args([str(path), *words])
    return command.check([path], command.requirements(chosen), Options())


AVX, AVX512, POPCNT, VAES = "c5f458d0", "62f1f548efd0", "f3480fb8c8", "c4e271dcd0"


@pytest.mark.parametrize(
    ("machine", "code", "needs"),
    [
        ("EM_X86_64", "", "the least of its kind: every 64-bit PC"),
        (
            "EM_X86_64",
            POPCNT,
            "POPCNT: 64-bit PC with x86-64-v2 (Intel Nehalem, AMD Bulldozer) and",
        ),
        ("EM_X86_64", AVX, "AVX or later: 64-bit PC with x86-64-v3 (Intel Haswell, AMD Zen) and"),
        (
            "EM_X86_64",
            AVX512,
            "AVX-512: 64-bit PC with x86-64-v4 (Intel Skylake servers, AMD Zen 4)",
        ),
        ("EM_X86_64", VAES, "another vector extension: no known computer"),
        ("EM_386", "60", "the least of its kind: 32-bit PCs from Pentium 4 on; every 64-bit PC"),
        ("EM_386", "660f3817c8", "SSE4.1: 64-bit PC with x86-64-v2"),
        ("EM_RISCV", "", "the least of its kind: every RISC-V board"),
        ("EM_RISCV", "33a5c520", f"{riscv.ZBA}: VisionFive 2 and other boards with a JH7110 and"),
        ("EM_RISCV", "5700c21a", f"{riscv.VECTOR}: Banana Pi F3"),
        ("EM_PPC64", "", "the least of its kind: every OpenPOWER server"),
        ("EM_PPC64", "1922437c", f"{ppc.POWER9}: POWER9 servers and later"),
        ("EM_PPC64", "00001004000064e8", f"{ppc.PREFIXED}: POWER10 servers"),
    ],
)
def test_what_a_program_needs(tmp_path: Path, machine: str, code: str, needs: str) -> None:
    (line,) = checked(tmp_path, machine, code).lines()
    assert f" needs at least {needs}" in line


@pytest.mark.parametrize(
    ("name", "fit", "do_not"),
    [
        ("x86-64", [""], [POPCNT, AVX, AVX512, VAES]),
        ("x86-64-v2", ["", POPCNT], [AVX, AVX512, VAES]),
        ("x86-64-v3", ["", POPCNT, AVX], [AVX512, VAES]),
        ("x86-64-v4", ["", POPCNT, AVX, AVX512], [VAES]),
    ],
)
def test_levels(tmp_path: Path, name: str, fit: list[str], do_not: list[str]) -> None:
    for code in (*fit, *do_not):
        found = checked(tmp_path, "EM_X86_64", code, "--baseline", name)
        assert found.exit_code == (code in do_not), code


def test_what_is_allowed_below_is_allowed_above() -> None:
    """A look at the processor is one on a newer one too."""
    above = {
        "x86-64": {"x86-64-v2", "x86-64-v3", "x86-64-v4"},
        "armv8.0": {"armv8.1-a", "armv8.2-a"},
        "armv7-vfpv3-d16": {"neon-vfpv4"},
    }
    for entry in allowed.load():
        for below, levels in above.items():
            assert (below in entry.baselines) == (levels <= {*entry.baselines}), entry


def test_allowed_vectors_are_of_every_length() -> None:
    """As before they had words of their own."""
    for entry in allowed.load():
        assert (x86.AVX in entry.needs) == ({x86.AVX512, x86.VECTORS} <= {*entry.needs}), entry
        assert (x86.BMI in entry.needs) == (x86.ADX in entry.needs), entry


@pytest.mark.parametrize(
    ("machine", "bits", "little_endian", "code"),
    [
        ("EM_RISCV", 64, True, "riscv"),
        ("EM_RISCV", 32, True, ""),
        ("EM_PPC64", 64, True, "ppc"),
        ("EM_PPC64", 64, False, ""),
        ("EM_386", 32, True, "x86_32"),
        ("EM_MIPS", 32, False, ""),
    ],
)
def test_the_least_processor(machine: str, bits: int, code: str, *, little_endian: bool) -> None:
    """None for a width or an order of bytes that the rules do not read."""
    found = requirement.least(machine, bits=bits, little_endian=little_endian)
    assert (found.code, found.has, found.bits) == (code, frozenset(), bits)
