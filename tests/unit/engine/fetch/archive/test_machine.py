"""Both formats of apt's sources, and only the archive's own entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine.fetch.archive import machine, mirrors
from muslin.engine.fetch.archive.located import Located, Role

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
    found = machine.archive_of(etc, "bookworm")
    assert found["main"][0].uri == "http://mirror.example.org/debian"
    assert found["security"][0].uri == "http://mirror.example.org/security"


def test_one_line(etc: Path) -> None:
    (etc / "sources.list").write_text(ONE_LINE)
    found = machine.archive_of(etc, "bookworm")
    assert found["main"][0].uri == "https://m.example.org/d"
    assert found["main"][0].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert found["security"][0].uri == "http://s.example.org/s"


def test_entry_of_another_vendor_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "vendor.sources").write_text(VENDOR)
    assert machine.archive_of(etc, "bookworm") == {}


def test_disabled_entry_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        DEB822.replace("Types: deb deb-src", "Types: deb deb-src\nEnabled: no")
    )
    assert "main" not in machine.archive_of(etc, "bookworm")


def test_file_of_another_kind_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources.disabled").write_text(DEB822)
    assert machine.archive_of(etc, "bookworm") == {}


@pytest.mark.parametrize("no", ["no", "No", "false", "without", "off", "disable", "0"])
def test_every_no_of_apt_is_a_no(etc: Path, no: str) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(f"{DEB822.strip()}\nEnabled: {no}\n")
    assert set(machine.archive_of(etc, "bookworm")) == {"main"}


def test_first_of_several_addresses_is_taken(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: https://one.example.org/d/\n https://two.example.org/d\n"
        "# between\nSuites:\n bookworm-updates\n# and here\n bookworm\nComponents: main\n"
    )
    assert machine.archive_of(etc, "bookworm")["main"][0].uri == "https://one.example.org/d"


def test_release_under_a_name_that_moves(etc: Path) -> None:
    (etc / "sources.list").write_text(
        "deb https://m.example.org/d oldstable main\n"
        "deb https://m.example.org/d oldstable-updates main\n"
        "deb https://m.example.org/s oldstable-security main\n"
    )
    found = machine.archive_of(etc, "bookworm")
    assert found["main"][0].uri == "https://m.example.org/d"
    assert found["security"][0].uri == "https://m.example.org/s"


def test_unsigned_stable_of_another_vendor_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "browser.list").write_text(
        "deb [arch=amd64] https://browser.example.com/deb/ stable main\n"
    )
    assert machine.archive_of(etc, "bookworm") == {}


def test_archive_goes_before_an_unsigned_vendor_of_the_same_name(etc: Path) -> None:
    (etc / "sources.list.d" / "a-vendor.list").write_text(
        "deb https://vendor.example.com bookworm main\n"
    )
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert machine.archive_of(etc, "bookworm")["main"][0].uri == "http://mirror.example.org/debian"


def test_other_release_is_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert machine.archive_of(etc, "trixie") == {}


@pytest.mark.parametrize(
    ("role", "path", "other"),
    [
        ("main", "pool/main/c/curl/x.deb", ("security", "pool/updates/main/c/curl/x.deb")),
        ("security", "pool/updates/main/c/curl/x.deb", ("main", "pool/main/c/curl/x.deb")),
    ],
)
def test_a_file_of_one_pool_may_lie_in_the_other(
    role: Role, path: str, other: tuple[Role, str]
) -> None:
    file = Located(
        package="curl", version="1", role=role, path=path, name="x.deb", size=1, sha256="0" * 64
    )
    assert file.places() == ((role, path), other)


def test_several_mirrors_are_all_taken(etc: Path) -> None:
    (etc / "sources.list").write_text(
        "".join(
            f"deb https://{name}.example.org/d {suite} main\n"
            for name in ("one", "two")
            for suite in ("bookworm", "bookworm-updates")
        )
    )
    found = mirrors.of_machine(etc, "bookworm")
    assert found is not None
    assert found.addresses == {"main": ("https://one.example.org/d", "https://two.example.org/d")}


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("machine m.example.org login me password secret", ("me", "secret")),
        (
            "# machine m.example.org login a\nmachine https://m.example.org/d\nlogin me password s",
            ("me", "s"),
        ),
        ("machine m.example.org/other login me password secret", None),
        ("machine http://m.example.org login me password secret", None),
        ("machine example.org login me password secret", None),
        ("machine m.example.org.evil.example login me password secret", None),
        ("machine", None),
        ("", None),
    ],
)
def test_credentials_of_auth_conf(etc: Path, text: str, login: tuple[str, str] | None) -> None:
    (etc / "sources.list").write_text("deb https://m.example.org/d bookworm main\n")
    (etc / "auth.conf.d").mkdir()
    (etc / "auth.conf.d" / "own.conf").write_text(text)
    (entry,) = machine.entries(etc)
    assert entry.login == login


def test_proxies_of_apt(etc: Path) -> None:
    (etc / "apt.conf.d").mkdir()
    (etc / "apt.conf.d" / "01proxy").write_text(
        '// a comment\nAcquire::http::Proxy "http://cache.example.org:3142";\n'
        'Acquire::HTTPS::proxy "DIRECT";\n// Acquire::ftp::Proxy "http://no.example.org";\n'
    )
    (etc / "sources.list").write_text("deb https://m.example.org/d bookworm main\n")
    found = mirrors.of_machine(etc, "bookworm")
    assert found is not None
    assert found.proxies == {"http": "http://cache.example.org:3142", "https": ""}
