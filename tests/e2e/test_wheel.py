"""The wheel, installed where no checkout is: `muslin` in somebody's own project."""

from __future__ import annotations

import email
import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from muslin import installation
from muslin.graph import builder_images

PROJECT = Path(__file__).resolve().parents[2]
MANIFEST = '[package]\nname = "greet"\nversion = "1.0.0"\nedition = "2021"\n'
LOCK = 'version = 4\n\n[[package]]\nname = "greet"\nversion = "1.0.0"\n'
Muslin = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git knows of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "-q",
        "-w",
        str(folder),
        str(PROJECT),
    ]
    subprocess.run(argv, check=True, cwd=folder)
    (found,) = folder.glob("muslin-*.whl")
    return found


@pytest.fixture(scope="session")
def muslin(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Muslin:
    """The command, with the libraries of these tests and no checkout."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    argv = [str(python), "-m", "pip", "install", "--no-deps", "-q", str(wheel)]
    subprocess.run(argv, check=True, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (site / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))

    def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MUSLIN_CACHE": str(folder / "cache"), "PYTHONPATH": ""}
        argv = [str(folder / "bin" / "muslin"), *words]
        return subprocess.run(
            argv, cwd=cwd, env=environment, text=True, capture_output=True, check=False
        )

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A cargo package as `cargo new` makes it."""
    (tmp_path / "greet" / "src").mkdir(parents=True)
    (tmp_path / "greet" / "src" / "main.rs").write_text('fn main() { println!("hello") }\n')
    (tmp_path / "greet" / "Cargo.toml").write_text(MANIFEST)
    (tmp_path / "greet" / "Cargo.lock").write_text(LOCK)
    return tmp_path / "greet"


def test_the_wheel_holds_what_is_declared_and_no_test(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("toolchains/armv6.toml", "boards", "schemas/service.json"):
        assert any(one.startswith(f"muslin/built_in/{name}") for one in names), name
    assert any(one.startswith("recipes/pins/archive-keys/") for one in names)
    assert "recipes/pins/debian.toml" in names
    tops = {one.partition("/")[0] for one in names if ".dist-info/" not in one}
    assert tops == {"muslin", "recipes"}


def test_the_builder_image_has_the_files_of_the_wheel(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    packed = {
        name: hashlib.sha256(archive.read(name)).hexdigest()
        for name in archive.namelist()
        if ".dist-info/" not in name
    }
    places = {"modules": "", "declarations": "muslin/built_in/"}
    taken = {
        f"{places[alias]}{file.path}": file.sha256
        for alias, tree in builder_images.trees()
        for file in tree.files
    }
    assert taken == packed


def test_what_the_builder_image_says_of_muslin_is_what_the_wheel_says(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
    about = email.message_from_bytes(archive.read(name))
    listed = map(Requirement, about.get_all("Requires-Dist") or ())
    required = {one for one in listed if "extra" not in str(one.marker)}
    assert about["Version"] == installation.version()
    assert required == {Requirement(one) for one in installation.requirements()}


def test_a_project_without_any_file_of_ours_is_planned(muslin: Muslin, project: Path) -> None:
    done = muslin("plan", "armv6", cwd=project / "src")
    assert done.returncode == 0, done.stderr
    assert "greet: the program greet of" in done.stderr
    assert "greet-armv6" in done.stderr
    assert done.stdout == "", "nothing there is for a machine"
    assert not (project / "dist").exists()


def test_its_keys_are_those_of_a_checkout(muslin: Muslin, project: Path, tmp_path: Path) -> None:
    installed = json.loads(muslin("plan", "armv6", "--json", cwd=project).stdout)
    done = subprocess.run(
        [sys.executable, "-m", "muslin", "plan", "armv6", "--json"],
        cwd=project,
        env={**os.environ, "MUSLIN_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(PROJECT)},
        text=True,
        capture_output=True,
        check=True,
    )
    own = json.loads(done.stdout)
    keys = [{row["name"]: row["key"] for row in planned["stages"]} for planned in (installed, own)]
    assert keys[0] == keys[1]
    assert "greet-armv6" in keys[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--version",), 0, "muslin 0.1"),
        (("--help",), 0, "build-all"),
        (("plan", "--help"), 0, "usage: muslin plan"),
        (("paln",), 2, "no session 'paln'"),
        (("plan", "armv66"), 2, "Did you mean armv6?"),
        (("plan", "--jsno"), 2, "--json"),
        (("plan", "--why"), 2, "`muslin plan --help` shows its options"),
        (("check", "--help"), 0, "muslin check --boards pi-zero,pi-3 downloads/"),
    ],
)
def test_what_a_person_types(
    muslin: Muslin, project: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = muslin(*words, cwd=project)
    assert done.returncode == code, done.stderr
    assert said in (done.stderr if code else done.stdout)


def test_a_program_is_checked_anywhere(muslin: Muslin, tmp_path: Path) -> None:
    done = muslin("check", "--target", "armv6", sys.executable, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "does not fit armv6" in done.stdout


def test_outside_of_a_project(muslin: Muslin, tmp_path: Path) -> None:
    done = muslin("plan", cwd=tmp_path)
    assert done.returncode == 1
    assert "is a project" in done.stderr
    (tmp_path / "muslin.toml").write_text("")
    done = muslin("build-all", "armv6", cwd=tmp_path)
    assert done.returncode == 1
    assert "has no service" in done.stderr


def test_what_is_inferred_is_written_down(muslin: Muslin, project: Path) -> None:
    before = json.loads(muslin("plan", "armv6", "--json", cwd=project).stdout)
    done = muslin("init", cwd=project)
    assert done.returncode == 0, done.stderr
    assert 'binary = "greet"' in (project / "service.toml").read_text()
    after = json.loads(muslin("plan", "armv6", "--json", cwd=project).stdout)
    assert before == after, "the file says what was inferred"
    again = muslin("init", cwd=project)
    assert again.returncode == 1
    assert "nothing to write" in again.stderr


def test_a_noxfile_of_two_lines(wheel: Path, project: Path, tmp_path: Path) -> None:
    (project / "noxfile.py").write_text(
        "from muslin.cli import nox_sessions\nnox_sessions.define()\n"
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
    argv = [sys.executable, "-m", "nox", "-s", "plan", "--", "armv6"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "wheel"),
        "MUSLIN_CACHE": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        argv, cwd=project, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "greet-armv6" in done.stdout


def test_a_run_leaves_the_ways_of_imports_alone() -> None:
    """They are among what a run with nothing to do compares."""
    program = (
        "import sys; before = [*sys.path];"
        "from muslin.cli import build, context, main, terminal, up_to_date;"
        "import muslin.cli.commands.build_all; assert sys.path == before"
    )
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True)
