"""Programs of the host's own linker that hide their code from who believes the section table."""

from __future__ import annotations

import platform
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from elftools.elf.elffile import ELFFile

from muslin.audit import audit, baseline, symbols, verdict
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from muslin.audit.symbols import Names, Symbol
from tests.hidden import X86_HEAD, X86_WAYS

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the programs are the host's, and their code x86-64's"
)
POPCNT = """\
.globl _start
.type _start, @function
_start: popcnt %rax, %rdi
ud2
.size _start, .-_start
"""
Change = Callable[[bytearray, int], None]
"""What is done to a program whose `.text` has its header at a place."""


def linked(folder: Path, text: str, *options: str) -> Path:
    (folder / "x.s").write_text(text)
    words = ("gcc", "-static", "-nostdlib", "-Wl,--build-id=none", *options, "x.s", "-o", "x")
    subprocess.run(words, cwd=folder, check=True)
    return folder / "x"


def said(path: Path) -> set[str]:
    return {one.what for one in audit.of(path, path.name, BASELINES["x86-64"]).findings}


def flags(bits: int) -> Change:
    def change(whole: bytearray, at: int) -> None:
        whole[at + 8 : at + 16] = struct.pack("<Q", bits)

    return change


def kind(number: int) -> Change:
    def change(whole: bytearray, at: int) -> None:
        whole[at + 4 : at + 8] = struct.pack("<I", number)

    return change


def shorter(whole: bytearray, at: int) -> None:
    whole[at + 32 : at + 40] = struct.pack("<Q", 2)


def elsewhere(whole: bytearray, at: int) -> None:
    whole[at + 24 : at + 32] = struct.pack("<Q", len(whole))
    whole += b"\x90" * 16


ALLOC, EXEC, COMPRESSED = 0x2, 0x4, 0x800
NOBITS, NOTE = 8, 7


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (flags(ALLOC), "it has code and no section that says where"),
        (flags(ALLOC | EXEC | COMPRESSED), r"\.text is code that is compressed"),
        (kind(NOBITS), r"\.text is code that the file does not hold"),
        (shorter, "are loaded as code, in no section"),
        (elsewhere, r"\.text is loaded from elsewhere, or not at all"),
    ],
    ids=["data", "compressed", "not there", "shorter", "elsewhere"],
)
def test_a_table_that_tells_another_story_is_refused(
    tmp_path: Path, change: Change, fault: str
) -> None:
    path = linked(tmp_path, POPCNT)
    assert said(path) == {"POPCNT"}
    with path.open("rb") as file:
        elf = ELFFile(file)
        index = next(at for at, one in enumerate(elf.iter_sections()) if one.name == ".text")
        place = elf["e_shoff"] + index * elf["e_shentsize"]
    whole = bytearray(path.read_bytes())
    change(whole, place)
    path.write_bytes(whole)
    with pytest.raises(Refused, match=fault):
        said(path)


@pytest.mark.parametrize("name", ["note", "init_array", "unwind", "0x60000001"])
def test_code_is_code_whatever_its_section_is_called(tmp_path: Path, name: str) -> None:
    assert said(linked(tmp_path, f'.section .later,"ax",@{name}\n{POPCNT}')) == {"POPCNT"}


def test_a_start_that_is_no_code_is_refused(tmp_path: Path) -> None:
    text = f"{POPCNT.replace('_start', 'f')}.section .rodata\n.globl _start\n_start: .quad 1\n"
    with pytest.raises(Refused, match=r"it starts at 0x[0-9a-f]+, which is in no section of code"):
        said(linked(tmp_path, text))


def test_a_function_among_data_is_found(tmp_path: Path) -> None:
    hidden = POPCNT.replace("_start", "f")
    text = f".globl _start\n_start: ret\n.section .rodata\n{hidden}"
    assert said(linked(tmp_path, text)) == {"its function f lies in .rodata, which is no code"}


def test_a_function_among_data_is_found_without_a_size_too(tmp_path: Path) -> None:
    text = (
        ".globl _start\n_start: ret\n.section .rodata\n.type f, @function\nf: popcnt %rax, %rdi\n"
    )
    assert said(linked(tmp_path, text)) == {"its function f lies in .rodata, which is no code"}


JUMPS = {
    # over half of a movabs, whose constant is vaddps and a return
    "over data": ".byte 0xeb, 2, 0x48, 0xb8, 0xc5, 0xf8, 0x58, 0xc1, 0xc3, 0x0f, 0x1f, 0",
    "back into a constant": "1: movabs $0xc3c158f8c5, %rax\njne 1b + 2\nret",
    "by way of another": ".byte 0xeb, 2, 0x48, 0xb8, 0xeb, 2, 0x48, 0xb8\n"
    ".byte 0xc5, 0xf8, 0x58, 0xc1, 0xc3, 0",
}


@pytest.mark.parametrize("text", JUMPS.values(), ids=JUMPS)
def test_an_instruction_in_the_middle_of_another_is_found(tmp_path: Path, text: str) -> None:
    whole = f".globl _start\n_start: {text}\n.fill 16, 1, 0x90\nret\n"
    assert said(linked(tmp_path, whole)) == {"AVX or later"}


@pytest.mark.parametrize("way", X86_WAYS)
def test_what_code_leads_to_is_looked_at(tmp_path: Path, way: str) -> None:
    """In a segment that holds data beside code, as older linkers make it."""
    path = linked(tmp_path, X86_HEAD + X86_WAYS[way], "-no-pie", "-Wl,-z,noseparate-code")
    if way == "the entry point":
        with pytest.raises(Refused, match="which is in no section of code"):
            said(path)
    else:
        assert "POPCNT" in said(path)


def test_an_end_of_all_code_leads_nowhere(tmp_path: Path) -> None:
    text = ".globl _start\n_start: mov $60, %eax\nsyscall\n.section .rodata\n.fill 64, 1, 0xc5\n"
    assert said(linked(tmp_path, text, "-Wl,-z,noseparate-code")) == set()


def test_a_jump_over_a_prefix_is_no_fault(tmp_path: Path) -> None:
    """As hand-written atomics do where one processor runs alone."""
    text = ".globl _start\n_start: je 1f\nlock\n1: cmpxchg %rax, (%rdi)\nret\n"
    assert said(linked(tmp_path, text)) == set()


@pytest.mark.parametrize(
    ("bits", "little_endian", "faults"),
    [
        (64, True, set()),
        (32, True, {"has addresses of 64 bits"}),
        (64, False, {"is little-endian"}),
    ],
)
def test_what_a_target_without_rules_holds_programs_to(
    tmp_path: Path, bits: Literal[32, 64], faults: set[str], *, little_endian: bool
) -> None:
    plain = baseline.of("", machine="EM_X86_64", bits=bits, little_endian=little_endian)
    path = linked(tmp_path, POPCNT)
    assert {one.what for one in audit.of(path, path.name, plain).findings} == faults


def test_a_name_with_a_line_feed_stays_one_line(tmp_path: Path) -> None:
    hidden = POPCNT.replace("_start", "f")
    path = linked(tmp_path, f".globl _start\n_start: ret\n.section .rodata\n{hidden}")
    whole = path.read_bytes()
    assert whole.count(b".rodata\0") == 1
    path.write_bytes(whole.replace(b".rodata\0", b".ro\nata\0"))
    found = verdict.of(path, "x", held_to=BASELINES["x86-64"], baseline="x86-64", entries=())
    (line,) = (one for one in found.lines() if one.startswith("refused: "))
    assert line == r"refused: x: its function f lies in .ro\nata, which is no code"


def test_segments_over_each_other_are_refused(tmp_path: Path) -> None:
    path = linked(tmp_path, POPCNT)
    whole = bytearray(path.read_bytes())
    whole[54:58] = struct.pack("<HH", 0, 0xFFFF)  # e_phentsize, e_phnum
    path.write_bytes(whole)
    with pytest.raises(Refused, match="its program headers overlap"):
        said(path)


def test_a_table_before_a_function_hides_nothing_of_it(tmp_path: Path) -> None:
    """The table ends with the first bytes of a long instruction."""
    assert "POPCNT" in said(linked(tmp_path, f".byte 0x48, 0xb8\n{POPCNT}"))


def test_sections_over_each_other_are_refused(tmp_path: Path) -> None:
    path = linked(tmp_path, f'{POPCNT}.section .more,"ax"\nret\n')
    whole = bytearray(path.read_bytes())
    with path.open("rb") as file:
        elf = ELFFile(file)
        places = {one.name: at for at, one in enumerate(elf.iter_sections())}
        text, more = (
            elf["e_shoff"] + places[name] * elf["e_shentsize"] for name in (".text", ".more")
        )
    whole[more + 24 : more + 32] = whole[text + 24 : text + 32]
    path.write_bytes(whole)
    with pytest.raises(Refused, match=r"\.more and \.text lie over each other"):
        said(path)


def test_what_no_symbol_covers_is_not_the_last_ones(tmp_path: Path) -> None:
    path = linked(tmp_path, f"{POPCNT}vzeroupper\nret\n")
    found = audit.of(path, "x", BASELINES["x86-64"]).findings
    assert {one.symbol: one.what for one in found} == {
        "_start": "POPCNT",
        "behind _start": "AVX or later",
    }


def test_names_of_symbols_within_others(tmp_path: Path) -> None:
    def symbol(offset: int, name: str, size: int) -> Symbol:
        return Symbol(offset, name, size, "STT_FUNC", thumb=False)

    some = sorted([symbol(0, "outer", 100), symbol(40, "inner", 10), symbol(120, "bare", 0)])
    with linked(tmp_path, POPCNT).open("rb") as file:
        names = Names(some, ELFFile(file).get_section(1))
        at = [names.at(offset) for offset in (0, 45, 60, 100, 120, 500)]
    assert at == ["outer", "inner", "outer", "behind inner", "bare", "bare"]
    assert symbols.marks(some) == []
