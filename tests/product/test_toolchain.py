"""The contract of every driver: the toolchain is right for the board without being told, wherever
it lies. musl-cross-make's is made of the stand-ins in tests/standins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from muslin.models.target import Target
from recipes.toolchain.assemble import C_PROGRAM, CXX_PROGRAM, PROGRAMS
from tests.product import elsewhere
from tests.product.conftest import Product, output

C = '#include <stdio.h>\nint main(void) { puts("moved"); return 0; }\n'
POINTERS = """\
#include <stdio.h>
static const int one = 50, two = 51;
const int *table[100] = {[0 ... 49] = &one, [50 ... 99] = &two};
int main(void)
{
    int sum = 0;
    for (int i = 0; i < 100; i++) sum += *table[i];
    printf("%d\\n", sum);
    return 0;
}
"""
PACKING = ("EM_386", "EM_AARCH64", "EM_X86_64")
CXX = "#include <iostream>\nint main() { try { throw 7; } catch (int i) { std::cout << i; } }\n"


@dataclass(frozen=True)
class Made:
    """A driver's toolchain."""

    folder: Path
    cache: Path
    target: Target

    def program(self, name: str) -> Path:
        return self.folder / "bin" / f"{self.target.triple}-{name}"


@dataclass(frozen=True)
class Project:
    """What musl-cross-make made, the driver that `auto` takes for the set `upstream`."""

    toolchain: Path
    folder: Path
    said: str
    """What the run told its user."""
    again: str
    """What a second run told."""
    patched: bool
    """Whether its musl is the release, with patches."""


Projects = Callable[[Product], Project]


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Projects:
    """musl-cross-make's toolchain for a target, made once."""
    made: dict[str, Project] = {}

    def project(product: Product) -> Project:
        name = product.target.name
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            with elsewhere.machine(product, folder) as place:
                if made:
                    place.take_musl()  # one is built for real
                toolchain, said = place.toolchain("auto"), place.told()
                assert place.toolchain("auto") == toolchain
                made[name] = Project(toolchain, folder, said, place.told(), patched=not made)
        return made[name]

    return project


@pytest.fixture(params=["builtin", "musl-cross-make"])
def made(request: pytest.FixtureRequest, product: Product, projects: Projects) -> Made:
    """The toolchain of each driver."""
    target = product.target
    if request.param == "builtin":
        cache = product.pipeline.context.settings.cache
        return Made(folder=product.toolchain, cache=cache, target=target)
    project = projects(product)
    return Made(folder=project.toolchain, cache=project.folder / "cache", target=target)


@pytest.fixture
def moved(made: Made, tmp_path: Path) -> Made:
    """The toolchain, copied to where it was not built."""
    to = tmp_path / "else where"
    shutil.copytree(made.folder, to, symlinks=True)
    return Made(folder=to, cache=made.cache, target=made.target)


def kind(program: Path) -> tuple[str, set[str]]:
    """An ELF file's type and its segments'."""
    with program.open("rb") as file:
        elf = ELFFile(file)
        return elf.header.e_type, {segment.header.p_type for segment in elf.iter_segments()}


@pytest.mark.parametrize("form", ["-static", "-static-pie"])
@pytest.mark.parametrize(("driver", "text", "expect"), [("gcc", C, "moved"), ("g++", CXX, "7")])
def test_moved_toolchain_compiles(
    product: Product, moved: Made, tmp_path: Path, driver: str, text: str, expect: str, form: str
) -> None:
    source = tmp_path / ("x.c" if driver == "gcc" else "x.cc")
    source.write_text(text)
    program = tmp_path / "x"
    output([moved.program(driver), form, source, "-o", program])
    assert "PT_INTERP" not in kind(program)[1]
    assert expect in output(product.emulated(program))


@pytest.mark.parametrize("lto", [(), ("-flto",)])
@pytest.mark.parametrize(
    ("driver", "text", "more", "expect"),
    [
        ("gcc", C_PROGRAM, ("-lm", "-latomic"), "sum 10, root 10.000"),
        ("g++", CXX_PROGRAM, (), "across threads"),
    ],
)
def test_threads_their_own_variables_exceptions_and_wide_atomics(
    product: Product,
    made: Made,
    tmp_path: Path,
    driver: str,
    text: str,
    more: tuple[str, ...],
    expect: str,
    lto: tuple[str, ...],
) -> None:
    source = tmp_path / ("x.c" if driver == "gcc" else "x.cc")
    source.write_text(text)
    program = tmp_path / "x"
    output([made.program(driver), "-O2", "-static-pie", *lto, source, "-o", program, *more])
    assert expect in output(product.emulated(program))


def test_relative_relocations_are_packed(product: Product, tmp_path: Path) -> None:
    """Where the linker can, and musl unpacks them; a hundred pointers are two words then."""
    triple, program = product.target.triple, tmp_path / "x"
    (tmp_path / "x.c").write_text(POINTERS)
    compiler = product.toolchain / "bin" / f"{triple}-gcc"
    output([compiler, "-static-pie", tmp_path / "x.c", "-o", program])
    with program.open("rb") as file:
        packed = ELFFile(file).get_section_by_name(".relr.dyn")
        assert (packed is not None) == (product.target.machine in PACKING)
    assert output(product.emulated(program)) == "5050\n"


def test_static_cxx_library_goes_into_a_shared_one(
    product: Product, made: Made, tmp_path: Path
) -> None:
    source, library, program = tmp_path / "x.cc", tmp_path / "libx.so", tmp_path / "x"
    function = CXX.replace("int main()", 'extern "C" int x()').removesuffix("}\n")
    source.write_text(f"{function}return 0; }}\n")
    (tmp_path / "main.c").write_text("int x(void); int main(void) { return x(); }")
    output([made.program("g++"), "-shared", "-fPIC", "-Wl,-z,text", source, "-o", library])
    output([made.program("gcc"), tmp_path / "main.c", library, "-o", program])
    emulator, cpu, model, _ = product.emulated(program)
    sysroot = made.folder / made.target.triple
    where = f"LD_LIBRARY_PATH={tmp_path}:{sysroot}/lib"
    assert "7" in output([emulator, cpu, model, "-L", sysroot, "-E", where, program])


def test_default_is_pie(made: Made, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text(C)
    program = tmp_path / "x"
    output([made.program("gcc"), source, "-o", program])
    assert kind(program)[0] == "ET_DYN"


def test_defaults_are_the_baseline(made: Made) -> None:
    """What the target says to GCC's configure as `--with-arch=` is what the compiler does."""
    said = dict(re.findall(r"--with-(arch|cpu|fpu|abi)=(\S+)", " ".join(made.target.gcc.configure)))
    assert said, "the target leaves its baseline to GCC's own default"
    shown = output([made.program("gcc"), "-Q", "--help=target"])
    for option, value in said.items():
        line = re.search(rf"^  -m{option}=\S*\s+(\S+)", shown, re.MULTILINE)
        assert line is not None, option
        assert line[1] == value or line[1].startswith(f"{value}+"), (option, line[0])


def test_dynamic_program_runs_with_the_sysroot(
    product: Product, made: Made, tmp_path: Path
) -> None:
    source = tmp_path / "x.cc"
    source.write_text(CXX)
    program = tmp_path / "x"
    output([made.program("g++"), source, "-o", program])
    emulator, cpu, model, _ = product.emulated(program)
    sysroot = made.folder / made.target.triple
    assert "7" in output([emulator, cpu, model, "-L", sysroot, program])


def test_no_path_of_the_build_in_any_file(made: Made) -> None:
    needle = str(made.cache).encode()
    guilty = [
        path
        for path in made.folder.rglob("*")
        if path.is_file() and not path.is_symlink() and needle in path.read_bytes()
    ]
    assert guilty == []


def test_every_promised_program_and_library(made: Made) -> None:
    for program in PROGRAMS:
        output([made.program(program), "--version"])
    libraries = "libc.a libc.so libgcc_s.so.1 libatomic.a libstdc++.a".split()
    assert all((made.folder / made.target.triple / "lib" / name).exists() for name in libraries)
    assert list(made.folder.glob("lib/gcc/*/*/libgcc_eh.a"))


def test_from_auto_to_a_toolchain_of_musl_cross_make(product: Product, projects: Projects) -> None:
    project, target = projects(product), product.target
    assert not (project.folder / "cache" / "apt").exists(), "the archive was asked"
    words = elsewhere.configured(project.toolchain, target)
    assert {*target.gcc.configure, f"--target={target.triple}", "--enable-default-pie"} <= words
    sysroot = project.toolchain / target.triple
    assert (sysroot / "include" / "linux" / "version.h").exists()
    log = project.folder / f"cache/logs/{target.name}/musl-cross-make-{target.name}.log"
    assert ("patching file src/stdlib/qsort.c" in log.read_text()) == project.patched
    # A second run finds it, and knows which set it took.
    assert f"musl-cross-make-{target.name}" in project.said
    assert "built" not in project.again
