"""std serves every consumer: plain builds, fat LTO, both panic strategies, host-side crates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.product.conftest import Product, output

MAIN = """\
use consumer_macro::answer;

fn main() {
    let threads: Vec<_> = (0..4).map(|i| std::thread::spawn(move || i * answer!())).collect();
    let sum: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
    println!("{} {} {}", sum, env!("FROM_BUILD_SCRIPT"), std::env::consts::ARCH);
    #[cfg(panic = "unwind")]
    {
        let caught = std::panic::catch_unwind(|| panic!("unwinds"));
        println!("caught {}", caught.is_err());
    }
}

#[test]
fn a_test() {
    assert_eq!(answer!(), 7u64);
}
"""
MACRO = """\
extern crate proc_macro;

#[proc_macro]
pub fn answer(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    "7u64".parse().unwrap()
}
"""
BUILD = """\
fn main() {
    println!("cargo::rustc-env=FROM_BUILD_SCRIPT=built-on-{}", std::env::consts::ARCH);
}
"""
PROFILES = {
    "plain": "",
    "fat-lto": '[profile.release]\nlto = "fat"\n',
    "abort": '[profile.release]\npanic = "abort"\n',
    "abort-fat-lto": '[profile.release]\npanic = "abort"\nlto = "fat"\ncodegen-units = 1\n',
}


def consumer(folder: Path, profile: str) -> Path:
    """A package with a build script and a procedural macro."""
    files = {
        "Cargo.toml": (
            '[package]\nname = "consumer"\nversion = "1.0.0"\nedition = "2021"\n'
            '[dependencies]\nconsumer-macro = { path = "macro" }\n[workspace]\n' + profile
        ),
        "build.rs": BUILD,
        "src/main.rs": MAIN,
        "macro/Cargo.toml": (
            '[package]\nname = "consumer-macro"\nversion = "1.0.0"\nedition = "2021"\n'
            "[lib]\nproc-macro = true\n"
        ),
        "macro/src/lib.rs": MACRO,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def cargo(product: Product, folder: Path, *words: str, cwd: Path | None = None, **env: str) -> str:
    """Plain cargo for the target, in a package's folder or another one."""
    return output(
        [product.rust / "bin" / "cargo", *words, f"--target={product.target.rust.triple}"],
        cwd=cwd or folder,
        CARGO_HOME=str(folder / "home"),
        RUSTC=str(product.compiler(folder)),
        **env,
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_consumer_builds_and_runs(product: Product, tmp_path: Path, profile: str) -> None:
    folder = consumer(tmp_path, PROFILES[profile])
    cargo(product, folder, "build", "--release")
    program = folder / "target" / product.target.rust.triple / "release" / "consumer"
    printed = output(product.emulated(program))
    assert "42 built-on-" in printed
    assert ("caught true" in printed) == ("abort" not in profile)


def test_tests_build_and_run(product: Product, tmp_path: Path) -> None:
    folder = consumer(tmp_path, "")
    cargo(product, folder, "test", "--no-run")
    (program,) = [
        path
        for path in (folder / "target" / product.target.rust.triple / "debug" / "deps").glob(
            "consumer-*"
        )
        if not path.suffix
    ]
    assert "1 passed" in output(product.emulated(program))


BEYOND = {"arm": "cortex-a72", "armv7": "cortex-a72", "aarch64": "neoverse-n1", "x86_64": "skylake"}
"""Processors that have more than the baseline, which a program for them would soon use."""


def test_flags_of_the_user_cannot_replace_the_processor(product: Product, tmp_path: Path) -> None:
    folder = consumer(tmp_path, "")
    flags = f"-Ctarget-cpu={BEYOND[product.target.rust.triple.partition('-')[0]]}"
    cargo(product, folder, "build", "--release", RUSTFLAGS=flags)
    program = folder / "target" / product.target.rust.triple / "release" / "consumer"
    assert "42" in output(product.emulated(program))


def test_configuration_above_the_sources_is_not_read(product: Product, tmp_path: Path) -> None:
    """The pipeline runs cargo in the root folder; where it would read one, it fails."""
    folder = consumer(tmp_path / "hostile" / "cache" / "tree", "")
    hostile = tmp_path / "hostile" / ".cargo" / "config.toml"
    hostile.parent.mkdir()
    hostile.write_text('[build]\nrustc = "/bin/false"\n[profile.release]\nopt-level = "no"\n')
    words = ("build", "--release", f"--manifest-path={folder}/Cargo.toml")
    cargo(product, folder, *words, cwd=Path("/"))
    with pytest.raises(AssertionError, match="opt-level"):
        cargo(product, folder, *words)
