"""Stripped programs: what is reached, what is data, what is only possible. Words by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from muslin.audit import audit
from muslin.audit.audit import Audit
from muslin.audit.baseline import BASELINES, Baseline
from tests import elf
from tests.elf import ALLOC, EXEC, Loaded, Part

START = 0x10000
ARMV6, ARMV7, ARMV8 = (BASELINES[name] for name in ("armv6-vfpv2", "armv7-vfpv3-d16", "armv8.0"))
HARD_FLOAT = elf.EABI5 | 0x400

# ARM
RETURN, NOTHING, CALL_R3 = 0xE12FFF1E, 0xE1A00000, 0xE12FFF33
NEON = 0xF2000840
"""vadd.i8 q0, q0, q0"""
MOVW = 0xE3000000
EXIT = (0xE3A07001, 0xEF000000)
# AArch64
A64_RETURN, A64_NOTHING, A64_CALL_X3 = 0xD65F03C0, 0xD503201F, 0xD63F0060
LDADD = 0xB8200020
A64_EXIT = (0xD2800BA8, 0xD4000001)


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def halves(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def branch(at: int, to: int, *, link: bool = False) -> int:
    """ARM's b or bl from one word to another."""
    return (0xEB000000 if link else 0xEA000000) | (to - at - 2) & 0xFFFFFF


def a64_branch(at: int, to: int, *, link: bool = False) -> int:
    return (0x94000000 if link else 0x14000000) | (to - at) & 0x3FFFFFF


def looked_at(
    tmp_path: Path,
    code: bytes,
    baseline: Baseline,
    *,
    data: bytes = b"",
    thumb: bool = False,
    bare: bool = False,
) -> Audit:
    """A program that starts with its code, and has some words of data far behind it."""
    arm = baseline.machine == "EM_ARM"
    parts = [Part(name=".text", content=code, flags=ALLOC | EXEC, address=START)]
    segments = [Loaded(part=1, size=len(code), address=START)]
    if data:
        parts.append(Part(name=".data", content=data, flags=ALLOC, address=0x90000))
        segments.append(Loaded(part=2, size=len(data), address=0x90000, flags=6))
    content = bytearray(
        elf.made(
            baseline.machine,
            parts,
            segments=segments,
            kind=elf.PROGRAM,
            flags=HARD_FLOAT if arm else 0,
            start=START + thumb,
            bits=32 if arm else 64,
        )
    )
    if bare:
        table, numbers = (slice(32, 36), slice(46, 52)) if arm else (slice(40, 48), slice(58, 64))
        content[table], content[numbers] = bytes(table.stop - table.start), bytes(6)
    path = tmp_path / "program"
    path.write_bytes(content)
    return audit.of(path, "program", baseline, walks=True)


def needs(found: Audit) -> set[str]:
    """What instructions need, of certain findings."""
    return {one.what for one in found.findings if one.section}


def possible(found: Audit) -> set[str]:
    """What some may need."""
    return {
        text.removeprefix("possibly ").partition(":")[0]
        for text in found.unseen
        if text.startswith("possibly")
    }


REACHED = {
    "the entry point": (NEON, *EXIT),
    "what comes next": (NOTHING, NEON, *EXIT),
    "a branch": (branch(0, 2), MOVW, NEON, *EXIT),
    "behind a call that returns": (branch(0, 4, link=True), NEON, *EXIT, RETURN),
    "a call": (branch(0, 3, link=True), *EXIT, NEON, RETURN),
    "a constant": (0xE59F3000, 0xE12FFF13, START + 12, NEON, *EXIT),
    "a constant that hides code": (0xE59F3000, NOTHING, NEON, *EXIT, RETURN),
    "a table of jumps": (
        0xE3500001, 0x979FF100, RETURN, START + 20, START + 24, RETURN, NEON, RETURN,
    ),
    "a table of branches": (
        0xE3500001, 0x908FF100, RETURN, branch(3, 5), branch(4, 6), RETURN, NEON, RETURN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bare", [False, True], ids=["sections", "no section headers"])
@pytest.mark.parametrize("way", REACHED)
def test_what_a_processor_gets_to_is_certain(way: str, bare: bool, tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(*REACHED[way]), ARMV6, bare=bare)
    assert needs(found) == {"NEON"}, (way, found.unseen)


A64_REACHED = {
    "the entry point": (LDADD, *A64_EXIT),
    "a branch": (a64_branch(0, 2), 0, LDADD, *A64_EXIT),
    "behind a call that returns": (a64_branch(0, 4, link=True), LDADD, *A64_EXIT, A64_RETURN),
    "a constant": (0x58000043, 0xD61F0060, START + 16, 0, LDADD, *A64_EXIT),
    "a table of jumps": (
        0x7100041F,  # cmp w0, #1
        0x540000C8,  # b.hi
        0x10000121,  # adr x1, table
        0x38604822,  # ldrb w2, [x1, w0, uxtw]
        0x10000063,  # adr x3
        0x8B228863,  # add x3, x3, w2, sxtb #2
        0xD61F0060,  # br x3
        A64_RETURN,
        0xFFFFFFFF,
        LDADD,
        A64_RETURN,
        0x00000200,
    ),
}


@pytest.mark.parametrize("bare", [False, True], ids=["sections", "no section headers"])
@pytest.mark.parametrize("way", A64_REACHED)
def test_what_an_aarch64_processor_gets_to_is_certain(way: str, bare: bool, tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(*A64_REACHED[way]), ARMV8, bare=bare)
    assert needs(found) == {"LSE atomics (ARMv8.1)"}, (way, found.unseen)


THUMB_REACHED = {
    "the entry point": (0xEF00, 0x0840, 0x4770),
    "a branch": (0xE000, 0x0000, 0xEF00, 0x0840, 0x4770),
    "behind a condition": (0xBF08, 0x4770, 0xEF00, 0x0840, 0x4770),
    "a table of bytes": (0x2801, 0xD806, 0xE8DF, 0xF000, 0x0201, 0x4770, 0xEF00, 0x0840, 0x4770,
        0x4770),
}  # fmt: skip


@pytest.mark.parametrize("way", THUMB_REACHED)
def test_what_a_processor_gets_to_in_thumb_is_certain(way: str, tmp_path: Path) -> None:
    found = looked_at(tmp_path, halves(*THUMB_REACHED[way]), ARMV7, thumb=True)
    assert needs(found) == {"NEON"}, (way, found.unseen)


DATA = {
    "a constant": (0xE59F0000, RETURN, NEON),
    "behind a call that does not return": (0xE59F0004, branch(1, 4, link=True), NOTHING, NEON,
        *EXIT),
    "a constant behind a call that does not return": (
        0xE59F0000, branch(1, 3, link=True), NEON, *EXIT),
    "a constant behind a call of something unknown": (0xE59F0000, CALL_R3, NEON, RETURN),
    "a table of jumps": (0xE3500000, 0x979FF100, RETURN, START + 16, RETURN),
}  # fmt: skip


@pytest.mark.parametrize("way", DATA)
def test_data_beside_code_are_no_findings(way: str, tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(*DATA[way]), ARMV6)
    assert needs(found) == set(), way


def test_a_pool_of_thumb_behind_a_call_is_no_finding(tmp_path: Path) -> None:
    code = halves(0x4801, 0x4798, 0xBF00, 0xBF00, 0xEF00, 0x0840)  # ldr r0, blx r3
    code = halves(0x4800, 0x4798, 0xEF00, 0x0840)
    assert needs(looked_at(tmp_path, code, ARMV7, thumb=True)) == set()


def test_unreached_code_is_a_possible_finding(tmp_path: Path) -> None:
    run = (0xE92D4010, NEON, 0xE3A00000, 0xE8BD8010)
    found = looked_at(tmp_path, words(RETURN, *run), ARMV6)
    assert needs(found) == set()
    assert possible(found) == {"NEON"}


def test_unreached_words_that_are_no_code_are_no_possible_finding(tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(RETURN, NEON, 0x12345678, 0x00000007), ARMV6)
    assert not needs(found)
    assert not possible(found)
    (text,) = found.unseen
    assert "only 25.0% of its code is reached or explained" in text


def test_what_data_point_at_is_code_where_it_can_be(tmp_path: Path) -> None:
    code = words(RETURN, 0xE92D4010, NEON, 0xE3A00000, 0xE8BD8010)
    found = looked_at(tmp_path, code, ARMV6, data=words(START + 4))
    assert needs(found) == {"NEON"}
    assert not found.unseen


def test_what_data_point_at_that_cannot_be_code_is_no_finding(tmp_path: Path) -> None:
    code = words(RETURN, NEON, 0xFFFFFFFF, 0x00000001)
    found = looked_at(tmp_path, code, ARMV6, data=words(START + 4))
    assert not needs(found)


def test_behind_a_call_of_something_unknown_code_goes_on(tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(CALL_R3, NEON, RETURN), ARMV6)
    assert needs(found) == {"NEON"}


def test_a_contradiction_makes_a_finding_of_the_function_only_possible(tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(CALL_R3, NEON, 0x0A000000, RETURN, 0xFFFFFFFF, 0), ARMV6)
    assert not needs(found)
    assert possible(found) == {"NEON"}


def test_a_branch_out_of_the_code_is_a_finding(tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(branch(0, 0x40000), 0), ARMV6)
    assert [one.what for one in found.findings] == [
        "a branch at 0x10000 leads to 0x110000, where no code is loaded"
    ]


def test_a_packed_program_is_named(tmp_path: Path) -> None:
    code = words(RETURN) + b"UPX!" + bytes(8)
    assert any("packed by UPX" in text for text in looked_at(tmp_path, code, ARMV6).unseen)


def test_a_program_that_is_seen_and_fits_has_nothing_unseen(tmp_path: Path) -> None:
    found = looked_at(tmp_path, words(branch(0, 4, link=True), *EXIT, 0, RETURN), ARMV6)
    assert not found.findings
    assert not found.unseen
    (note,) = found.notes
    assert "80.0% surely reached" in note


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 7])
def test_code_that_breaks_off_is_walked_to_its_end(size: int, tmp_path: Path) -> None:
    code = words(NOTHING, 0xEB000000) + bytes(range(1, size + 1))
    assert looked_at(tmp_path, code, ARMV6, bare=True).code_bytes
    assert looked_at(tmp_path, code + b"\0\xf0", ARMV7, thumb=True, bare=True).code_bytes


def test_without_being_asked_to_walk_a_stripped_program_is_not_seen(tmp_path: Path) -> None:
    looked_at(tmp_path, words(RETURN), ARMV6)
    (text,) = audit.of(tmp_path / "program", "program", ARMV6).unseen
    assert "is stripped" in text
