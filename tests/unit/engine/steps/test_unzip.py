"""Zip archives, unpacked without trust."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.vocabulary import Unzip


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    for name in ("work", "out"):
        (tmp_path / name).mkdir()
    return Sandbox(
        stage="x",
        work=tmp_path / "work",
        log=tmp_path / "log",
        runner=Runner(1),
        values={"out": str(tmp_path / "out"), "source.x": str(tmp_path / "x.whl")},
        environment={},
        writable=(tmp_path / "out",),
    )


def unzip(sandbox: Sandbox, members: dict[str, str], **fields: tuple[str, ...]) -> Path:
    archive = Path(sandbox.values["source.x"])
    with zipfile.ZipFile(archive, "w") as opened:
        for name, text in members.items():
            opened.writestr(name, text)
    chosen = {"only": ("p",), **fields}
    Unzip(archive="${source.x}", strip=1, **chosen).perform(sandbox)  # type: ignore[arg-type]
    return Path(sandbox.values["out"])


def test_what_is_named_and_nothing_else(sandbox: Sandbox) -> None:
    out = unzip(
        sandbox,
        {"p/zig": "z", "p/lib/a": "a", "p/library": "l", "p/other": "o"},
        only=("p/zig", "p/lib"),
        programs=("zig",),
    )
    found = {str(one.relative_to(out)): one.stat().st_mode & 0o777 for one in out.rglob("*.*")}
    assert not found
    files = {str(one.relative_to(out)) for one in out.rglob("*") if one.is_file()}
    assert files == {"zig", "lib/a"}
    assert (out / "zig").stat().st_mode & 0o777 == 0o755
    assert (out / "lib/a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["p/../../x", "p/..", "p/a\\..\\x"])
def test_names_that_lead_outside(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(errors.UnsafeArchive):
        unzip(sandbox, {"p/a": "", name: "x"})
    assert not (Path(sandbox.values["out"]).parent / "x").exists()


def test_what_is_named_must_be_there(sandbox: Sandbox) -> None:
    with pytest.raises(errors.BrokenArchive, match="nothing below p/missing"):
        unzip(sandbox, {"p/a": ""}, only=("p/a", "p/missing"))


def test_no_archive_at_all(sandbox: Sandbox) -> None:
    Path(sandbox.values["source.x"]).write_text("no zip", encoding="utf-8")
    with pytest.raises(errors.BrokenArchive):
        Unzip(archive="${source.x}", only=("p",)).perform(sandbox)


def test_a_damaged_member(sandbox: Sandbox) -> None:
    archive = Path(sandbox.values["source.x"])
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("p/a", "some text that is damaged")
    archive.write_bytes(archive.read_bytes().replace(b"damaged", b"DAMAGED"))
    with pytest.raises(errors.BrokenArchive, match="CRC"):
        Unzip(archive="${source.x}", only=("p",)).perform(sandbox)
