"""Commands in messages: one module spells them, as the run was started."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from muslin import invocation
from muslin.cli import errors, main
from muslin.cli.options import Parser
from muslin.engine import errors as engine_errors
from muslin.invocation import Spelling

PROJECT = Path(__file__).resolve().parents[2]
GENERATED = ("muslin/cli/forges.py", "muslin/cli/forge_files/")
"""Files for the CI of a checkout, where Nox is installed."""
OWN = ("muslin/cli/terminal.py", "muslin/invocation.py")
"""The help of the command itself, and the spellings."""
COMMAND = re.compile(
    rf"nox -s|`nox\b|`-- |^-- |\bmuslin (?:{'|'.join(map(re.escape, main.sessions()))})\b"
)


def spelled_out(text: str) -> list[str]:
    """Commands in the texts of a module; docstrings are no texts that a run shows, but for those of
    sessions, which are their help."""
    module = ast.parse(text)
    documented = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
        and COMMAND.search(node.value)
    ]


def test_no_other_module_spells_a_command() -> None:
    for path in sorted(
        path for name in ("muslin", "recipes") for path in Path(PROJECT, name).rglob("*.py")
    ):
        name = path.relative_to(PROJECT).as_posix()
        if not name.startswith((*GENERATED, *OWN)):
            assert not spelled_out(path.read_text(encoding="utf-8")), f"{name}: call `spelled`"


@pytest.mark.parametrize(
    "text",
    [
        '"run `nox -s gc -- 5GB`"',
        'f"{x}: nox -s {y}"',
        '"call `nox` in"',
        '"`muslin plan` shows it"',
    ],
)
def test_the_walk_finds_a_command(text: str) -> None:
    assert spelled_out(f"print({text})")


@pytest.mark.parametrize("text", ['"of muslin"', '"nox.Session"', '"muslin-check"'])
def test_the_walk_passes_other_words(text: str) -> None:
    assert not spelled_out(f"print({text})")


def test_the_help_of_sessions_has_no_dashes_of_nox() -> None:
    for name, summary in main.sessions().items():
        assert not COMMAND.search(summary.splitlines()[0]), name


@pytest.mark.parametrize(
    ("spelling", "with_words", "without", "prefix"),
    [
        (Spelling.NOX, "nox -s gc -- 5GB", "nox -s doctor", "nox -s gc --"),
        (Spelling.COMMAND, "muslin gc 5GB", "muslin doctor", "muslin gc"),
    ],
)
def test_spellings(spelling: Spelling, with_words: str, without: str, prefix: str) -> None:
    invocation.use(spelling)
    assert invocation.spelled("gc", "5GB") == with_words
    assert invocation.spelled("doctor") == without
    assert invocation.prefix("gc") == prefix
    assert f"`{with_words}` shrinks" in str(
        engine_errors.DiskTooSmall(Path("/cache"), free=1, needed=2)
    )
    assert f"`{invocation.spelled('plan', '--help')}`" in str(errors.WrongUse("plan", "x"))
    examples = Parser("gc", "Shrink.", examples=("", "10GB")).format_help()
    assert f"usage: {prefix} " in examples
    assert f"  {invocation.spelled('gc', '10GB')}\n" in examples


def test_a_spelling_may_be_asked_for() -> None:
    invocation.use(Spelling.COMMAND)
    assert invocation.spelled("plan", spelling=Spelling.NOX) == "nox -s plan"
