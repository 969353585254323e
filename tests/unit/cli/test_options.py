"""Options and names behind `--`."""

from __future__ import annotations

import argparse

import pytest

from muslin import installation
from muslin.cli import errors as cli_errors
from muslin.cli import main
from muslin.cli.call import Call
from muslin.cli.options import HelpRequested, Parser
from muslin.models import errors as model_errors


def read(*words: str) -> argparse.Namespace:
    parser = Parser("plan", "Show it.", examples=("armv6 --json",))
    parser.add_selection()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--why", default="")
    return parser.read(words)


def test_names_and_options_come_apart_in_any_order() -> None:
    for words in (
        ("armv6", "--json", "x86_64", "--why", "gcc-armv6"),
        ("--why=gcc-armv6", "armv6", "--json", "x86_64"),
    ):
        options = read(*words)
        assert options.targets == ["armv6", "x86_64"]
        assert (options.json, options.why) == (True, "gcc-armv6")
    assert read().targets == []


def test_a_name_may_hold_an_equals_sign() -> None:
    assert read("a=b").targets == ["a=b"]


def test_services_are_separated_by_commas() -> None:
    assert read("--service", "a,b").service == ["a", "b"]


@pytest.mark.parametrize("word", ["--jason", "-j"])
def test_an_unknown_option_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(model_errors.Unknown, match=r"no option of plan .*(?s:.)*--json, .*--why"):
        read(word)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(model_errors.Unknown, match=r"Did you mean --json\?"):
        read("--jsn")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("armv6", "--why"), "plan: argument --why: expected one argument"),
        (("--json=yes",), "plan: argument --json: ignored explicit argument 'yes'"),
    ],
)
def test_wrong_use_names_the_session_and_its_help(words: tuple[str, ...], fault: str) -> None:
    with pytest.raises(cli_errors.WrongUse) as caught:
        read(*words)
    assert fault in str(caught.value)
    assert "`nox -s plan -- --help`" in str(caught.value)


@pytest.mark.parametrize("words", [("--help",), ("armv6", "-h"), ("--why", "--help")])
def test_help_has_usage_options_and_examples(words: tuple[str, ...]) -> None:
    with pytest.raises(HelpRequested) as caught:
        read(*words)
    text = str(caught.value)
    assert text.startswith("usage: nox -s plan -- ")
    assert "--service NAME[,NAME]" in text
    assert "examples:\n  nox -s plan -- armv6 --json" in text


@pytest.mark.parametrize("name", sorted(main.sessions()))
def test_every_session_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    called = Call(name=name, words=["--help"], project=installation.ROOT, caller=installation.ROOT)
    assert main.call(called) == 0
    assert f"usage: nox -s {name} -- " in capsys.readouterr().out
