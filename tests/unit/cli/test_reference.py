"""The reference pages are those that the code gives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from muslin.cli import errors, main, reference

PROJECT = Path(__file__).resolve().parents[3]
PAGES = PROJECT / "docs" / "reference"


@pytest.mark.parametrize("name", reference.PAGES)
def test_pages_are_current(name: str) -> None:
    path, text = PAGES / f"{name}.md", reference.page(name, PROJECT)
    if os.environ.get("MUSLIN_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "to write them: MUSLIN_GOLDEN=write pytest"


def test_there_is_no_other_page() -> None:
    assert {path.stem for path in PAGES.iterdir()} == {*reference.PAGES}


def test_every_session_has_a_section() -> None:
    text = reference.page("sessions", PROJECT)
    for name in main.sessions():
        assert f"\n## {name}\n" in text


def test_a_new_error_is_found() -> None:
    class Unheard(errors.WrongUse):
        """A class that no module of the tool has."""

    Unheard.__module__ = "muslin.graph.errors"
    try:
        text = reference.page("errors", PROJECT)
        assert "| `Unheard` | A class that no module of the tool has. |" in text
    finally:
        Unheard.__module__ = __name__
    assert "`Unheard`" not in reference.page("errors", PROJECT)
