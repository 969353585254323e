"""The doctor: what is found, what is missing, and how to get it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine import host as doctor
from muslin.engine.host import Finding


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any program; the folder is its only one on the PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(doctor, "HOST_PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def install(folder: Path, *programs: str) -> None:
    for program in programs:
        (folder / program).write_text("#!/bin/sh\n")
        (folder / program).chmod(0o755)


def by_subject(cache: Path) -> dict[str, Finding]:
    return {one.subject: one for one in doctor.findings(cache)}


def test_a_bare_machine_lacks_all_and_learns_how_to_get_it(bare: Path) -> None:
    found = by_subject(bare)
    for program in doctor.REQUIRED:
        assert found[program].state == "missing"
        assert found[program].detail == f"to get it: {doctor.REMEDY}"
    for program in (*doctor.BROUGHT_ALONG, "qemu-user", "rustc and cargo"):
        assert found[program].state == "brought along"
    assert doctor.missing_tools()
    assert doctor.provenance() == {}


def test_what_is_there_is_found_with_its_place(bare: Path) -> None:
    install(bare, *doctor.REQUIRED, *doctor.BROUGHT_ALONG)
    found = by_subject(bare)
    for program in (*doctor.REQUIRED, *doctor.BROUGHT_ALONG):
        assert found[program] == Finding(subject=program, state="found", detail=str(bare / program))
    assert not doctor.missing_tools()
    assert doctor.provenance() == {"gcc": str(bare / "gcc")}


def test_the_users_path_plays_no_part(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare.parent / "other").mkdir()
    install(bare.parent / "other", "gcc")
    monkeypatch.setenv("PATH", str(bare.parent / "other"))
    assert doctor.where("gcc") is None


def test_insisting_names_everything_that_is_missing(bare: Path) -> None:
    install(bare, "make", "sh")
    with pytest.raises(errors.HostProgramMissing) as caught:
        doctor.insist()
    message = str(caught.value)
    assert "lacks gcc, g++, perl, strip" in message
    assert doctor.REMEDY in message
    assert "make," not in message


def test_insisting_is_content_with_what_must_be(bare: Path) -> None:
    install(bare, *doctor.REQUIRED)
    doctor.insist()


def test_nothing_must_be_there_for_the_host_root(bare: Path) -> None:
    del bare
    doctor.insist(native=False)


def test_one_missing_tool_is_enough(bare: Path) -> None:
    install(bare, *doctor.BROUGHT_ALONG[1:])
    assert doctor.missing_tools()


def test_an_old_python_and_a_full_disk_are_told(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PYTHON", (99, 0))
    monkeypatch.setattr(doctor, "NEEDED_BYTES", 10**18)
    found = by_subject(bare)
    assert found["python"].state == "missing"
    assert found["disk"].state == "scarce"
    assert str(bare) in found["disk"].detail


def test_this_machine_has_a_name(bare: Path) -> None:
    host = doctor.host()
    assert host.machine
    assert host.libc.startswith("glibc ") or host.libc == "not glibc"
    assert host.machine in by_subject(bare)["host"].detail


@pytest.mark.parametrize("name", ["config", "config.toml"])
def test_a_cargo_configuration_in_the_root_folder_is_refused(tmp_path: Path, name: str) -> None:
    doctor.insist(tmp_path)
    path = tmp_path / ".cargo" / name
    path.parent.mkdir()
    path.touch()
    with pytest.raises(errors.CargoConfiguration, match=f"cargo obeys {path} in every folder"):
        doctor.insist(tmp_path)


@pytest.mark.parametrize(
    ("programs", "links", "added"),
    [
        (("mawk",), {"awk": "mawk"}, ""),
        (("mawk", "gawk"), {"awk": "mawk"}, ", gawk"),
        (("gawk",), {"awk": "gawk"}, ", gawk"),
        (("original-awk",), {"awk": "original-awk"}, ", original-awk"),
        (("busybox",), {"awk": "busybox"}, ", busybox"),
        (("mawk", "busybox"), {"awk": "busybox"}, ", busybox"),
        ((), {}, ""),
    ],
)
def test_another_awk_than_mawk_makes_another_host(
    bare: Path, programs: tuple[str, ...], links: dict[str, str], added: str
) -> None:
    before = doctor.host()
    install(bare, *programs)
    for name, target in links.items():
        (bare / name).symlink_to(target)
    assert doctor.host() == dataclasses.replace(before, libc=f"{before.libc}{added}")
