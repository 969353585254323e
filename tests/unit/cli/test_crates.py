"""A published program where there is no project, and a project of several programs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from muslin.cli import main as sessions
from muslin.cli import terminal
from muslin.cli.context import Context
from muslin.engine.console import Report
from tests import opened

PACKAGE = '[package]\nname = "tool"\nversion = "1.0.0"\nedition = "2021"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, which is the current one."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [("--crate", "a b"), ("--crate=a b",)])
def test_a_crate_is_asked_for_without_a_project(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal.main(["plan", "armv6", *words]) == sessions.WRONG_USE
    assert "--crate 'a b' is no name of a crate" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_everything_else_asks_for_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main(["plan", "armv6"]) == sessions.FAILED
    assert "is a project" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_wrong_target_is_said_before_anything_is_fetched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert terminal.main(["plan", "armv66", "--crate", "tool"]) == sessions.WRONG_USE
    assert "there is no target 'armv66'" in capsys.readouterr().err


def test_each_program_gets_a_declaration_of_its_own(folder: Path) -> None:
    (folder / "src/bin").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(PACKAGE)
    for name in ("main.rs", "bin/other.rs"):
        (folder / "src" / name).touch()
    stream = io.StringIO()
    opened.session(Context(folder, Report(stream)), "init", [], folder)
    assert 'the project needs `services = ["services/*"]`' in stream.getvalue()
    (folder / "muslin.toml").write_text('services = ["services/*"]\n')
    declared = Context(folder, Report(io.StringIO())).select().services
    assert {name: one.binary for name, one in declared.items()} == {
        "tool": "tool",
        "other": "other",
    }
    assert {one.root for one in declared.values()} == {folder}
