"""What leads into a stripped program: tables for the loader and for unwinding, x86-64's code."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.audit import audit
from muslin.audit.audit import Audit
from muslin.audit.baseline import BASELINES
from tests import elf
from tests.elf import ALLOC, EXEC, Loaded, Part
from tests.unit.audit.test_stripped import HARD_FLOAT, needs, possible

START, DATA = 0x10000, 0x90000
DYNAMIC, EH_FRAME, EXIDX = 2, 0x6474E550, 0x70000001
INIT_ARRAY, INIT_ARRAY_SIZE, RELA, RELA_SIZE, RELR, RELR_SIZE, SYMBOLS, STRINGS = (
    25, 27, 7, 8, 36, 35, 6, 5,
)  # fmt: skip
RETURN, NEON = 0xE12FFF1E, 0xF2000840
A64_RETURN, LDADD = 0xD65F03C0, 0xB8200020
POPCNT = bytes.fromhex("f3480fb8c0")
X86_EXIT = bytes.fromhex("b83c0000000f05")


@dataclass(frozen=True)
class Case:
    """A program with a table in its data that names what lies behind the first word of its code."""

    machine: str
    data: bytes
    kind: int
    size: int = 0


def linked(case: Case, tmp_path: Path, code: bytes) -> Path:
    """The program, without section headers."""
    wide = case.machine != "EM_ARM"
    content = bytearray(
        elf.made(
            case.machine,
            [
                Part(name=".text", content=code, flags=ALLOC | EXEC, address=START),
                Part(name=".data", content=case.data, flags=ALLOC, address=DATA),
            ],
            segments=[
                Loaded(part=1, size=len(code), address=START),
                Loaded(part=2, size=len(case.data), address=DATA, flags=6),
                Loaded(part=2, size=case.size or len(case.data), address=DATA, kind=case.kind),
            ],
            kind=3,
            flags=0 if wide else HARD_FLOAT,
            start=START,
            bits=64 if wide else 32,
        )
    )
    table, numbers = (slice(40, 48), slice(58, 64)) if wide else (slice(32, 36), slice(46, 52))
    content[table], content[numbers] = bytes(table.stop - table.start), bytes(6)
    path = tmp_path / "program"
    path.write_bytes(content)
    return path


def walked(path: Path, baseline: str) -> Audit:
    """What is found in a program that is walked through."""
    return audit.of(path, "program", BASELINES[baseline], walks=True)


def pairs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


TAGS = 0x50
"""Bytes of the dynamic section in these."""
A64_TABLES = {
    "an array of constructors": Case(
        "EM_AARCH64",
        pairs(INIT_ARRAY, DATA + TAGS, INIT_ARRAY_SIZE, 8, 0, 0, 0, 0, 0, 0, START + 4),
        DYNAMIC,
        TAGS,
    ),
    "a relocation": Case(
        "EM_AARCH64",
        pairs(RELA, DATA + TAGS, RELA_SIZE, 24, 0, 0, 0, 0, 0, 0, DATA, 1027, START + 4),
        DYNAMIC,
        TAGS,
    ),
    "a packed relocation": Case(
        "EM_AARCH64",
        pairs(RELR, DATA + TAGS, RELR_SIZE, 16, 0, 0, 0, 0, 0, 0, DATA + TAGS + 8, 3, START + 4)
        .replace(pairs(DATA + TAGS + 8, 3), pairs(DATA + TAGS + 16, 1)),
        DYNAMIC,
        TAGS,
    ),
    "a dynamic function": Case(
        "EM_AARCH64",
        pairs(SYMBOLS, DATA + TAGS, STRINGS, DATA + TAGS + 24, 0, 0, 0, 0, 0, 0)
        + struct.pack("<IBBHQQ", 0, 0x12, 0, 1, START + 4, 8)
        + b"\0",
        DYNAMIC,
        TAGS,
    ),
    "an unwind entry": Case(
        "EM_AARCH64",
        struct.pack("<4BiIii", 1, 0x1B, 3, 0x3B, 0, 1, START + 4 - DATA, 0),
        EH_FRAME,
    ),
}  # fmt: skip


@pytest.mark.parametrize("table", A64_TABLES)
def test_tables_lead_to_code(table: str, tmp_path: Path) -> None:
    code = struct.pack("<3I", A64_RETURN, LDADD, A64_RETURN)
    found = walked(linked(A64_TABLES[table], tmp_path, code), "armv8.0")
    assert needs(found) == {"LSE atomics (ARMv8.1)"}, found.unseen


def test_without_the_table_nothing_leads_there(tmp_path: Path) -> None:
    code = struct.pack("<3I", A64_RETURN, LDADD, A64_RETURN)
    case = Case("EM_AARCH64", bytes(32), DYNAMIC)
    found = walked(linked(case, tmp_path, code), "armv8.0")
    assert not needs(found)
    assert possible(found) == {"LSE atomics (ARMv8.1)"}


def test_functions_of_arm_that_can_be_unwound_are_code(tmp_path: Path) -> None:
    code = struct.pack("<5I", RETURN, 0xE92D4010, NEON, 0xE3A00000, 0xE8BD8010)
    table = struct.pack("<II", (START + 4 - DATA) & 0x7FFFFFFF, 0x80B0B0B0)
    found = audit.of(
        linked(Case("EM_ARM", table, EXIDX), tmp_path, code),
        "x",
        BASELINES["armv6-vfpv2"],
        walks=True,
    )
    assert needs(found) == {"NEON"}


X86_REACHED = {
    "the entry point": POPCNT + X86_EXIT,
    "a branch": bytes.fromhex("eb01cc") + POPCNT + X86_EXIT,
    "the middle of an instruction": bytes.fromhex("eb0148") + POPCNT + X86_EXIT,
    "the middle of one that is run": bytes.fromhex("48b8") + POPCNT[:5] + bytes.fromhex("909090")
    + bytes.fromhex("ebf6") + X86_EXIT,
    "behind a call that returns": bytes.fromhex("e80c000000") + POPCNT + X86_EXIT + b"\xc3",
    "a pushed address": bytes.fromhex("6807000100c3cc") + POPCNT + X86_EXIT,
    "a table of jumps": bytes.fromhex(
        "83f801771a488d1514000000486304824801d0ffe0cc"
    ) + bytes(9) + b"\xc3" + struct.pack("<ii", 8, 8) + POPCNT + X86_EXIT,
}  # fmt: skip


@pytest.mark.parametrize("way", X86_REACHED)
def test_what_an_x86_64_processor_gets_to_is_certain(way: str, tmp_path: Path) -> None:
    case = Case("EM_X86_64", bytes(32), DYNAMIC)
    found = walked(linked(case, tmp_path, X86_REACHED[way]), "x86-64")
    assert needs(found) == {"POPCNT"}, (found.unseen, found.findings)


X86_DATA = {
    "behind a jump": bytes.fromhex("eb05") + POPCNT + X86_EXIT,
    "behind a call that does not return": bytes.fromhex("e805000000") + POPCNT + X86_EXIT,
    "behind the end": X86_EXIT + POPCNT,
}


@pytest.mark.parametrize("way", X86_DATA)
def test_what_an_x86_64_processor_does_not_get_to_is_no_certain_finding(
    way: str, tmp_path: Path
) -> None:
    case = Case("EM_X86_64", bytes(32), DYNAMIC)
    found = walked(linked(case, tmp_path, X86_DATA[way]), "x86-64")
    assert not needs(found)
