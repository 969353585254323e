"""Files of the cache that several threads put in place at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from muslin.engine.filesystem import atomic

THREADS = 8
ROUNDS = 200


def at_once(action: Callable[[], None]) -> list[BaseException]:
    """What threads that do the same at one time die of."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run() -> None:
        start.wait()
        try:
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("stranger", ["nothing", "file", "link", "dangling link"])
def test_a_folder_is_made_by_several_at_once(tmp_path: Path, stranger: str) -> None:
    for number in range(ROUNDS):
        path = tmp_path / str(number)
        if stranger == "file":
            path.touch()
        elif stranger != "nothing":
            path.symlink_to(tmp_path if stranger == "link" else tmp_path / "absent")
        assert at_once(lambda path=path: atomic.folder(path)) == []  # type: ignore[misc]
        assert atomic.is_folder(path)


def test_a_folder_in_the_place_of_a_file_is_removed_by_several_at_once(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        path = tmp_path / str(number)
        (path / "below").mkdir(parents=True)
        assert at_once(lambda path=path: atomic.write(path, "text")) == []  # type: ignore[misc]
        assert path.read_text() == "text"
    assert {path.name for path in tmp_path.iterdir()} == {str(number) for number in range(ROUNDS)}
