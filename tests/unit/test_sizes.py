"""How long modules, classes and functions are; a longer one says why where it begins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MODULE, CLASS, FUNCTION = 300, 150, 40
"""Lines at most."""
REASON = "# Long: "


def modules() -> list[Path]:
    return sorted(path for name in ("muslin", "recipes") for path in (PROJECT / name).rglob("*.py"))


def too_long(text: str) -> Iterator[str]:
    """What is longer than it may be and has no reason in the line above it."""
    lines = text.splitlines()
    head = text.partition("\nimport ")[0].partition("\nfrom ")[0].splitlines()
    if len(lines) > MODULE and not any(line.startswith(REASON) for line in head):
        yield f"the module: {len(lines)} lines"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        count = (node.end_lineno or node.lineno) - node.lineno + 1
        most = CLASS if isinstance(node, ast.ClassDef) else FUNCTION
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        if count > most and not lines[first - 2].strip().startswith(REASON):
            yield f"{node.name}: {count} lines"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_nothing_is_long_without_a_reason(path: Path) -> None:
    assert not list(too_long(path.read_text(encoding="utf-8")))


BODY = "    x = 1\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * MODULE, []),
        ("x = 1\n" * (MODULE + 1), ["the module: 301 lines"]),
        (f"{REASON}a table\n" + "x = 1\n" * MODULE, []),
        ("\nimport a\n" + f"{REASON}a function\n" + "x = 1\n" * MODULE, ["the module: 303 lines"]),
        ("def f():\n" + BODY * (FUNCTION - 1), []),
        ("def f():\n" + BODY * FUNCTION, ["f: 41 lines"]),
        (f"\n{REASON}a list\n@g\ndef f():\n" + BODY * FUNCTION, []),
        (f"\n{REASON}a list\n\ndef f():\n" + BODY * FUNCTION, ["f: 41 lines"]),
        ("class A:\n" + BODY * CLASS, ["A: 151 lines"]),
    ],
)
def test_the_check_finds_what_it_is_for(text: str, found: list[str]) -> None:
    assert list(too_long(text)) == found
