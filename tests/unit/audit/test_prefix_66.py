"""Near branches with prefix 66, which processors of AMD and of Intel read in two ways: both are
followed, and each is a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.audit import audit, x86
from muslin.audit.baseline import BASELINES
from tests import elf


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("66e911223344", True),  # jmp
        ("66e811223344", True),  # call
        ("66eb10", True),
        ("667410", True),
        ("66e310", True),
        ("66e210", True),
        ("660f8411223344", True),
        ("66c3", True),
        ("66c21000", True),
        ("66ff10", True),  # call and jmp by memory and by register
        ("66ff20", True),
        ("66ffd0", True),
        ("66ffe0", True),
        ("2e66e911223344", True),
        ("662ee911223344", True),
        ("4866e911223344", True),  # a REX prefix that does not count
        ("6640e911223344", True),  # one without W
        ("6648e811223344", False),  # as in calls of __tls_get_addr
        ("666648e811223344", False),
        ("6648ff1500000000", False),
        ("e911223344", False),
        ("e966223344", False),  # in the offset
        ("eb66", False),
        ("c3", False),
        ("6690", False),
        ("66ff30", False),  # push
        ("66ff00", False),  # inc
        ("660f1f4000", False),
        ("66b81122", False),
        ("66", False),
    ],
)
def test_what_is_one(code: str, *, is_one: bool) -> None:
    assert x86.is_read_two_ways(bytes.fromhex(code)) is is_one


@pytest.mark.parametrize(
    ("code", "name", "leads"),
    [
        ("66e910007777", "jmp", (0x1014,)),
        ("66e8f0ff7777", "call", (0xFF4, 0x1004)),
        ("660f8410007777", "je", (0x1015, 0x1005)),
        ("66eb10", "jmp", (0x1013,)),
        ("6674f0", "je", (0xFF3, 0x1003)),
        ("66ff10", "call", ()),
        ("66c3", "ret", ()),
        ("e910000000", "jmp", ()),
        ("6648e810000000", "call", ()),
    ],
)
def test_where_amds_processors_go(code: str, name: str, leads: tuple[int, ...]) -> None:
    assert x86.other_reading(0x1000, bytes.fromhex(code), name) == leads


def test_an_address_is_cut() -> None:
    assert x86.other_reading(0x401000, bytes.fromhex("66e910000000"), "jmp") == (0x1014,)


def needs(folder: Path, text: str, *, rodata: str = "") -> set[str]:
    """What a program needs whose code is at 0x1000, and whose data, which can be run, at 0x2000."""
    parts = [
        elf.Part(
            name=".text", content=bytes.fromhex(text), flags=elf.ALLOC | elf.EXEC, address=0x1000
        )
    ]
    segments = [elf.Loaded(part=1, size=len(text) // 2, address=0x1000)]
    if rodata:
        content = bytes.fromhex(rodata)
        parts.append(elf.Part(name=".rodata", content=content, flags=elf.ALLOC, address=0x2000))
        segments.append(elf.Loaded(part=2, size=len(content), address=0x2000))
    names = [("_start", 0x1000, len(text) // 2, elf.FUNC)]
    made = elf.made(
        "EM_X86_64", parts, names=names, segments=segments, kind=elf.PROGRAM, start=0x1000
    )
    path = folder / "x"
    path.write_bytes(made)
    found = {one.what for one in audit.of(path, "x", BASELINES["x86-64"]).findings}
    return {one for one in found if "where no code is loaded" not in one}


HIDDEN = "b8f30fb8c0c3"
"""`mov eax, 0xc0b80ff3; ret`, and in it `popcnt eax, eax`."""
CASES = {
    # AMD: into the middle of HIDDEN, to `popcnt`; Intel: two bytes behind that, `mov` to `eax`.
    "a jump": "66e907000000c3909090" + HIDDEN + "909090c3",
    # AMD: behind the offset of 16 bits, `f3 0f` and then `b8 c0`.
    "behind a call": "66e80000f30fb8c0909090c3",
    "behind a condition": "660f840000f30fb8c0909090c3",
}


def test_code_that_is_not_reached_is_no_finding(tmp_path: Path) -> None:
    assert needs(tmp_path, HIDDEN) == set()
    assert needs(tmp_path, "c3" + HIDDEN) == set()


@pytest.mark.parametrize("case", CASES)
def test_both_ways_are_followed(tmp_path: Path, case: str) -> None:
    assert needs(tmp_path, CASES[case]) == {x86.TWO_WAYS, x86.POPCNT}


@pytest.mark.parametrize("case", CASES)
def test_both_ways_are_followed_beyond_sections_of_code(tmp_path: Path, case: str) -> None:
    to_data = "e9" + (0x2000 - 0x1005).to_bytes(4, "little").hex()
    assert needs(tmp_path, to_data, rodata=CASES[case]) == {x86.TWO_WAYS, x86.POPCNT}


def test_calls_for_thread_local_storage_pass(tmp_path: Path) -> None:
    assert needs(tmp_path, "666648e800000000c3") == set()


# --- 32-bit code ----------------------------------------------------------------------------------


def test_what_a_linker_fills_in_is_no_branch(tmp_path: Path) -> None:
    """A call in an object of 32-bit code leads into itself until it is linked: `call -4`."""
    code = bytes.fromhex("e8fcffffffc3")
    text = elf.Part(name=".text", content=code, flags=elf.ALLOC | elf.EXEC)
    table = (1).to_bytes(4, "little") + (0x102).to_bytes(4, "little")
    filled_in = elf.Part(name=".rel.text", content=table, kind=elf.REL, link=3, info=1, entry=8)
    names = [("f", 0, 6, elf.FUNC)]
    path = tmp_path / "x.o"
    for parts, found in (([text, filled_in], set()), ([text], {x86.UNKNOWN})):
        path.write_bytes(elf.made("EM_386", parts, names=names, bits=32))
        assert {one.what for one in audit.of(path, "x.o", BASELINES["i686-sse2"]).findings} == found


def test_branches_of_32_bit_code_by_a_constant(tmp_path: Path) -> None:
    """`mov eax, 0x1008; jmp eax`, and `jmp [0x1010]`, each into the middle of an instruction."""
    for code in ("b80a100000ffe09090" + HIDDEN, "ff250e100000909090" + HIDDEN):
        table = "" if code.startswith("b8") else "0a100000"
        content = bytes.fromhex(code + table)
        if table:
            content = content.replace(
                bytes.fromhex("0e100000"), (0x1000 + 15).to_bytes(4, "little")
            )
        made = elf.made(
            "EM_386",
            [elf.Part(name=".text", content=content, flags=elf.ALLOC | elf.EXEC, address=0x1000)],
            names=[("_start", 0x1000, len(content), elf.FUNC)],
            segments=[elf.Loaded(part=1, size=len(content), address=0x1000)],
            kind=elf.PROGRAM,
            start=0x1000,
            bits=32,
        )
        (tmp_path / "x").write_bytes(made)
        found = audit.of(tmp_path / "x", "x", BASELINES["i686-sse2"]).findings
        assert x86.POPCNT in {one.what for one in found}, code
