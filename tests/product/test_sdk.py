"""The folder for use by hand, unpacked from its archive elsewhere: one tiny project per build
system, built and run on the emulated baseline processor. Wants `nox -s sdk` first."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest

from muslin.cli.call import Call
from muslin.cli.commands import cargo
from tests.product.conftest import PROJECT, Product, output

MAIN_C = """\
#include <openssl/crypto.h>
#include <stdio.h>
#include <zlib.h>

int main(void)
{
    printf("zlib %s, %s\\n", zlibVersion(), OpenSSL_version(OPENSSL_VERSION));
    return 0;
}
"""
EXPECT = "zlib 1.3.1, OpenSSL 3."
MAKEFILE = """\
hello: main.c
\t$(CC) $(CFLAGS) $(LDFLAGS) $(shell $(PKG_CONFIG) --cflags zlib libcrypto) -o $@ $< \
$(shell $(PKG_CONFIG) --libs zlib libcrypto)
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(hello C)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
add_executable(hello main.c)
target_link_libraries(hello OpenSSL::Crypto ZLIB::ZLIB)
enable_testing()
add_test(NAME runs COMMAND hello)
set_property(TEST runs PROPERTY PASS_REGULAR_EXPRESSION "zlib 1.3.1, OpenSSL 3")
"""
MESON = """\
project('hello', 'c')
hello = executable('hello', 'main.c', dependencies: [dependency('libcrypto'), dependency('zlib')])
test('runs', hello)
"""
CARGO = """\
[package]
name = "hello"
version = "0.0.0"
edition = "2021"
[workspace]
"""
MAIN_RS = """\
extern "C" {
    fn zlibVersion() -> *const std::ffi::c_char;
}

fn main() {
    let version = unsafe { std::ffi::CStr::from_ptr(zlibVersion()) };
    println!("zlib {}", version.to_str().unwrap());
}

#[test]
fn panics_unwind_here_too() {
    assert!(std::panic::catch_unwind(|| panic!("on purpose")).is_err());
    assert_eq!(std::env::consts::ARCH, option_env!("EXPECT_ARCH").unwrap());
}
"""
BUILD_RS = 'fn main() { println!("cargo:rustc-link-lib=static=z"); }\n'
ARCHITECTURES = {
    **dict.fromkeys(("armv5", "armv6", "armv7"), "arm"),
    "i686": "x86",
    "ppc64le": "powerpc64",
    "riscv64": "riscv64",
}


@pytest.fixture(scope="module")
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpacks a target's archive of `dist/` once; where."""
    return cache(partial(_unpacked, tmp_path_factory))


@pytest.fixture
def sdk(product: Product, unpack: Callable[[str], Path]) -> Path:
    """The folder of one target."""
    return unpack(product.target.name)


def _unpacked(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    archive = PROJECT / "dist" / "toolchains" / f"{name}.tar.gz"
    assert archive.is_file(), f"there is no {archive}: run `nox -s sdk -- {name}` first"
    folder = tmp_path_factory.mktemp(f"Wörk zeug {name}".replace(" ", "-"))
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder], check=True)
    return folder / f"muslin-{name}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.c").write_text(MAIN_C)
    return tmp_path


def by_hand(sdk: Path, project: Path, *lines: str) -> str:
    """What a person types, in a shell that has nothing but the folder's env.sh."""
    script = "\n".join(("set -eu", f'. "{sdk}/env.sh"', *lines))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_static(product: Product, program: Path) -> bool:
    readelf = product.toolchain / "bin" / f"{product.target.triple}-readelf"
    shown = subprocess.run(
        [readelf, "-ld", program], capture_output=True, text=True, check=True
    ).stdout
    return "INTERP" not in shown and "NEEDED" not in shown


def test_make(product: Product, sdk: Path, project: Path) -> None:
    (project / "Makefile").write_text(MAKEFILE)
    triple = product.target.triple
    variables = f"CC={triple}-gcc PKG_CONFIG={triple}-pkg-config LDFLAGS=-static-pie"
    assert EXPECT in by_hand(sdk, project, f"make {variables}", f"{triple}-run ./hello")
    assert is_static(product, project / "hello")


def test_cmake(product: Product, sdk: Path, project: Path) -> None:
    (project / "CMakeLists.txt").write_text(CMAKE)
    said = by_hand(
        sdk,
        project,
        'cmake -S . -B build --toolchain "$MUSLIN_TOOLCHAIN/toolchain.cmake"',
        "cmake --build build",
        "ctest --test-dir build",
    )
    assert "100% tests passed" in said
    assert is_static(product, project / "build" / "hello")


def test_meson(product: Product, sdk: Path, project: Path) -> None:
    (project / "meson.build").write_text(MESON)
    said = by_hand(
        sdk,
        project,
        'meson setup build --cross-file "$MUSLIN_TOOLCHAIN/meson-cross.ini"',
        "meson test -C build",
    )
    assert "Ok:" in said
    assert "Fail: " not in said.replace(" ", "") or "Fail:0" in said.replace(" ", "")
    assert is_static(product, project / "build" / "hello")


@pytest.mark.parametrize("told", ["by env.sh", "by cargo-config.toml"])
def test_cargo(product: Product, sdk: Path, project: Path, told: str) -> None:
    (project / "Cargo.toml").write_text(CARGO)
    (project / "build.rs").write_text(BUILD_RS)
    (project / "src").mkdir()
    (project / "src" / "main.rs").write_text(MAIN_RS)
    name = product.target.name
    lines = [f"export EXPECT_ARCH={ARCHITECTURES.get(name, name)}"]
    config = ""
    if told == "by cargo-config.toml":
        lines.append("unset $(env | grep -o '^CARGO_[A-Z0-9_]*')")
        config = ' --config "$MUSLIN_TOOLCHAIN/cargo-config.toml"'
    lines += [f"cargo{config} test --offline", f"cargo{config} run --offline --release"]
    said = by_hand(sdk, project, *lines)
    assert "1 passed" in said
    assert "zlib 1.3.1" in said
    built = project / "target" / product.target.rust.triple / "release" / "hello"
    assert is_static(product, built)


LIB_RS = """\
//! ```
//! assert_eq!(std::env::consts::ARCH, hello::ARCH);
//! println!("from a doc test");
//! ```
pub const ARCH: &str = env!("EXPECT_ARCH");
"""


def test_doc_tests(product: Product, project: Path) -> None:
    """`nox -s cargo -- TARGET test`: the machine's own rustdoc has no std for the target."""
    (project / "Cargo.toml").write_text(CARGO)
    (project / "src").mkdir()
    (project / "src" / "lib.rs").write_text(LIB_RS)
    name = product.target.name
    options = cargo.parser().read([name, "test", "--offline"])
    called = Call(name="cargo", words=(), project=PROJECT, caller=project)
    program = cargo.run(product.pipeline.context, options, called)
    expected = ARCHITECTURES.get(name, name)
    said = output(program.argv, cwd=project, **program.environment, EXPECT_ARCH=expected)
    assert "Doc-tests hello" in said
    assert "1 passed" in said


def test_nothing_but_the_libraries_for_the_target_is_found(sdk: Path, project: Path) -> None:
    (program,) = (sdk / "bin").glob("*-pkg-config")
    found = by_hand(sdk, project, f"{program.name} --list-package-names").split()
    assert set(found) == {
        *("bzip2", "libcrypto", "libcurl", "libpq", "libssl", "libzstd", "openssl", "sqlite3"),
        "zlib",
    }


def test_a_plain_shell_is_told_what_to_set(sdk: Path, project: Path) -> None:
    script = f'unset MUSLIN_TOOLCHAIN; . "{sdk}/env.sh"'
    done = subprocess.run(
        ["dash", "-c", script], cwd=project, capture_output=True, text=True, check=False
    )
    assert "set MUSLIN_TOOLCHAIN to the folder that env.sh lies in" in done.stderr
    said = by_hand(sdk, project, "command -v cargo")
    assert said.strip() == str(sdk / "rust" / "bin" / "cargo")
