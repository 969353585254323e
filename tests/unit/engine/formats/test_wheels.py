"""Wheels, unpacked: modules and metadata, nothing that leads elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.formats import wheels


def wheel(path: Path, **files: str) -> Path:
    """A wheel with files of these names; `__` stands for a slash, a mode is behind a colon."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            member, _, mode = name.replace("__", "/").partition(":")
            info = zipfile.ZipInfo(member)
            info.external_attr = int(mode or "644", 8) << 16
            archive.writestr(info, text)
    return path


def test_modules_and_metadata_are_taken(tmp_path: Path) -> None:
    file = wheel(
        tmp_path / "demo.whl",
        **{
            "demo__a.py": "a",
            "demo__run:755": "run",
            "demo-1.dist-info__RECORD": "",
            "demo-1.data__purelib__demo__b.py": "b",
            "demo-1.data__platlib__demo__c.py": "c",
            "demo-1.data__scripts__demo": "#!python",
        },
    )
    assert wheels.unpack(file, tmp_path / "into") == 5
    found = {
        str(path.relative_to(tmp_path / "into")): path.stat().st_mode & 0o777
        for path in (tmp_path / "into").rglob("*")
        if path.is_file()
    }
    assert found == {
        "demo/a.py": 0o644,
        "demo/b.py": 0o644,
        "demo/c.py": 0o644,
        "demo/run": 0o755,
        "demo-1.dist-info/RECORD": 0o644,
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../out.py", "leads outside"),
        ("/out.py", "leads outside"),
        ("demo\\..\\out.py", "leads outside"),
        ("demo-1.data/purelib/../../out.py", "leads outside"),
        ("demo/link:120777", "is a link"),
        ("demo/..", "leads outside"),
        (".", "leads outside"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str, why: str) -> None:
    file = wheel(tmp_path / "demo.whl", **{name: "text"})
    with pytest.raises(errors.UnsafeArchive, match=why):
        wheels.unpack(file, tmp_path / "into")
    assert not list(tmp_path.glob("out.py"))


def test_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    files = {"p__zig:755": "z", "p__lib__a": "a", "p__library": "l", "p__other": "o", "x.data": ""}
    file = wheel(tmp_path / "demo.whl", **files)
    into = tmp_path / "into"
    assert wheels.unpack(file, into, only=("p/zig", "p/lib"), strip=1) == 2
    assert {str(one.relative_to(into)) for one in into.rglob("*") if one.is_file()} == {
        *("zig", "lib/a"),
    }
    assert (into / "zig").stat().st_mode & 0o777 == 0o755


def test_what_is_named_must_be_there(tmp_path: Path) -> None:
    file = wheel(tmp_path / "demo.whl", p__a="a")
    with pytest.raises(errors.BrokenArchive, match="nothing below p/missing"):
        wheels.unpack(file, tmp_path / "into", only=("p/a", "p/missing"))


def test_two_wheels_with_one_file(tmp_path: Path) -> None:
    file = wheel(tmp_path / "demo.whl", demo__a="a")
    wheels.unpack(file, tmp_path / "into")
    with pytest.raises(errors.BrokenArchive, match="there already"):
        wheels.unpack(file, tmp_path / "into")


def test_a_wheel_that_is_none_is_damaged_or_too_large(tmp_path: Path) -> None:
    file = wheel(tmp_path / "demo.whl", demo__a="a" * 1000)
    with pytest.raises(errors.BrokenArchive, match="too many bytes"):
        wheels.unpack(file, tmp_path / "large", at_most=999)
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    with pytest.raises(errors.BrokenArchive, match="CRC"):
        wheels.unpack(file, tmp_path / "damaged")
    file.write_bytes(b"text")
    with pytest.raises(errors.BrokenArchive, match="not a zip"):
        wheels.unpack(file, tmp_path / "none")
