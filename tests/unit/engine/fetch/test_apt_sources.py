"""Both formats of apt's sources, and only the archive's own entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine.fetch.apt import sources

MAIN = sources.Entry(uri="http://m.example.org/debian", suite="trixie", components=("main",))
SECURITY = sources.Entry(
    uri="http://m.example.org/debian-security", suite="trixie-security", components=("main",)
)
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
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://m.example.org/d bookworm main
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
    found = sources.archive_of(etc, "bookworm")
    assert found["main"].uri == "http://mirror.example.org/debian"
    assert found["security"].uri == "http://mirror.example.org/security"


def test_one_line(etc: Path) -> None:
    (etc / "sources.list").write_text(ONE_LINE)
    found = sources.archive_of(etc, "bookworm")
    assert found["main"].uri == "https://m.example.org/d"
    assert found["main"].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert found["security"].uri == "http://s.example.org/s"


def test_entry_of_another_vendor_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "vendor.sources").write_text(VENDOR)
    assert sources.archive_of(etc, "bookworm") == {}


def test_disabled_entry_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        DEB822.replace("Types: deb deb-src", "Types: deb deb-src\nEnabled: no")
    )
    assert "main" not in sources.archive_of(etc, "bookworm")


def test_file_of_another_kind_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources.disabled").write_text(DEB822)
    assert sources.archive_of(etc, "bookworm") == {}


@pytest.mark.parametrize("no", ["no", "No", "false", "without", "off", "disable", "0"])
def test_every_no_of_apt_is_a_no(etc: Path, no: str) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(f"{DEB822.strip()}\nEnabled: {no}\n")
    assert set(sources.archive_of(etc, "bookworm")) == {"main"}


def test_first_of_several_addresses_is_taken(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: https://one.example.org/d/\n https://two.example.org/d\n"
        "# between\nSuites:\n bookworm-updates\n# and here\n bookworm\nComponents: main\n"
    )
    assert sources.archive_of(etc, "bookworm")["main"].uri == "https://one.example.org/d"


def test_release_under_a_name_that_moves(etc: Path) -> None:
    (etc / "sources.list").write_text(
        "deb https://m.example.org/d oldstable main\n"
        "deb https://m.example.org/d oldstable-updates main\n"
        "deb https://m.example.org/s oldstable-security main\n"
    )
    found = sources.archive_of(etc, "bookworm")
    assert found["main"].uri == "https://m.example.org/d"
    assert found["security"].uri == "https://m.example.org/s"


def test_unsigned_stable_of_another_vendor_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "browser.list").write_text(
        "deb [arch=amd64] https://browser.example.com/deb/ stable main\n"
    )
    assert sources.archive_of(etc, "bookworm") == {}


def test_archive_goes_before_an_unsigned_vendor_of_the_same_name(etc: Path) -> None:
    (etc / "sources.list.d" / "a-vendor.list").write_text(
        "deb https://vendor.example.com bookworm main\n"
    )
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert sources.archive_of(etc, "bookworm")["main"].uri == "http://mirror.example.org/debian"


def test_sources_of_another_release(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        DEB822.replace("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg", "")
    )
    (etc / "keyring.gpg").touch()
    found = sources.archive_of(etc, "bookworm")
    text = sources.stanzas(found, "trixie", etc / "keyring.gpg")
    assert text.split("\n\n") == [
        "Types: deb deb-src\nURIs: http://mirror.example.org/debian\n"
        f"Suites: trixie trixie-updates\nComponents: main\nSigned-By: {etc}/keyring.gpg",
        "Types: deb deb-src\nURIs: http://mirror.example.org/security\nSuites: trixie-security\n"
        f"Components: main\nSigned-By: {etc}/keyring.gpg\n",
    ]
    assert "Signed-By" not in sources.stanzas(found, "trixie", etc / "no-keyring.gpg")


def test_other_release_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert sources.archive_of(etc, "trixie") == {}


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("debian/pool/main/c/curl/x.deb", "debian-security/pool/updates/main/c/curl/x.deb"),
        ("debian-security/pool/updates/main/c/curl/x.deb", "debian/pool/main/c/curl/x.deb"),
        ("debian/dists/trixie/Release", None),
        ("elsewhere/pool/main/c/curl/x.deb", None),
    ],
)
def test_a_file_of_one_pool_may_lie_in_the_other(path: str, other: str | None) -> None:
    found = {"main": MAIN, "security": SECURITY}
    uri = f"http://m.example.org/{path}"
    there = [uri] if other is None else [uri, f"http://m.example.org/{other}"]
    assert sources.places(uri, found) == there
    assert sources.places(uri, {"main": MAIN}) == [uri]
