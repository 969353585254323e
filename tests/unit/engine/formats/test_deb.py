"""Packages: whatever lies in a folder, dpkg's own rules for names, sizes and sums hold."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from debian import debfile
from hypothesis import given
from hypothesis import strategies as st

from muslin.engine import errors
from muslin.engine.formats import deb

FIELDS = {
    "Package": "demo",
    "Version": "1-1",
    "Architecture": "all",
    "Homepage": "",
    "Description": "d\n more",
}


def written(folder: Path, **more: object) -> Path:
    path = folder / "demo.deb"
    deb.write(path, root=folder / "root", fields=FIELDS, time=1_000_000_000, **more)  # type: ignore[arg-type]  # named at the call
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/demo").write_bytes(b"x" * 1025)
    (root / "usr/bin/demo").chmod(0o700)
    (root / "usr/bin/other").symlink_to("demo")
    (root / "usr/Grüße").write_text("")
    return root


def test_members_come_in_dpkgs_order_and_say_nothing_of_this_machine(root: Path) -> None:
    path = written(root.parent)
    content = path.read_bytes()
    assert content.startswith(
        b"!<arch>\ndebian-binary   1000000000  0     0     100644  4         `\n2.0\n"
    )
    with debfile.DebFile(filename=str(path)) as opened:
        for part in (opened.control, opened.data):
            members = part.tgz().getmembers()
            assert {(one.mtime, one.uid, one.gid) for one in members} == {(1_000_000_000, 0, 0)}
            assert {(one.uname, one.gname) for one in members} == {("root", "root")}
            assert {one.mode for one in members if one.isfile()} <= {0o644, 0o755}
        fields = opened.debcontrol()
        assert "Homepage" not in fields, "an empty field is no field"
        assert list(fields)[-1] == "Description"
        # usr, bin, the link: 1 each; 1025 bytes: 2; an empty file: 0, as dpkg-gencontrol counts.
        assert fields["Installed-Size"] == "5"
        assert set(opened.md5sums(encoding="utf-8")) == {"usr/bin/demo", "usr/Grüße"}


def test_time_owner_and_modes_of_the_folder_are_no_matter(root: Path) -> None:
    before = written(root.parent).read_bytes()
    os.utime(root / "usr/bin/demo", (1, 1))
    (root / "usr/bin/demo").chmod(0o755)
    (root / "usr/bin").chmod(0o700)
    assert written(root.parent).read_bytes() == before
    (root / "usr/bin/demo").chmod(0o644)
    assert written(root.parent).read_bytes() != before


def test_what_no_package_can_hold_is_refused(root: Path) -> None:
    os.mkfifo(root / "usr/fifo")
    with pytest.raises(errors.NotAFile):
        written(root.parent)
    assert not (root.parent / "demo.deb").exists()


def test_scripts_can_be_run_and_conffiles_are_named(root: Path) -> None:
    path = written(root.parent, scripts={"preinst": "#!/bin/sh\n"}, conffiles=("/etc/a", "/etc/b"))
    with debfile.DebFile(filename=str(path)) as opened:
        members = {str(one.name): one.mode for one in opened.control.tgz().getmembers()}
        assert {name.removeprefix("./"): mode for name, mode in members.items()}["preinst"] == 0o755
        assert opened.control.get_content("conffiles") == b"/etc/a\n/etc/b\n"


@given(st.binary(max_size=200_000))
def test_stored_gzip_is_read_by_every_reader(text: bytes) -> None:
    packed = deb.gzipped(text)
    assert gzip.decompress(packed) == text
    assert len(packed) < len(text) + 100


@pytest.mark.parametrize("size", [0, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFF])
def test_stored_gzip_at_the_edges_of_its_blocks(size: int) -> None:
    assert gzip.decompress(deb.gzipped(b"a" * size)) == b"a" * size


def test_a_header_of_pax_is_nowhere(root: Path) -> None:
    (root / ("long" * 40)).write_text("")
    with debfile.DebFile(filename=str(written(root.parent))) as opened:
        assert not opened.data.tgz().pax_headers
        assert all(not one.pax_headers for one in opened.data.tgz().getmembers())
