"""Packages of built services: the same program as in `dist/<target>/`, which runs from there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from debian import deb822, debfile

from muslin.engine.filesystem.content import file_digest
from tests.product.conftest import PROJECT, Product, output

DIST = PROJECT / "dist"
SERVICES = ("hello-c", "hello-cpp", "hello-http", "hello-tls")


def package(product: Product, service: str) -> Path:
    path = DIST / "packages" / f"{service}-{product.target.name}.deb"
    if not path.exists():
        pytest.fail(f"{path.relative_to(PROJECT)} is missing: nox -s packages makes it")
    return path


@pytest.mark.parametrize("service", SERVICES)
def test_a_package_has_the_program_that_was_verified(product: Product, service: str) -> None:
    with debfile.DebFile(filename=str(package(product, service))) as opened:
        assert opened.debcontrol()["Architecture"] == product.target.debian.architecture
        content = opened.data.get_content(f"usr/bin/{service}")
        has_unit = f"usr/lib/systemd/system/{service}.service" in opened.data
    assert content == product.program(service).read_bytes()
    assert has_unit == (service in ("hello-http", "hello-tls"))


def test_its_program_runs_from_where_it_is_unpacked(product: Product, tmp_path: Path) -> None:
    program = tmp_path / "hello-c"
    with debfile.DebFile(filename=str(package(product, "hello-c"))) as opened:
        content = opened.data.get_content("usr/bin/hello-c")
    assert isinstance(content, bytes)
    program.write_bytes(content)
    program.chmod(0o755)
    assert output(product.emulated(program)).splitlines()[-1] == "hello-c: ok"


def test_the_archive_lists_it(product: Product) -> None:
    """Or that of another target, for the same architecture, which all its machines run."""
    architecture = product.target.debian.architecture
    index = DIST / f"apt/dists/stable/main/binary-{architecture}/Packages"
    with index.open() as file:
        paragraphs = deb822.Packages.iter_paragraphs(file, use_apt_pkg=False)
        stanzas = {stanza["Package"]: stanza for stanza in paragraphs}
    stanza = stanzas["hello-c"]
    pooled = DIST / "apt" / stanza["Filename"]
    assert file_digest(pooled) == stanza["SHA256"]
    if not product.target.debian.unfit:
        assert file_digest(package(product, "hello-c")) == stanza["SHA256"]


def test_a_run_with_nothing_to_do_touches_nothing(product: Product) -> None:
    def state() -> dict[str, int]:
        folders = (DIST / "packages", DIST / "apt")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(one): one.stat().st_mtime_ns for one in (*files, DIST / "report.html")}

    argv = ["python", "-m", "muslin", "packages", product.target.name, "--service", "hello-c"]
    subprocess.run(argv, cwd=PROJECT, check=True, capture_output=True)
    before = state()
    subprocess.run(argv, cwd=PROJECT, check=True, capture_output=True)
    assert state() == before
