"""Names of the members of static libraries."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.formats import ar

LONG = "a-name-that-is-longer-than-sixteen-letters.o"


def header(name: str, size: int) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{size:<10}`\n".encode()


def test_names_of_an_archive_that_ar_made(tmp_path: Path) -> None:
    names = ["one.o", LONG, "one.o"]
    for folder, name in zip("abc", names, strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(f"content of odd length {folder}")
    paths = [str(tmp_path / folder / name) for folder, name in zip("abc", names, strict=True)]
    subprocess.run(["ar", "qcD", str(tmp_path / "x.a"), *paths], check=True)
    assert list(ar.names(tmp_path / "x.a")) == names


def test_names_of_an_archive_of_bsd(tmp_path: Path) -> None:
    body = LONG.encode() + b"content"
    path = tmp_path / "x.a"
    path.write_bytes(ar.MAGIC + header(f"#1/{len(LONG)}", len(body)) + body)
    assert list(ar.names(path)) == [LONG]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"no archive", ar.MAGIC + b"short", ar.MAGIC + b"x" * 60),
        *(ar.MAGIC + header(name, 0) for name in ("/odd", "/5", "#1/odd", "#1/-1x")),
        ar.MAGIC + header("#1/4", 4) + b"\xff" * 4,
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.a").write_bytes(content)
    with pytest.raises(errors.BrokenArchive):
        list(ar.names(tmp_path / "x.a"))


def test_members_are_passed_over_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.a"
    with path.open("wb") as file:
        file.write(ar.MAGIC + header("large.o/", 900_000_000))
        file.seek(900_000_000, 1)
        file.write(header("small.o/", 0))
    tracemalloc.start()
    assert list(ar.names(path)) == ["large.o", "small.o"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_folder_or_fifo_that_is_called_as_an_archive(tmp_path: Path) -> None:
    (tmp_path / "folder.a").mkdir()
    os.mkfifo(tmp_path / "fifo.a")
    for name, kind in (("folder.a", "folder"), ("fifo.a", "FIFO")):
        with pytest.raises(errors.NotAFile, match=f"{name} is a {kind} and no file"):
            list(ar.names(tmp_path / name))
