"""RISC-V and PowerPC: what of a section is code, and what it leads to, in files made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.audit import audit, ppc, ppc_flow, riscv, stretches
from muslin.audit.baseline import BASELINES
from muslin.audit.symbols import Symbol
from tests import elf

BASELINE = {"v": BASELINES["rv64gc"], "p": BASELINES["power8"]}


def needs(folder: Path, kind: str, code: str, names: list[elf.Name] | None = None) -> set[str]:
    """What an object needs."""
    held_to = BASELINE[kind]
    text = elf.Part(name=".text", content=bytes.fromhex(code), flags=elf.ALLOC | elf.EXEC)
    path = folder / "x.o"
    path.write_bytes(elf.made(held_to.machine, [text], names=names or [("f", 0, 0, elf.FUNC)]))
    return {one.what for one in audit.of(path, "x.o", held_to).findings}


RV_RETURN, RV_VECTOR = "8280", "d7180002"  # ret; vadd.vv v17, v0, v4 or the like
PREFIXED_LOAD = "01000004a08664e4"  # pld
POWER_RETURN, POWER9_LOAD = "2000804e", "1922437c"


def test_mapping_symbols_of_riscv(tmp_path: Path) -> None:
    code = RV_RETURN + RV_VECTOR + RV_RETURN
    for mark in ("$x", "$xrv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0"):
        names = [("f", 0, 2, elf.FUNC), (mark, 0, 0, 0), ("$d", 2, 0, 0), (mark, 6, 0, 0)]
        assert needs(tmp_path, "v", code, names) == set()
        code_again = [("f", 0, 2, elf.FUNC), ("$d", 0, 0, 0), (mark, 2, 0, 0)]
        assert needs(tmp_path, "v", code, code_again) == {riscv.VECTOR}
    # Data that the instruction before runs into, and data that a branch leads to.
    assert needs(tmp_path, "v", "0100" + RV_VECTOR, [("$x", 0, 0, 0), ("$d", 2, 0, 0)]) == {
        riscv.VECTOR
    }
    jump = "09a0"  # c.j 2
    marks = [("$x", 0, 0, 0), ("$d", 4, 0, 0)]
    assert needs(tmp_path, "v", jump + RV_RETURN + RV_VECTOR, marks) == set()
    assert needs(tmp_path, "v", "11a0" + RV_RETURN + RV_VECTOR, marks) == {riscv.VECTOR}  # c.j 4


def test_code_of_riscv_is_read_anew_at_a_function(tmp_path: Path) -> None:
    """Without marks: what is before it may be data, and end in half an instruction."""
    code = "1300" + RV_VECTOR
    assert riscv.VECTOR in needs(tmp_path, "v", code, [("g", 2, 0, elf.FUNC)])


def test_half_an_instruction_of_riscv(tmp_path: Path) -> None:
    assert needs(tmp_path, "v", "130000") == {"its other half, which is not there"}
    assert needs(tmp_path, "v", RV_RETURN + "0000") == set()
    assert needs(tmp_path, "v", "1f00" + "0000" + "8280") == {riscv.UNKNOWN}  # of six bytes


TRACE = {
    "as GCC writes it": "00000000 00000001 80040000",
    "with parameters": "00000000 00000001 80040200 00000040",
    "with an offset and a name": "00000000 00002041 80040000 10000000 0300 666f6f 00000000",
    "as glibc's assembler files": "00000000 00000000 40200c00 10000000 0300 666f6f 00000000",
    "as OpenSSL's": "00000000 000c1400 00000300 00000000",
}


@pytest.mark.parametrize("table", TRACE)
def test_tables_for_tracing(tmp_path: Path, table: str) -> None:
    data = TRACE[table].replace(" ", "")
    data = data[: len(data) - len(data) % 8]
    assert needs(tmp_path, "p", POWER_RETURN + data + POWER_RETURN) == set()
    assert needs(tmp_path, "p", POWER_RETURN + data + POWER9_LOAD) == {ppc.POWER9}


def test_a_jump_table_behind_the_jump(tmp_path: Path) -> None:
    bctr, table = "2004804e", "0c00000010000000fcffffff"
    names = [("f", 0, 0, elf.FUNC)]
    assert needs(tmp_path, "p", bctr + table + POWER_RETURN * 2, names) == set()
    # Offsets that lead out of the section are none, and no branch before them is a jump.
    assert needs(tmp_path, "p", bctr + "0c010000" + POWER_RETURN) == {ppc.UNKNOWN}
    assert needs(tmp_path, "p", POWER_RETURN + table + POWER_RETURN * 2) == {ppc.UNKNOWN}
    # A branch into the table makes code of it.
    assert needs(tmp_path, "p", "08000048" + bctr + "04000000" + POWER_RETURN) == {ppc.UNKNOWN}


def test_what_has_a_prefix_is_one_instruction(tmp_path: Path) -> None:
    """The second half of `pld` would be one of POWER9's."""
    assert needs(tmp_path, "p", PREFIXED_LOAD + POWER_RETURN) == {ppc.PREFIXED}
    assert needs(tmp_path, "p", "00001004") == {ppc.PREFIXED}


# --- beyond sections' code ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code", "data", "need"),
    [
        ("v", "6f100000", RV_VECTOR + RV_RETURN, riscv.VECTOR),  # jal zero, 0x1000
        ("p", "00100048", POWER9_LOAD + POWER_RETURN, ppc.POWER9),  # b 0x1000
        ("p", "00100048", PREFIXED_LOAD + POWER_RETURN, ppc.PREFIXED),
    ],
)
def test_code_in_what_is_called_data(
    tmp_path: Path, kind: str, code: str, data: str, need: str
) -> None:
    """In a segment that can be run, where a branch leads."""
    held_to = BASELINE[kind]
    made = elf.made(
        held_to.machine,
        [
            elf.Part(
                name=".text", content=bytes.fromhex(code), flags=elf.ALLOC | elf.EXEC,
                address=0x10000,
            ),
            elf.Part(name=".rodata", content=bytes.fromhex(data), flags=elf.ALLOC, address=0x11000),
        ],
        names=[("_start", 0x10000, 4, elf.FUNC)],
        segments=[
            elf.Loaded(part=1, size=4, address=0x10000),
            elf.Loaded(part=2, size=len(data) // 2, address=0x11000),
        ],
        kind=elf.PROGRAM,
        start=0x10000,
    )  # fmt: skip
    path = tmp_path / "x"
    path.write_bytes(made)
    found = {(one.section, one.what) for one in audit.of(path, "x", held_to).findings}
    assert found == {(".rodata", need)}


@pytest.mark.parametrize("kind", BASELINE)
def test_the_last_instructions_of_a_stretch(kind: str) -> None:
    nothing, ret, load = {
        "v": ("01001300 0000", "8280", "03b50500"),
        "p": ("00000060", POWER_RETURN, "0000a3e8"),
    }[kind]
    for code, on in ((load + ret + nothing, False), (ret + load + nothing, True), (load, True)):
        content = bytes.fromhex(code)
        run = stretches.Run(kind=kind, start=0, end=len(content))
        assert stretches.goes_on(run, content) is on


def test_marks_of_powerpc_cover_a_section() -> None:
    content = bytes.fromhex(POWER_RETURN + TRACE["as GCC writes it"].replace(" ", "") + "0" * 8)
    assert ppc_flow.marks(content) == [(0, "p"), (4, "d"), (16, "p")]
    there = [Symbol(0, "f", 4, "STT_FUNC", thumb=False)]
    runs = [*stretches.runs(there, content, BASELINE["p"])]
    assert [(one.kind, one.start, one.end) for one in runs] == [("p", 0, 4), ("p", 16, 20)]


@pytest.mark.parametrize(
    ("kind", "code", "need"),
    [("v", RV_VECTOR + RV_RETURN, riscv.VECTOR), ("p", POWER9_LOAD + POWER_RETURN, ppc.POWER9)],
)
def test_a_stripped_program_is_looked_at(tmp_path: Path, kind: str, code: str, need: str) -> None:
    held_to = BASELINE[kind]
    content = bytes.fromhex(code)
    made = elf.made(
        held_to.machine,
        [elf.Part(name=".text", content=content, flags=elf.ALLOC | elf.EXEC, address=0x10000)],
        segments=[elf.Loaded(part=1, size=len(content), address=0x10000)],
        kind=elf.PROGRAM,
        start=0x10000,
    )
    (tmp_path / "x").write_bytes(made)
    found = audit.of(tmp_path / "x", "x", held_to)
    assert (found.unseen, {one.what for one in found.findings}) == ([], {need})
