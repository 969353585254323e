"""Options and names behind `--`."""

from __future__ import annotations

import pytest

from muslin import errors
from muslin.cli import options


def split(*words: str) -> tuple[list[str], dict[str, str]]:
    return options.split("plan", words, flags=("--json",), valued=("--why",))


def test_names_and_options_come_apart_in_any_order() -> None:
    expected = (["armv6", "x86_64"], {"--json": "", "--why": "gcc-armv6"})
    assert split("armv6", "--json", "x86_64", "--why", "gcc-armv6") == expected
    assert split("--why=gcc-armv6", "armv6", "--json", "x86_64") == expected
    assert split() == ([], {})


def test_a_name_may_hold_an_equals_sign() -> None:
    assert split("a=b") == (["a=b"], {})


@pytest.mark.parametrize("word", ["--jason", "--json=yes", "-j"])
def test_an_unknown_option_is_told_what_there_is(word: str) -> None:
    with pytest.raises(errors.Unknown, match=r"no option of plan .*(?s:.)*--json, --why"):
        split(word)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(errors.Unknown, match=r"Did you mean --json\?"):
        split("--jsn")


def test_a_missing_value_is_asked_for() -> None:
    with pytest.raises(errors.ValueMissing, match=r"--why of plan takes a value"):
        split("armv6", "--why")
