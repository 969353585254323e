"""The command `muslin`: what it says of wrong words, in colour where that is wanted."""

from __future__ import annotations

import io
import sys

import pytest

from muslin.cli import terminal


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "is_terminal", "coloured"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm"}, False, False),
    ],
)
def test_a_failure_is_in_colour_on_a_terminal_alone(
    variables: dict[str, str],
    is_terminal: bool,
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert terminal.main(["nonsense"]) == 2
    assert ("\033[" in stream.getvalue()) is coloured
    assert "there is no session 'nonsense'" in stream.getvalue()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "completion bash|zsh|fish"),
        (["help"], 0, "usage: muslin SESSION"),
        (["--version"], 0, "muslin "),
        (["completion", "bash"], 0, "complete "),
        (["completion", "fish"], 0, "complete --command muslin"),
    ],
)
def test_words_of_the_command_itself(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal.main(words) == code
    assert said in capsys.readouterr().out


def test_a_shell_that_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main(["completion", "tcsh"]) == 2
    assert "There is: bash, fish, zsh" in capsys.readouterr().err
