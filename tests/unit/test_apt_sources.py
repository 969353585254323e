"""Both formats of apt's sources, and only the archive's own entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.engine import apt_sources

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.org/security
Suites: bookworm-security
Components:
 main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
ONE_LINE = """\
# deb http://commented.example.org/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://m.example.org/d bookworm main # ours
deb-src https://m.example.org/d bookworm main
deb http://s.example.org/s bookworm-security main
"""
VENDOR = """\
Types: deb
URIs: https://packages.example.com/linux
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/vendor.gpg

Types: deb
URIs: https://other.example.com/linux
Suites: bookworm
Components: stable
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    found = apt_sources.archive_of(etc, "bookworm")
    assert found["main"].uri == "http://mirror.example.org/debian"
    assert found["security"].uri == "http://mirror.example.org/security"


def test_one_line(etc: Path) -> None:
    (etc / "sources.list").write_text(ONE_LINE)
    found = apt_sources.archive_of(etc, "bookworm")
    assert found["main"].uri == "https://m.example.org/d"
    assert found["main"].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert found["security"].uri == "http://s.example.org/s"


def test_entry_of_another_vendor_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "vendor.sources").write_text(VENDOR)
    assert apt_sources.archive_of(etc, "bookworm") == {}


def test_disabled_entry_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        DEB822.replace("Types: deb deb-src", "Types: deb deb-src\nEnabled: no")
    )
    assert "main" not in apt_sources.archive_of(etc, "bookworm")


def test_file_of_another_kind_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources.disabled").write_text(DEB822)
    assert apt_sources.archive_of(etc, "bookworm") == {}


def test_other_release_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert apt_sources.archive_of(etc, "trixie") == {}
