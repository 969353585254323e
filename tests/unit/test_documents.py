"""The documents: every link leads somewhere, and the README stays a welcome."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents import pages

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/**/*.md"),
        *PROJECT.glob("services/*.md"),
    )
)
GENERATED = ("<!-- Generated", "The tables are written by `tests/product/test_witnesses.py`")
"""What pages say that are made by a program, in whole or for the most part."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = HEADING.findall(
        re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead(page: Path) -> list[str]:
    """The links of a page that lead nowhere in the repository."""
    found = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        to = page.parent / path if path else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            found.append(link)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    assert dead(PROJECT / name) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One thing\n[a](page.md#one-thing) [b](#other) [c](gone.md) [d](https://x/)\n"
    )
    assert dead(page) == ["#other", "gone.md"]


def test_the_readme_is_short() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short_or_generated(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150 or any(mark in text for mark in GENERATED), name


def test_every_page_is_linked() -> None:
    linked = {
        (PROJECT / page).parent.joinpath(link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall((PROJECT / page).read_text(encoding="utf-8"))
    }
    assert [page for page in PAGES if PROJECT / page not in linked] == []


def test_the_site_has_every_page_and_no_link_out_of_it() -> None:
    staged = pages.staged(PROJECT)
    nav = tomllib.loads((PROJECT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert sorted(listed(nav)) == sorted(staged)
    pictures = {path.name for path in (PROJECT / "docs").glob("*.svg")}
    for name, text in staged.items():
        assert "```mermaid" not in text, name
        for link in LINK.findall(text):
            path = os.path.normpath(Path(name).parent / link.partition("#")[0])
            assert link[0] == "#" or "://" in link or path in {*staged, *pictures}, (name, link)


def test_a_link_to_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for name in pages.MOVED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "design.md").write_text("```\n->\n```\n[gone](gone.md)\n")
    with pytest.raises(ValueError, match=r"docs/design\.md: gone\.md does not exist"):
        pages.staged(tmp_path)


def listed(nav: list[dict[str, Any]]) -> Iterator[str]:
    """The pages of a navigation, those of its sections too."""
    for entry in nav:
        (value,) = entry.values()
        if isinstance(value, list):
            yield from listed(value)
        else:
            yield value
