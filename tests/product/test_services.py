"""The services' own tests, built by the product: our rustc, our OpenSSL, the vendored crates."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from recipes.libraries import openssl
from tests.product.conftest import PROJECT, Product, output


@pytest.fixture
def services(product: Product, tmp_path: Path) -> Path:
    """A copy of the services' workspace with a cargo home that knows the vendored crates."""
    folder = tmp_path / "services"
    shutil.copytree(PROJECT / "services", folder, ignore=shutil.ignore_patterns("target", "build"))
    catalog = product.pipeline.catalog()
    program = catalog.programs.program(
        product.pipeline.selection.services["hello-http"], product.target
    )
    crates = product.tree(dict(program.needs)["crates"])
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "vendored"\n'
        f'[source.vendored]\ndirectory = "{crates}"\n'
    )
    return folder


@pytest.mark.native  # the tests start programs; the pipeline ran the other targets' own
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the host runs no x86_64 programs")
def test_cargo_tests_pass(product: Product, services: Path, tmp_path: Path) -> None:
    library = {
        name: value.replace("${need.openssl}", str(product.openssl))
        for name, value in openssl.environment(product.target)
    }
    suffix = product.target.rust.triple.replace("-", "_")
    printed = output(
        [
            product.rust / "bin" / "cargo",
            "test",
            "--offline",
            f"--target={product.target.rust.triple}",
            f"--manifest-path={services}/Cargo.toml",
        ],
        cwd=Path("/"),
        CARGO_HOME=str(tmp_path / "home"),
        # Crates that were compiled before are found there; the services lie elsewhere each time.
        CARGO_TARGET_DIR=str(product.pipeline.context.store.scratch / "tests-of-services"),
        CARGO_PROFILE_DEV_DEBUG="0",
        RUSTC=str(product.compiler(tmp_path)),
        **{f"CC_{suffix}": str(product.toolchain / "bin" / f"{product.target.triple}-gcc")},
        **library,
    )
    assert "test result: ok" in printed


@pytest.mark.parametrize("service", ["hello-c", "hello-cpp"])
def test_make_check_passes(product: Product, services: Path, service: str) -> None:
    prefix = product.toolchain / "bin" / product.target.triple
    emulator = " ".join(product.emulated())
    output(
        [
            *("make", "check", f"CC={prefix}-gcc", f"CXX={prefix}-g++", "LDFLAGS=-static-pie"),
            f"EMULATOR={emulator}",
        ],
        cwd=services / service,
    )
