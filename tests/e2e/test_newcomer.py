"""Likely mistakes of a first hour: each message says what failed, on what, and what to do next.

A full disk and a `dist/` of somebody else's are in `test_store.py`, an expired Release file in
`test_tampered_archive.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MANIFEST = '[package]\nname = "greet"\nversion = "1.0.0"\nedition = "2021"\n'
LOCK = 'version = 4\n\n[[package]]\nname = "greet"\nversion = "1.0.0"\n'
Muslin = Callable[..., tuple[int, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A cargo package as `cargo new` and one build leave it."""
    made = tmp_path / "greet"
    (made / "src").mkdir(parents=True)
    (made / "src/main.rs").write_text("fn main() {}\n")
    (made / "Cargo.toml").write_text(MANIFEST)
    (made / "Cargo.lock").write_text(LOCK)
    return made


@pytest.fixture
def muslin(tmp_path: Path, project: Path) -> Muslin:
    """Exit code and what a person reads, in the project's directory."""

    def run(*words: str, cwd: Path = project, **more: str) -> tuple[int, str]:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MUSLIN_CACHE": str(tmp_path / "cache"),
            **more,
        }
        done = subprocess.run(
            [sys.executable, "-m", "muslin", *words],
            cwd=cwd,
            env=variables,
            text=True,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stderr

    return run


def test_a_wrong_name_of_a_target(muslin: Muslin) -> None:
    code, said = muslin("build-all", "amrv6")
    assert (code, "there is no target 'amrv6'. Did you mean armv6?" in said) == (2, True)
    assert "\x1b" not in said, "colour is for terminals"


def test_no_network(muslin: Muslin) -> None:
    nowhere = "http://127.0.0.1:9"
    code, said = muslin("build-all", "armv6", http_proxy=nowhere, https_proxy=nowhere)
    assert code == 1
    assert "Is this machine on the network" in said
    assert "run the same command again" in said
    assert "MUSLIN_MIRROR" not in said, "the Debian archive has other mirrors"


def test_no_lock(muslin: Muslin, project: Path) -> None:
    (project / "Cargo.lock").unlink()
    code, said = muslin("build-all", "armv6")
    assert code == 1
    assert f"run `cargo generate-lockfile` in {project}" in said
    assert "`muslin cargo TARGET generate-lockfile`" in said


def test_a_service_that_is_a_path_or_misspelt(muslin: Muslin, project: Path) -> None:
    code, said = muslin("build-all", "--service", "./src", "armv6")
    assert code == 2
    assert "takes names, no paths" in said
    assert f"`services` of {project / 'muslin.toml'}" in said
    code, said = muslin("build-all", "--service", "gret", "armv6")
    assert (code, "Did you mean greet?" in said) == (2, True)


def test_a_directory_of_services_that_is_not_there(muslin: Muslin, project: Path) -> None:
    (project / "muslin.toml").write_text('services = ["srv/greet"]\n')
    code, said = muslin("build-all", "armv6")
    assert code == 1
    assert f"{project / 'muslin.toml'}" in said
    assert "services: srv/greet is no directory; paths start where this file is" in said


def test_an_old_python(project: Path) -> None:
    program = (
        "import runpy, sys; sys.version_info = (3, 9); runpy.run_module('muslin', {}, '__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={"PYTHONPATH": str(PROJECT)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("muslin requires Python 3.11 or newer, and ")
    assert "Traceback" not in done.stderr


def test_a_package_without_a_program(muslin: Muslin, project: Path) -> None:
    (project / "src/main.rs").rename(project / "src/lib.rs")
    code, said = muslin("build-all", "armv6")
    assert code == 1
    assert f"{project} has no service: its cargo package is a library" in said
    assert "A src/main.rs or [[bin]]" in said


def test_a_directory_without_a_project(muslin: Muslin, tmp_path: Path) -> None:
    code, said = muslin("build-all", cwd=tmp_path)
    assert (code, "Change to the directory of your program" in said) == (1, True)
    code, said = muslin("doctor", cwd=tmp_path)
    assert (code, "next: muslin build-all armv6" in said) == (0, True), said


def test_a_session_that_is_none(muslin: Muslin) -> None:
    code, said = muslin("buidl-all", "armv6")
    assert (code, "Did you mean build-all? `muslin --help` lists them" in said) == (2, True)
