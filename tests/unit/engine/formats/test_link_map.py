"""Maps of GNU ld, as lines and from a real link."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from muslin.engine.formats import link_map
from muslin.engine.formats.link_map import LinkedObject

TEXT = """\
Archive member included to satisfy reference by file (symbol)

libx.a(b.o)                   a.o (used)

Discarded input sections

 .text.gone     0x0000000000000000       0x10 libgone.a(gone.o)

Memory Configuration

Linker script and memory map

LOAD a.o
LOAD libx.a

.init_of_a_very_long_name
                0x0000000000001000       0x17
 .init_of_a_very_long_name
                0x0000000000001000       0x17 /x/lib/../lib/crti.o

.text           0x0000000000001100       0x30
 *(.text.unlikely .text.*_unlikely)
 .text          0x0000000000001100       0x10 a.o
                0x0000000000001100                main
 .text          0x0000000000001110        0x0 libx.a(empty.o)
 *fill*         0x0000000000001110        0x8
 .text          0x0000000000001118       0x18 libx.a(b.o)

.eh_frame       0x0000000000002000       0x40
 .eh_frame      0x0000000000002000       0x40 libx.a(unwinding.o)

.data           0x0000000000003000        0x4 load address 0x0000000000002900
 .data          0x0000000000003000        0x4 libx.a(b.o)

.debug_info     0x0000000000000000       0x99
 .debug_info    0x0000000000000000       0x99 libdebug.a(debug.o)
OUTPUT(prog elf64-x86-64)
"""


def test_what_is_loaded_is_found_and_what_is_not_is_left_out() -> None:
    found = link_map.parse(TEXT.splitlines())
    assert found.objects == (
        LinkedObject(file="/x/lib/crti.o", size=0x17),
        LinkedObject(file="a.o", size=0x10),
        LinkedObject(file="libx.a", member="b.o", size=0x1C),
    )
    assert [one.size for one in found.objects] == [0x17, 0x10, 0x1C]
    assert found.sections[".text"] == (0x1100, 0x30)
    assert found.sections[".data"] == (0x3000, 4)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two programs with their maps, of one archive with two members."""
    folder = tmp_path_factory.mktemp("linked")
    for name, text in (
        ("used", "int used(int n) { return n + 1; }"),
        ("unused", "int unused(int n) { return n + 2; }"),
        ("one", "int used(int); int main(int n, char **w) { (void)w; return used(n); }"),
        ("two", "int unused(int); int main(int n, char **w) { (void)w; return unused(n) * 9; }"),
    ):
        (folder / f"{name}.c").write_text(text + "\n")
        run(folder, "gcc", "-c", f"{name}.c")
    run(folder, "ar", "rcs", "libx.a", "used.o", "unused.o")
    for name in ("one", "two"):
        run(folder, "gcc", f"{name}.o", "-o", name, "-L.", "-lx", f"-Wl,-Map={name}.map")
    run(folder, "strip", "-s", "-o", "stripped", "one")
    return folder


def run(folder: Path, *words: str) -> None:
    subprocess.run(words, cwd=folder, check=True)


@pytest.mark.parametrize(
    ("name", "program", "fits"),
    [
        ("one", "one", True),
        ("one", "stripped", True),
        ("two", "two", True),
        ("one", "two", False),
        ("two", "stripped", False),
    ],
)
def test_a_map_is_known_by_its_program(built: Path, name: str, program: str, fits: bool) -> None:
    found = link_map.parse((built / f"{name}.map").read_text().splitlines())
    with (built / program).open("rb") as file:
        assert link_map.describes(found, ELFFile(file)) is fits


def test_a_map_that_was_cut_off_is_of_no_program(built: Path) -> None:
    text = (built / "one.map").read_text()
    found = link_map.parse(text[: text.index("\n.text ")].splitlines())
    with (built / "one").open("rb") as file:
        assert not link_map.describes(found, ELFFile(file))


def test_a_member_that_is_linked_and_its_neighbour(built: Path) -> None:
    found = link_map.parse((built / "one.map").read_text().splitlines())
    members = {one.member for one in found.objects if one.file == "libx.a"}
    assert members == {"used.o"}
