"""The session quickstart: which service it takes, and with which driver."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from muslin.cli import errors
from muslin.cli.commands import quickstart
from muslin.cli.context import Context
from muslin.cli.selection import Selection
from muslin.engine.console import Report
from tests import opened


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Selection]:
    """What is asked of the build, which does nothing."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MUSLIN_DRIVER", raising=False)
    asked: list[Selection] = []

    def build(context: Context, selection: Selection, goal: str) -> None:
        assert context.settings.project == opened.PROJECT
        assert goal == "package"
        asked.append(selection)

    monkeypatch.setattr(quickstart, "build", build)
    monkeypatch.setattr(quickstart, "_tell", lambda *_: None)
    return asked


def run(*words: str) -> None:
    opened.session(Context(opened.PROJECT, Report(io.StringIO())), "quickstart", words)


def test_the_service_that_requires_least(built: list[Selection]) -> None:
    run("armv6")
    (selection,) = built
    assert list(selection.services) == ["hello-c"]
    assert [target.name for target in selection.targets] == ["armv6"]
    assert selection.driver == "zig"


def test_the_named_service_and_the_first_target(built: list[Selection]) -> None:
    run("--service", "hello-tls")
    (selection,) = built
    assert list(selection.services) == ["hello-tls"]
    assert [target.name for target in selection.targets] == ["x86_64"]


def test_a_service_that_is_not_there(built: list[Selection]) -> None:
    with pytest.raises(errors.NoService):
        run("armv6", "--service", "hello-there")
    assert not built
