"""The real archive's changelogs, and what pins lack by them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.apt.client import Apt
from muslin.engine.fetch.apt.output import Located
from muslin.engine.process.runner import Runner
from muslin.models import pins as source
from muslin.models.pins import Pins
from muslin.sources import advisories, changelog_index
from muslin.sources.changelog_index import Known
from tests.e2e.test_apt import pytestmark

__all__ = ["pytestmark"]  # where there is no archive

PROJECT = Path(__file__).resolve().parents[2]
TODAY = datetime.date(2026, 11, 29)
SQLITE = {
    *("CVE-2025-6965", "CVE-2025-7709", "CVE-2025-29087", "CVE-2025-29088"),
    *("CVE-2026-11822", "CVE-2026-11824"),
}


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> Apt:
    """An apt with private state, its indexes fetched once for all tests here."""
    return Apt(tmp_path_factory.mktemp("apt"), Runner(1))


@pytest.fixture
def pins(apt: Apt, tmp_path: Path) -> Pins:
    """The repository's."""
    return source.load(PROJECT / "recipes/pins", tmp_path / "run-lock.toml", host=apt.host)


def lacking(apt: Apt, pins: Pins, *names: str) -> dict[str, set[str]]:
    """Component -> CVEs, whatever is accepted."""
    every = [one for one in changelog_index.pinned(pins) if one.component in names]
    known = changelog_index.ask(every, apt, before=None, now=0.0)
    rows = advisories.lacking(every, known, (), is_newer=apt.is_newer, today=TODAY)
    return {name: {row.cve for row in rows if row.component == name} for name in names}


def test_a_source_that_is_taken_bare_lacks_what_its_package_fixes(apt: Apt, pins: Pins) -> None:
    with_patches = lacking(apt, pins, "sqlite3")["sqlite3"]
    bare = pins.pins["sqlite3"].model_copy(
        update={"patches": None, "unpatched": "why", "fixes": ()}
    )
    assert lacking(apt, source.with_pin(pins, "sqlite3", bare), "sqlite3")["sqlite3"] >= SQLITE
    assert not with_patches & SQLITE


def test_a_pin_that_is_set_back_lacks_what_came_since(apt: Apt, pins: Pins) -> None:
    back = pins.pins["openssl"].model_copy(
        update={"package_version": "3.5.7-1~deb13u1", "fixes": ()}
    )
    found = lacking(apt, source.with_pin(pins, "openssl", back), "openssl")["openssl"]
    assert set(pins.pins["openssl"].fixes) <= found


def test_a_changelog_comes_from_a_binary_package_where_the_sources_are_not_handed_out(
    apt: Apt, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    download = Apt.download

    def without_sources(self: Apt, suite: str, located: Located, to: Path, *more: object) -> None:
        if ".debian.tar." in located.name:
            raise errors.ArchiveUnusable("this mirror lacks it")
        taken.append(located.name)
        download(self, suite, located, to, *more)  # type: ignore[arg-type]  # the rest as it came

    monkeypatch.setattr(Apt, "download", without_sources)
    assert not lacking(apt, pins, "sqlite3")["sqlite3"] & SQLITE
    assert taken
    assert taken[-1].endswith(".deb")


def test_a_changelog_that_is_known_is_not_fetched_again(
    apt: Apt, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [one for one in changelog_index.pinned(pins) if one.component in ("musl", "rust")]
    first = changelog_index.ask(every, apt, before=None, now=1.0)
    monkeypatch.setattr(Apt, "download", None)
    second = changelog_index.ask(every, apt, before=first, now=2.0)
    assert second == Known(asked=2.0, packages=first.packages)
    assert {one.slot for one in every} == set(second.packages)
