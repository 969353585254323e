"""The toolchain is right for the board without being told, wherever it lies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.product.conftest import Product, output

C = '#include <stdio.h>\nint main(void) { puts("moved"); return 0; }\n'
CXX = "#include <iostream>\nint main() { try { throw 7; } catch (int i) { std::cout << i; } }\n"


@pytest.fixture
def moved(product: Product, tmp_path: Path) -> Path:
    """The toolchain, copied to where it was not built."""
    to = tmp_path / "else where"
    shutil.copytree(product.toolchain, to, symlinks=True)
    return to


@pytest.mark.parametrize("form", ["-static", "-static-pie"])
@pytest.mark.parametrize(("driver", "text", "expect"), [("gcc", C, "moved"), ("g++", CXX, "7")])
def test_moved_toolchain_compiles(
    product: Product, moved: Path, tmp_path: Path, driver: str, text: str, expect: str, form: str
) -> None:
    source = tmp_path / ("x.c" if driver == "gcc" else "x.cc")
    source.write_text(text)
    program = tmp_path / "x"
    output([moved / "bin" / f"{product.target.triple}-{driver}", form, source, "-o", program])
    with program.open("rb") as file:
        kinds = {segment.header.p_type for segment in ELFFile(file).iter_segments()}
    assert "PT_INTERP" not in kinds
    assert expect in output(product.emulated(program))


def test_default_is_pie(product: Product, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text(C)
    program = tmp_path / "x"
    output([product.toolchain / "bin" / f"{product.target.triple}-gcc", source, "-o", program])
    with program.open("rb") as file:
        assert ELFFile(file).header.e_type == "ET_DYN"


def test_dynamic_program_runs_with_the_sysroot(product: Product, tmp_path: Path) -> None:
    source = tmp_path / "x.cc"
    source.write_text(CXX)
    program = tmp_path / "x"
    triple = product.target.triple
    output([product.toolchain / "bin" / f"{triple}-g++", source, "-o", program])
    emulator, cpu, model, _ = product.emulated(program)
    sysroot = product.toolchain / triple
    assert "7" in output([emulator, cpu, model, "-L", sysroot, program])


def test_no_path_of_the_build_in_any_file(product: Product) -> None:
    needle = str(product.pipeline.settings.cache).encode()
    guilty = [
        path
        for path in product.toolchain.rglob("*")
        if path.is_file() and not path.is_symlink() and needle in path.read_bytes()
    ]
    assert guilty == []


def test_every_promised_program_and_library(product: Product) -> None:
    triple = product.target.triple
    programs = "gcc g++ cc c++ ar as ld nm objcopy objdump ranlib readelf strip".split()
    for program in programs:
        output([product.toolchain / "bin" / f"{triple}-{program}", "--version"])
    libraries = "libc.a libc.so libgcc_s.so.1 libatomic.a libstdc++.a libstdc++.so".split()
    assert all((product.toolchain / triple / "lib" / name).exists() for name in libraries)
    assert list(product.toolchain.glob("lib/gcc/*/*/libgcc_eh.a"))
