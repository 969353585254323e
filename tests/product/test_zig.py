"""The contract of the driver `zig`: as the others' in test_toolchain.py, as far as clang has it.

It wants `nox -s toolchain -- TARGET --driver zig` first, or `quickstart`, and says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.key import Keys
from muslin.models.target import Target
from recipes import verify
from recipes.toolchain.assemble import C_PROGRAM, CXX_PROGRAM, PROGRAMS
from tests import opened
from tests.product.conftest import Product, output
from tests.product.test_toolchain import CXX, C, kind

PROJECT = Path(__file__).resolve().parents[2]
BEYOND = {
    "EM_ARM": ("-march=armv8-a", "int f(int a, int b) { return a / b; }"),
    "EM_AARCH64": ("-march=armv8.1-a", "int f(int *a) { return __atomic_fetch_add(a, 1, 5); }"),
    "EM_X86_64": ("-mavx", 'void f(void) { __asm__("vzeroupper"); }'),
}
"""Code beyond the baseline, by machine, and the option that makes it."""
OF_LIBC = {"memcpy", "memset", "sqrt", "sin"}


class Made:
    """The driver's toolchain for a target."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.folder, self.target = folder, target

    @property
    def sysroot(self) -> Path:
        return self.folder / self.target.triple

    def program(self, name: str) -> Path:
        return self.folder / "bin" / f"{self.target.triple}-{name}"


@pytest.fixture(scope="session")
def zig_pipeline() -> Pipeline:
    return opened.pipeline(driver="zig")


@pytest.fixture
def made(product: Product, zig_pipeline: Pipeline) -> Made:
    target = product.target
    stage = zig_pipeline.catalog().toolchains.toolchain(target)
    entry = zig_pipeline.context.store.find(Keys(zig_pipeline.host).of(stage))
    if entry is None:
        pytest.skip(f"`nox -s toolchain -- {target.name} --driver zig` was not run")
    return Made(entry.tree, target)


@pytest.fixture
def moved(made: Made, tmp_path: Path) -> Made:
    """The toolchain where it was not made."""
    to = tmp_path / "else where"
    shutil.copytree(made.folder, to, symlinks=True)
    return Made(to, made.target)


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
    assert kind(program)[0] == ("ET_DYN" if form == "-static-pie" else "ET_EXEC")
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


def test_default_is_pie(made: Made, tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(C)
    output([made.program("gcc"), tmp_path / "x.c", "-o", tmp_path / "x"])
    assert kind(tmp_path / "x")[0] == "ET_DYN"


def test_nothing_is_written_beside_the_result(made: Made, tmp_path: Path) -> None:
    """zig's own `cc` keeps caches; here there is none, with a home or without."""
    home, place = tmp_path / "home", tmp_path / "place"
    home.mkdir()
    place.mkdir()
    (place / "x.cc").write_text(CXX)
    before = {path: os.lstat(path).st_mtime_ns for path in made.folder.rglob("*")}
    output(
        [made.program("g++"), "-static", "x.cc", "-o", "x"],
        cwd=place,
        HOME=str(home),
        XDG_CACHE_HOME=str(home),
    )
    assert list(home.iterdir()) == []
    assert {path.name for path in place.iterdir()} == {"x.cc", "x"}
    assert before == {path: os.lstat(path).st_mtime_ns for path in made.folder.rglob("*")}


def test_every_promised_program_and_library(made: Made) -> None:
    for program in PROGRAMS:
        output([made.program(program), "--version"])
    libraries = "libc.a libc.so libc++.a libstdc++.a libgcc.a libgcc_eh.a libunwind.a libatomic.a"
    assert all((made.sysroot / "lib" / name).exists() for name in libraries.split())


def test_functions_of_libc_are_those_of_musl(made: Made) -> None:
    symbols = output([made.program("nm"), "-g", "--defined-only", made.sysroot / "lib/libgcc.a"])
    names = {line.split()[-1] for line in symbols.splitlines() if len(line.split()) > 2}
    assert "__divti3" in names or "__udivdi3" in names
    assert not names & OF_LIBC


def audited(made: Made, folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The audit of a sysroot, by the rules that the pipeline would give it; nothing allowed."""
    target = made.target
    rules = {
        "subject": "toolchain",
        "target": target.name,
        "baseline": target.baseline,
        "machine": target.machine,
        "bits": target.bits,
        "little-endian": target.endian == "little",
        "patterns": list(verify.OF_SYSROOT),
        "ran": [],
        "contains": [],
        "shipped": "",
        "allowed": [],
    }
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    out = tmp_path / "report"
    out.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "muslin.audit", tmp_path / "rules.json", folder, out],
        cwd=PROJECT,
        env={**os.environ, "READS_WITH": "x"},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("beyond", [False, True])
def test_an_object_beyond_the_baseline_is_refused(
    made: Made, tmp_path: Path, *, beyond: bool
) -> None:
    option, text = BEYOND[made.target.machine]
    library = tmp_path / "toolchain" / made.target.triple / "lib"
    library.mkdir(parents=True)
    (tmp_path / "x.c").write_text(text if beyond else "int f(int a) { return a + 1; }")
    words = ("-O2", *((option,) if beyond else ()))
    output([made.program("gcc"), *words, "-c", tmp_path / "x.c", "-o", library / "x.o"])
    output([made.program("ar"), "rcsD", library / "libx.a", library / "x.o"])
    done = audited(made, tmp_path / "toolchain", tmp_path)
    assert (done.returncode == 0) == (not beyond), done.stdout
    assert ("f at 0x" in done.stdout) == beyond
