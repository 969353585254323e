"""The real archive's changelogs, and what pins lack by them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.archive.located import Located
from muslin.models import pins as source
from muslin.models.pins import Pins
from muslin.sources import advisories, changelog_index
from muslin.sources.changelog_index import Known
from tests.archive import archive

PROJECT = Path(__file__).resolve().parents[2]
TODAY = datetime.date(2026, 11, 29)
SQLITE = {
    *("CVE-2025-6965", "CVE-2025-7709", "CVE-2025-29087", "CVE-2025-29088"),
    *("CVE-2026-11822", "CVE-2026-11824"),
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The real archive, its indexes fetched once for all tests here."""
    return archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture
def pins(real: Archive, tmp_path: Path) -> Pins:
    """The repository's."""
    return source.load(PROJECT / "recipes/pins", tmp_path / "run-lock.toml", host=real.host)


def lacking(real: Archive, pins: Pins, *names: str) -> dict[str, set[str]]:
    """Component -> CVEs, whatever is accepted."""
    every = [one for one in changelog_index.pinned(pins) if one.component in names]
    known = changelog_index.ask(every, real, before=None, now=0.0)
    rows = advisories.lacking(every, known, (), is_newer=real.is_newer, today=TODAY)
    return {name: {row.cve for row in rows if row.component == name} for name in names}


def test_a_source_that_is_taken_bare_lacks_what_its_package_fixes(
    real: Archive, pins: Pins
) -> None:
    with_patches = lacking(real, pins, "sqlite3")["sqlite3"]
    bare = pins.pins["sqlite3"].model_copy(
        update={"patches": None, "unpatched": "why", "fixes": ()}
    )
    assert lacking(real, source.with_pin(pins, "sqlite3", bare), "sqlite3")["sqlite3"] >= SQLITE
    assert not with_patches & SQLITE


def test_a_pin_that_is_set_back_lacks_what_came_since(real: Archive, pins: Pins) -> None:
    back = pins.pins["openssl"].model_copy(
        update={"package_version": "3.5.7-1~deb13u1", "fixes": ()}
    )
    found = lacking(real, source.with_pin(pins, "openssl", back), "openssl")["openssl"]
    assert set(pins.pins["openssl"].fixes) <= found


def test_a_changelog_comes_from_a_binary_package_where_the_sources_are_not_handed_out(
    real: Archive, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    download = Archive.download

    def without_sources(
        self: Archive, suite: str, located: Located, to: Path, *more: object
    ) -> None:
        if ".debian.tar." in located.name:
            raise errors.ArchiveUnusable("this mirror lacks it")
        taken.append(located.name)
        download(self, suite, located, to, *more)  # type: ignore[arg-type]  # the rest as it came

    monkeypatch.setattr(Archive, "download", without_sources)
    assert not lacking(real, pins, "sqlite3")["sqlite3"] & SQLITE
    assert taken
    assert taken[-1].endswith(".deb")


def test_a_changelog_that_is_known_is_not_fetched_again(
    real: Archive, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [one for one in changelog_index.pinned(pins) if one.component in ("musl", "rust")]
    first = changelog_index.ask(every, real, before=None, now=1.0)
    monkeypatch.setattr(Archive, "download", None)
    second = changelog_index.ask(every, real, before=first, now=2.0)
    assert second == Known(asked=2.0, packages=first.packages)
    assert {one.slot for one in every} == set(second.packages)
