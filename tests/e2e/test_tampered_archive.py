"""An archive that was tampered with: nothing of it is accepted, and each fault is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysequoia
import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.archive.client import Archive
from muslin.errors import PipelineError
from tests.archive import Mirror, reader, served

SUITES = ("trixie", "trixie-updates", "trixie-security")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A sound archive with two packages, one of which has a security update."""
    mirror = Mirror(tmp_path / "mirror")
    mirror.add("tool", "1.0-1", Depends="library (>= 2)")
    mirror.add("library", "2.0-1")
    mirror.add("other", "1:3-1")
    mirror.add("library", "2.0-1+deb13u1", suite="trixie-security")
    for suite in SUITES:
        mirror.sign(suite)
    return mirror


def fetched(archive: Archive, to: Path) -> bytes:
    """The package `library` as a build gets it."""
    version = archive.versions("trixie", "library", "binary")[0]
    (one,) = archive.files("trixie", "library", version, "binary")
    archive.download("trixie", one, to, lambda _: None)
    return to.read_bytes()


def test_a_sound_archive_is_read(mirror: Mirror, tmp_path: Path) -> None:
    with served(mirror.root) as (address,):
        archive = reader(tmp_path, address)
        assert fetched(archive, tmp_path / "x.deb").startswith(b"library 2.0-1+deb13u1")
        both = archive.closure("trixie", ["tool"], presumed=["other"])
        assert [(one.package, one.version) for one in both] == [
            ("library", "2.0-1+deb13u1"), ("tool", "1.0-1"),
        ]  # fmt: skip
        (alone,) = archive.closure("trixie", ["tool"], presumed=["library"])
        assert alone.package == "tool"
        with pytest.raises(errors.ArchiveUnusable, match="trixie has no package 'none'"):
            archive.closure("trixie", ["none"], presumed=["other"])


INDEX = "main/binary-amd64"


def by_hash(mirror: Mirror, suite: str = "trixie-security") -> str:
    base = "security" if suite.endswith("security") else "debian"
    (path, *_) = (mirror.root / f"{base}/dists/{suite}/{INDEX}/by-hash/SHA256").iterdir()
    return str(path.relative_to(mirror.root))


def changed_everywhere(mirror: Mirror) -> None:
    mirror.change(by_hash(mirror))
    mirror.change(f"security/dists/trixie-security/{INDEX}/Packages.xz")


def unsigned(mirror: Mirror) -> None:
    path = mirror.root / "debian/dists/trixie/InRelease"
    text = path.read_text().partition("\n\n")[2].partition("-----BEGIN PGP SIGNATURE")[0]
    path.write_text(text)


def signed_by_another(mirror: Mirror) -> None:
    mirror.key = pysequoia.Tsk.generate("Somebody <somebody@example.org>")
    mirror.sign()


def with_a_text_before(mirror: Mirror) -> None:
    """Signed contents of another suite behind unsigned ones of the right one."""
    path = mirror.root / "debian/dists/trixie/InRelease"
    other = (mirror.root / "debian/dists/trixie-updates/InRelease").read_text()
    path.write_text(f"Codename: trixie\nDate: Mon, 30 Nov 2026 00:00:00 UTC\n\n{other}")


def a_page(mirror: Mirror) -> None:
    mirror.write("debian/dists/trixie/InRelease", b"<html>please log in</html>")


TAMPERED: dict[str, tuple[Callable[[Mirror], object], str]] = {
    "a byte of the Release file": (
        lambda mirror: mirror.change("debian/dists/trixie/InRelease"),
        "signature is not valid|by none of the archive's keys",
    ),
    "no signature": (unsigned, "signature is not valid"),
    "another key": (signed_by_another, "signature is not valid, or by none of the archive's keys"),
    "a text before the signed one": (with_a_text_before, "file of 'trixie-updates'|not valid"),
    "no text at all": (a_page, "signature is not valid"),
    "an empty file": (
        lambda mirror: mirror.write("debian/dists/trixie/InRelease", b""),
        "signature is not valid",
    ),
    "another suite's": (
        lambda mirror: mirror.write(
            "debian/dists/trixie/InRelease",
            (mirror.root / "debian/dists/trixie-updates/InRelease").read_bytes(),
        ),
        "the Release file of 'trixie-updates'",
    ),
    "past its date": (
        lambda mirror: mirror.sign(age=20, Valid_Until="Sat, 14 Nov 2026 00:00:00 UTC"),
        r"expired \(2026-11-14\)",
    ),
    "of the future": (lambda mirror: mirror.sign(age=-3), "of the future"),
    "without a date": (lambda mirror: mirror.sign(Date="yesterday"), "the date 'yesterday'"),
    "a byte of Packages": (changed_everywhere, "has the SHA-256"),
    "a longer Packages": (
        lambda mirror: [
            mirror.write(path, (mirror.root / path).read_bytes() + b"x")
            for path in (by_hash(mirror), f"security/dists/trixie-security/{INDEX}/Packages.xz")
        ],
        "has more than",
    ),
    "a byte of the package": (
        lambda mirror: mirror.change(
            "security/pool/updates/main/l/library/library_2.0-1+deb13u1_amd64.deb"
        ),
        "has the SHA-256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_nothing_tampered_with_is_accepted(mirror: Mirror, tmp_path: Path, how: str) -> None:
    tamper, named = TAMPERED[how]
    tamper(mirror)
    with served(mirror.root) as (address,), pytest.raises(PipelineError, match=named) as caught:
        fetched(reader(tmp_path, address), tmp_path / "x.deb")
    assert "Stack" not in str(caught.value)
    assert not (tmp_path / "x.deb").exists()


@pytest.mark.parametrize("how", TAMPERED)
def test_the_next_mirror_is_asked(mirror: Mirror, tmp_path: Path, how: str) -> None:
    sound = tmp_path / "sound"
    for path in mirror.root.rglob("*"):
        if path.is_file():
            copy = sound / path.relative_to(mirror.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    TAMPERED[how][0](mirror)
    with served(mirror.root, sound) as addresses:
        content = fetched(reader(tmp_path, *addresses), tmp_path / "x.deb")
    assert content.startswith(b"library 2.0-1+deb13u1")


def test_an_older_release_file_is_a_replay(mirror: Mirror, tmp_path: Path) -> None:
    with served(mirror.root) as (address,):
        reader(tmp_path, address).refresh("trixie")
        mirror.sign(age=1)
        with pytest.raises(errors.ArchiveUnreachable, match=r"older than that of .* seen before"):
            reader(tmp_path, address).refresh("trixie")
        mirror.sign()
        reader(tmp_path, address).refresh("trixie")


def test_a_damaged_state_is_asked_again(mirror: Mirror, tmp_path: Path) -> None:
    with served(mirror.root) as (address,):
        fetched(reader(tmp_path, address), tmp_path / "x.deb")
        for path in (tmp_path / "state").rglob("*"):
            if path.is_file() and path.stat().st_size:
                content = bytearray(path.read_bytes())
                content[len(content) // 2] ^= 1
                path.write_bytes(content)
        (tmp_path / "x.deb").unlink()
        fetched(reader(tmp_path, address), tmp_path / "x.deb")


def test_an_index_that_nobody_names_any_more_goes(mirror: Mirror, tmp_path: Path) -> None:
    with served(mirror.root) as (address,):
        reader(tmp_path, address).versions("trixie", "tool", "binary")
        before = set((tmp_path / "state/trixie").iterdir())
        mirror.add("another", "1")
        mirror.sign()
        assert reader(tmp_path, address).versions("trixie", "another", "binary") == ["1"]
    after = set((tmp_path / "state/trixie").iterdir())
    assert len(after) == len(before)
    assert after != before


def test_a_mirror_without_by_hash_serves_by_name(mirror: Mirror, tmp_path: Path) -> None:
    (mirror.root / by_hash(mirror)).unlink()
    with served(mirror.root) as (address,):
        fetched(reader(tmp_path, address), tmp_path / "x.deb")


def test_a_security_update_lies_in_the_main_pool_too(mirror: Mirror, tmp_path: Path) -> None:
    name = "main/l/library/library_2.0-1+deb13u1_amd64.deb"
    there = mirror.root / f"security/pool/updates/{name}"
    mirror.write(f"debian/pool/{name}", there.read_bytes())
    there.unlink()
    with served(mirror.root) as (address,):
        fetched(reader(tmp_path, address), tmp_path / "x.deb")
