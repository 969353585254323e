"""Packed folders: the same tree gives the same bytes, whenever and by whomever it is packed."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from muslin.engine.formats import tar_writer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "program").write_text("program")
    (root / "bin" / "program").chmod(0o755)
    (root / "link").symlink_to("./bin/program")
    return root


def compressed(root: Path, name: str) -> bytes:
    path = root.with_name(name)
    tar_writer.pack_compressed(root, path, prefix="a/b")
    return path.read_bytes()


def test_a_compressed_tar_has_no_time_and_no_name(root: Path) -> None:
    """RFC 1952, section 2.3: flags at 3, the time at 4."""
    before = compressed(root, "one.tar.gz")
    assert before[:8] == b"\x1f\x8b\x08\0" + bytes(4)
    os.utime(root / "bin" / "program", (1, 1))
    os.utime(root, (1, 1))
    assert compressed(root, "two.tar.gz") == before


def test_a_tar_says_nothing_of_who_packed_it_and_when(root: Path) -> None:
    with tarfile.open(root.with_name("x.tar.gz"), "w"):
        pass  # there is one, which is replaced
    whole = gzip.decompress(compressed(root, "x.tar.gz"))
    root.with_name("x.tar").write_bytes(whole)
    with tarfile.open(root.with_name("x.tar"), "r:") as tar:
        members = {one.name: one for one in tar}
    assert {name: (one.type, one.mode) for name, one in members.items()} == {
        "a": (tarfile.DIRTYPE, 0o755),
        "a/b": (tarfile.DIRTYPE, 0o755),
        "a/b/bin": (tarfile.DIRTYPE, 0o755),
        "a/b/bin/program": (tarfile.REGTYPE, 0o755),
        "a/b/link": (tarfile.SYMTYPE, 0o777),
    }
    assert members["a/b/link"].linkname == "./bin/program"
    assert {(one.mtime, one.uid, one.gid, one.uname) for one in members.values()} == {(0, 0, 0, "")}
    assert not list(root.parent.glob(".*"))
