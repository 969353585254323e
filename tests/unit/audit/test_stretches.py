"""What of a section is taken for code where marks say that some of it is data."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import pytest
from elftools.elf.sections import Section

from muslin.audit import flow, stretches
from muslin.audit.baseline import BASELINES
from muslin.audit.symbols import Symbol

ARM, THUMB, A64 = "armv6-vfpv2", "armv7-vfpv3-d16", "armv8.0"
CALLS = {"a": 0xEBFFFFFE, "x": 0x94000000}
MOV, A64_MOV = 0xE1A00001, 0xAA0103E0
RETURN, A64_RETURN = 0xE12FFF1E, 0xD65F03C0
NOP, A64_NOP = 0xE320F000, 0xD503201F
DATA = 0xF2000000


def mark(offset: int, kind: str) -> Symbol:
    return Symbol(offset, f"${kind}", 0, "STT_NOTYPE", thumb=False)


def covered(runs: Iterable[stretches.Run]) -> set[int]:
    """Every byte of code."""
    return {at for run in runs for at in range(run.start, run.end)}


def looked_at(baseline: str, kind: str, before: list[int], data: list[int]) -> int:
    """Bytes of the data that are looked at as code, behind some code of a kind."""
    content = b"".join(word.to_bytes(4, "little") for word in (*before, *data))
    start = 4 * len(before)
    there = [mark(0, kind), mark(start, "d")]
    found = list(stretches.runs(there, content, BASELINES[baseline]))
    assert (found[0].kind, found[0].start, found[0].end) == (kind, 0, start)
    return sum(run.end - run.start for run in found[1:])


@pytest.mark.parametrize(
    ("baseline", "kind", "before", "size"),
    [
        (ARM, "a", [MOV], 12),  # all of it, up to the return
        (ARM, "a", [MOV, NOP], 12),
        (ARM, "a", [NOP], 12),
        (ARM, "a", [RETURN], 0),
        (ARM, "a", [RETURN, NOP], 0),
        (ARM, "a", [RETURN, 0, 0], 0),  # a linker's filling
        (ARM, "a", [CALLS["a"]], 0),
        (ARM, "a", [0x012FFF1E], 12),  # a return that is taken at times
        (ARM, "a", [0xE128F000], 12),  # msr cpsr_f, r0
        (ARM, "a", [0xE320F002], 12),  # wfe
        (ARM, "a", [0xE750F211], 12),  # smmul r0, r1, r2
        (ARM, "a", [0xEF000000], 12),  # a system call comes back
        (ARM, "a", [0xE1A0F00E], 0),  # mov pc, lr
        (ARM, "a", [0xE08FF100], 0),  # add pc, pc, r0, lsl #2
        (ARM, "a", [0xE49DF004], 0),  # pop {pc}
        (ARM, "a", [0xE79FF100], 0),  # ldr pc, [pc, r0, lsl #2]
        (A64, "x", [0xD4000001], 12),  # svc #0
        (A64, "x", [0xD4207D00], 0),  # brk
        (A64, "x", [A64_MOV], 12),
        (A64, "x", [A64_RETURN], 0),
        (A64, "x", [A64_RETURN, A64_NOP], 0),
        (A64, "x", [CALLS["x"]], 0),
    ],
)
def test_data_that_code_runs_into(baseline: str, kind: str, before: list[int], size: int) -> None:
    end = RETURN if kind == "a" else A64_RETURN
    assert looked_at(baseline, kind, before, [DATA, DATA, end, DATA]) == size


def test_what_fills_up_between_data_is_not_come_by() -> None:
    """As an assembler aligns a table behind another one."""
    content = b"".join(word.to_bytes(4, "little") for word in (RETURN, DATA, NOP, DATA))
    there = [mark(0, "a"), mark(4, "d"), mark(8, "a"), mark(12, "d")]
    assert covered(stretches.runs(there, content, BASELINES[ARM])) == {*range(4), *range(8, 12)}


def test_thumb_that_runs_into_data() -> None:
    """movs r0, r1 or bx lr; then vadd in four bytes, bx lr, and what is no longer come by."""
    tail = bytes.fromhex("02efff007047ffff")
    for half, size in (
        *(("0800", 6), ("7047", 0), ("7047c046", 0)),
        *(("18bf7047", 6), ("08bf08007047", 0), ("04bf08007047", 6)),  # it, of one or two
    ):
        content = bytes.fromhex(half) + tail
        start = len(content) - len(tail)
        there = [mark(0, "t"), mark(start, "d")]
        found = list(stretches.runs(there, content, BASELINES[THUMB]))
        assert sum(run.end - run.start for run in found[1:]) == size


def test_a_function_that_is_called_data() -> None:
    content = DATA.to_bytes(4, "little") + RETURN.to_bytes(4, "little")
    there = [mark(0, "d"), Symbol(0, "f", 8, "STT_FUNC", thumb=False)]
    (run,) = stretches.runs(there, content, BASELINES[ARM])
    assert (run.kind, run.start, run.end) == ("a", 0, 8)


def test_a_function_with_a_size_is_looked_at_to_its_end() -> None:
    """push, a call, vadd, pop, all of them numbers, and a constant behind it."""
    words = (0xE92D4010, 0xEBFFFFFE, 0xF2000840, 0xE8BD8010, DATA)
    content = b"".join(word.to_bytes(4, "little") for word in words)
    there = [mark(0, "d"), Symbol(0, "f", 16, "STT_FUNC", thumb=False)]
    there += [Symbol(4, "g", 0, "STT_FUNC", thumb=False)]
    assert covered(stretches.runs(there, content, BASELINES[ARM])) == set(range(16))
    there = [mark(0, "d"), Symbol(0, "f", 999, "STT_FUNC", thumb=False)]
    assert covered(stretches.runs(there, content, BASELINES[ARM])) == set(range(20))


BRANCHES = (
    # what it is, its bytes, where it lies and leads, and of what kind that is
    (ARM, "a", "000000ea", 8, "a"),  # b
    (ARM, "a", "0000001a", 8, "a"),  # bne
    (ARM, "a", "000000fb", 10, "t"),  # blx
    (THUMB, "t", "02e0", 8, "t"),  # b
    (THUMB, "t", "02d1", 8, "t"),  # bne
    (THUMB, "t", "10b1", 8, "t"),  # cbz r0
    (THUMB, "t", "00f002b8", 8, "t"),  # b.w
    (THUMB, "t", "40f00280", 8, "t"),  # bne.w
    (THUMB, "t", "00f002e8", 8, "a"),  # blx
    (A64, "x", "02000014", 8, "x"),  # b
    (A64, "x", "41000054", 8, "x"),  # b.ne
    (A64, "x", "400000b4", 8, "x"),  # cbz x0
    (A64, "x", "40000036", 8, "x"),  # tbz w0, #0
)


@pytest.mark.parametrize(("baseline", "kind", "code", "to", "there"), BRANCHES)
def test_data_that_a_branch_leads_to(
    baseline: str, kind: str, code: str, to: int, there: str
) -> None:
    before = bytes.fromhex(code)
    end = {"a": "1eff2fe1", "t": "7047", "x": "c0035fd6"}[kind]  # so that nothing runs into it
    before += bytes.fromhex(end)
    content = before + bytes(12 - len(before)) + bytes.fromhex("12345678" * 4)
    marks = [mark(0, kind), mark(len(before), "d")]
    found = list(stretches.runs(marks, content, BASELINES[baseline]))
    assert (found[1].kind, found[1].start) == (there, to)
    filled_in = list(stretches.runs(marks, content, BASELINES[baseline], lambda: {0}))
    assert len(filled_in) == 1, "a linker has not said yet where it leads"


def test_branches_lead_back_too() -> None:
    for kind, code, to in (
        ("a", "fdffffea", 0),
        ("t", "fae7", 0),
        ("t", "fff7fabf", 0),
        ("t", "7ff4faaf", 0),
        ("x", "feffff17", 0),
        ("x", "c1ffff54", 0),
        ("x", "c0ff0736", 0),
    ):
        assert [one[1] for one in flow.branches(kind, 8, bytes.fromhex(code))] == [
            to + 4 * (kind == "a")
        ], code


@pytest.mark.parametrize(("kind", "thumb"), [("a", True), ("t", False)])
def test_a_mark_that_says_otherwise_than_the_function(kind: str, *, thumb: bool) -> None:
    there = [mark(0, "d"), mark(4, kind), Symbol(8, "f", 4, "STT_FUNC", thumb=thumb)]
    section = cast("Section", SimpleNamespace(name=".text", header=SimpleNamespace(sh_size=16)))
    (fault,) = stretches.wrong_marks(there, section, BASELINES[THUMB])
    assert fault.startswith(".text: a mapping symbol says that f is ")
    there[-1] = Symbol(8, "f", 4, "STT_FUNC", thumb=not thumb)
    assert not list(stretches.wrong_marks(there, section, BASELINES[THUMB]))


def test_functions_in_a_stretch_of_data_are_looked_at_once() -> None:
    content = DATA.to_bytes(4, "little") * 100
    there = [mark(0, "d")]
    there += [Symbol(at, f"f{at}", 4, "STT_FUNC", thumb=False) for at in range(0, 400, 4)]
    found = list(stretches.runs(there, content, BASELINES[ARM]))
    assert sum(run.end - run.start for run in found) == len(covered(found)) == 400
