"""Apt on machines that are not Debian: a reason, before any program is started."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.console import Report
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.apt.client import Apt
from muslin.engine.fetch.apt.output import Located
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.process import errors as process_errors
from muslin.engine.process.runner import Runner
from muslin.engine.source import ArchiveFile, Source

ENTRY = "deb https://m.example.org/d {} main\ndeb https://m.example.org/d {}-updates main\n"


def apt_of(machine: Path, os_release: str, codename: str = "bookworm") -> Apt:
    """Apt of a machine with such an os-release."""
    (machine / "sources.list").write_text(ENTRY.format(codename, codename))
    (machine / "os-release").write_text(os_release)
    return Apt(machine / "state", Runner(1), etc=machine, os_release=machine / "os-release")


@pytest.mark.parametrize(
    "line",
    ["VERSION_CODENAME=bookworm", 'VERSION_CODENAME="bookworm"', "VERSION_CODENAME='bookworm'"],
)
def test_release_is_what_the_machine_says(tmp_path: Path, line: str) -> None:
    assert apt_of(tmp_path, f"ID=debian\n{line}\nX=y\n").release == "bookworm"


@pytest.mark.parametrize("said", ["", "ID=debian\n", "#VERSION_CODENAME=bookworm\n"])
def test_machine_that_names_no_release(tmp_path: Path, said: str) -> None:
    with pytest.raises(fetch_errors.ArchiveUnusable, match="names no release"):
        _ = apt_of(tmp_path, said).host


@pytest.mark.parametrize("name", ["ubuntu", "raspbian"])
def test_archive_of_another_distribution_is_not_asked(tmp_path: Path, name: str) -> None:
    apt = apt_of(tmp_path, f"ID={name}\nVERSION_CODENAME=bookworm\nID_LIKE=debian\n")
    with pytest.raises(fetch_errors.ArchiveUnusable, match="works on Debian hosts"):
        apt.refresh("trixie")
    assert not (tmp_path / "state" / "apt.log").exists()


def test_machine_without_an_entry_for_its_release(tmp_path: Path) -> None:
    apt = apt_of(tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n", codename="bullseye")
    with pytest.raises(fetch_errors.ArchiveUnusable, match="no archive of debian for 'bookworm'"):
        apt.refresh("trixie")


class Failing(Runner):
    """Programs that fail with these last words."""

    def __init__(self, words: str) -> None:
        super().__init__(1)
        self.words = words

    def capture(self, argv: Sequence[str], *, what: str, env: Mapping[str, str], log: Path) -> str:
        del env
        raise process_errors.CommandFailed(what, argv, 100, [self.words], log)


FULL = "E: Write error - write (28: No space left on device)"


@pytest.mark.parametrize("words", [FULL, "E: Disk quota exceeded"])
def test_a_full_disk_is_not_called_the_network(tmp_path: Path, words: str) -> None:
    (tmp_path / "sources.list").write_text(ENTRY.format("bookworm", "bookworm"))
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    failing = Failing(words)
    apt = Apt(tmp_path / "state", failing, etc=tmp_path, os_release=tmp_path / "os-release")
    with pytest.raises(engine_errors.DiskFull, match="cannot be written") as caught:
        apt.refresh("bookworm")
    assert "network" not in str(caught.value)
    located = Located(
        package="p", version="1", uri="http://m/p.deb", name="p.deb", size=1, sha256="0" * 64
    )
    with pytest.raises(engine_errors.DiskFull, match="shrinks the cache"):
        apt.download("bookworm", located, tmp_path / "p.deb", lambda _: None)
    file = Source(
        name="p.deb", sha256="0" * 64, size=1,
        origins=(ArchiveFile(suite="bookworm", package="p", version="1", kind="binary"),) * 2,
    )  # fmt: skip
    apt._fresh.add("bookworm")
    apt._known = {(file.origins[0], "p.deb"): located}  # type: ignore[dict-item]
    fetcher = Fetcher(
        tmp_path / "downloads", apt=apt, progress=Report(io.StringIO()), cancelled=failing.stopping
    )
    with pytest.raises(engine_errors.DiskFull):
        fetcher.fetch(file)
