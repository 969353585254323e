"""What of a section is taken for code where marks say that some of it is data."""

from __future__ import annotations

import pytest

from recipes.audit import code
from recipes.audit.baseline import BASELINES
from recipes.audit.symbols import Symbol

ARM, THUMB, A64 = "armv6-vfpv2", "armv7-vfpv3-d16", "armv8.0"
CALLS = {"a": 0xEB000000, "x": 0x94000000}
MOV, A64_MOV = 0xE1A00001, 0xAA0103E0
RETURN, A64_RETURN = 0xE12FFF1E, 0xD65F03C0
NOP, A64_NOP = 0xE320F000, 0xD503201F
DATA = 0xF2000000


def mark(offset: int, kind: str) -> Symbol:
    return Symbol(offset, f"${kind}", 0, "STT_NOTYPE", thumb=False)


def looked_at(baseline: str, kind: str, before: list[int], data: list[int]) -> int:
    """Bytes of the data that are looked at as code, behind some code of a kind."""
    content = b"".join(word.to_bytes(4, "little") for word in (*before, *data))
    start = 4 * len(before)
    there = [mark(0, kind), mark(start, "d")]
    found = list(code.runs(there, content, BASELINES[baseline]))
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
        (A64, "x", [A64_MOV], 12),
        (A64, "x", [A64_RETURN], 0),
        (A64, "x", [A64_RETURN, A64_NOP], 0),
        (A64, "x", [CALLS["x"]], 0),
    ],
)
def test_data_that_code_runs_into(baseline: str, kind: str, before: list[int], size: int) -> None:
    end = RETURN if kind == "a" else A64_RETURN
    assert looked_at(baseline, kind, before, [DATA, DATA, end, DATA]) == size


def test_thumb_that_runs_into_data() -> None:
    """movs r0, r1 or bx lr; then vadd in four bytes, bx lr, and what is no longer come by."""
    tail = bytes.fromhex("02efff007047ffff")
    for half, size in (("0800", 6), ("7047", 0), ("7047c046", 0)):
        content = bytes.fromhex(half) + tail
        start = len(content) - len(tail)
        there = [mark(0, "t"), mark(start, "d")]
        found = list(code.runs(there, content, BASELINES[THUMB]))
        assert sum(run.end - run.start for run in found[1:]) == size


def test_a_function_that_is_called_data() -> None:
    content = DATA.to_bytes(4, "little") + RETURN.to_bytes(4, "little")
    there = [mark(0, "d"), Symbol(0, "f", 8, "STT_FUNC", thumb=False)]
    (run,) = code.runs(there, content, BASELINES[ARM])
    assert (run.kind, run.start, run.end) == ("a", 0, 8)


def test_functions_in_a_stretch_of_data_are_looked_at_once() -> None:
    content = DATA.to_bytes(4, "little") * 100
    there = [mark(0, "d")]
    there += [Symbol(at, f"f{at}", 4, "STT_FUNC", thumb=False) for at in range(0, 400, 4)]
    found = list(code.runs(there, content, BASELINES[ARM]))
    assert [(run.start, run.end) for run in found] == [(0, 400)]
