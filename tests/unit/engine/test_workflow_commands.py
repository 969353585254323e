"""What a build prints is no command to a runner of GitHub."""

from __future__ import annotations

import io

import pytest

from muslin.engine import workflow_commands
from muslin.engine.console import Report

LINES = ["::set-output name=x::y", "    ::add-mask::e", "x ##[error]y", "a\n\t::error::b"]


@pytest.mark.parametrize("text", LINES)
def test_no_command_is_left(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for line in workflow_commands.inert(text).splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line
    assert workflow_commands.inert(text).replace(workflow_commands.MARK, "") == text


def test_other_text_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    text = "std::vector at 3::4 # [x]"
    assert workflow_commands.inert(text) == text
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert workflow_commands.inert(LINES[0]) == LINES[0]


def test_the_printer_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = io.StringIO()
    Report(stream).say("  ::set-output name=x::y")
    assert stream.getvalue() == f"  :{workflow_commands.MARK}:set-output name=x::y\n"
