"""Trees removed: read-only, closed, deep, linked, and none of what links lead to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from muslin.engine.cache import store
from muslin.engine.filesystem import removal
from tests.unit.models.test_source_trees import deepen


@pytest.mark.parametrize("count", [1, 2, 250, 5000])
def test_a_tree_goes_at_any_depth(tmp_path: Path, count: int) -> None:
    (tmp_path / "tree").mkdir()
    deepen(tmp_path / "tree", count)
    removal.remove_tree(tmp_path / "tree")
    assert not list(tmp_path.iterdir())


def test_what_is_closed_to_its_owner_goes_too(tmp_path: Path) -> None:
    (tmp_path / "tree/a/b/c").mkdir(parents=True)
    (tmp_path / "tree/a/b/c/text").write_text("text")
    os.mkfifo(tmp_path / "tree/a/fifo")
    for name in ("a/b/c/text", "a/b/c", "a/b", "a", ""):
        (tmp_path / "tree" / name).chmod(0)
    store.remove(tmp_path / "tree")
    assert not list(tmp_path.iterdir())


def test_what_links_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o555)
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to("../kept")
    (tmp_path / "tree/deep/link").symlink_to(tmp_path / "kept")
    (tmp_path / "tree/self").symlink_to("self")
    removal.remove_tree(tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o555


def test_few_files_are_open_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    deepen(tmp_path / "tree", 50)
    opened, most, close = set[int](), 0, os.close

    def count(path: object, flags: int, **where: int) -> int:
        nonlocal most
        opened.add(descriptor := real(path, flags, **where))  # type: ignore[arg-type]
        most = max(most, len(opened))
        return descriptor

    def forget(descriptor: int) -> None:
        opened.discard(descriptor)
        close(descriptor)

    real = os.open
    monkeypatch.setattr(os, "open", count)
    monkeypatch.setattr(os, "close", forget)
    removal.remove_tree(tmp_path / "tree")
    assert (most, opened) == (2, set())


def test_a_name_of_255_letters_goes(tmp_path: Path) -> None:
    (tmp_path / ("n" * 255)).mkdir()
    store.remove(tmp_path / ("n" * 255))
    assert not list(tmp_path.iterdir())


def test_threads_remove_side_by_side(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}").mkdir()
        deepen(tmp_path / f"{number}", 100)
    threads = [
        threading.Thread(target=store.remove, args=(tmp_path / f"{number}",)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not list(tmp_path.iterdir())
