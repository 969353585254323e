"""Files of the store where a person takes them."""

from __future__ import annotations

from pathlib import Path

from muslin.engine.cache import manifest
from muslin.engine.filesystem import verified_copy


def test_a_name_of_255_letters_is_placed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "x").write_text("content")
    row = manifest.seal(tree)["x"]
    path = tmp_path / "dist" / ("n" * 255)
    assert verified_copy.place(tree / "x", path, row)
    assert [(one.name, one.read_text()) for one in path.parent.iterdir()] == [
        ("n" * 255, "content")
    ]
    assert not verified_copy.place(tree / "x", path, [*row[:3], "another digest"])
    assert len(list(path.parent.iterdir())) == 1
