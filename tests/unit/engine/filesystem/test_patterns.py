"""What glob patterns find below a directory."""

from __future__ import annotations

from pathlib import Path

from muslin.engine.filesystem import patterns


def test_names_and_patterns(tmp_path: Path) -> None:
    for name in ("a.c", "b.c", "inner/c.c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert patterns.find(tmp_path, "*.c") == [tmp_path / "a.c", tmp_path / "b.c"]
    assert patterns.find(tmp_path, "**/c.c") == [tmp_path / "inner/c.c"]
    assert patterns.find(tmp_path, "inner") == [tmp_path / "inner"]
    assert patterns.find(tmp_path, "absent") == []


def test_a_link_that_leads_nowhere_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/muslin/store/of/nobody")
    assert patterns.find(tmp_path, "link") == [tmp_path / "link"]
