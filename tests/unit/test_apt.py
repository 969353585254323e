"""Apt on machines that are not Debian: a reason, before any program is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes import errors
from recipes.engine.apt import Apt
from recipes.engine.runner import Runner

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
    with pytest.raises(errors.ArchiveUnusable, match="names no release"):
        _ = apt_of(tmp_path, said).host


@pytest.mark.parametrize("name", ["ubuntu", "raspbian"])
def test_archive_of_another_distribution_is_not_asked(tmp_path: Path, name: str) -> None:
    apt = apt_of(tmp_path, f"ID={name}\nVERSION_CODENAME=bookworm\nID_LIKE=debian\n")
    with pytest.raises(errors.ArchiveUnusable, match="works on Debian hosts"):
        apt.refresh("trixie")
    assert not (tmp_path / "state" / "apt.log").exists()


def test_machine_without_an_entry_for_its_release(tmp_path: Path) -> None:
    apt = apt_of(tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n", codename="bullseye")
    with pytest.raises(errors.ArchiveUnusable, match="no archive of debian for 'bookworm'"):
        apt.refresh("trixie")
