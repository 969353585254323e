"""Which fixes pins lack, by changelogs of a test's own."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.cache import layout
from muslin.models import declaration
from muslin.models.pin_files import PinSet
from muslin.sources import advisories, changelog_index
from muslin.sources import errors as source_errors
from muslin.sources.advisories import Accepted, Found, Policy, Support
from muslin.sources.changelog import Entry
from muslin.sources.changelog_index import Known, Package, Pinned

PINS = Path(__file__).resolve().parents[3] / "recipes" / "pins"
TODAY = datetime.date(2026, 11, 29)
ENTRIES = (
    Entry(version="1.0-4", cves=("CVE-2026-0004",)),
    Entry(version="1.0-3", cves=("CVE-2026-0003", "CVE-2026-0004")),
    Entry(version="1.0-2", cves=("CVE-2026-0002",)),
    Entry(version="1.0-1", cves=("CVE-2026-0001",)),
)
KNOWN = Known(asked=0.0, packages={"demo/trixie": Package(newest="1.0-4", entries=ENTRIES)})


def pinned(version: str, *, patched: bool = True, fixes: tuple[str, ...] = ()) -> Pinned:
    return Pinned(
        component="demo",
        package="demo",
        kind="source",
        suite="trixie",
        version=version,
        patched=patched,
        fixes=fixes,
    )


def found(one: Pinned, *accepted: Accepted) -> dict[str, tuple[str, str]]:
    """CVE -> the version that fixes it, and why it is accepted."""
    rows = advisories.lacking(
        [one], KNOWN, accepted, is_newer=lambda left, right: left > right, today=TODAY
    )
    return {row.cve: (row.fixed_in, row.reason) for row in rows}


def test_the_newest_version_lacks_nothing() -> None:
    assert found(pinned("1.0-4")) == {}


def test_a_pin_set_back_lacks_what_came_after_it() -> None:
    assert found(pinned("1.0-2")) == {
        "CVE-2026-0003": ("1.0-3", ""),
        "CVE-2026-0004": ("1.0-3", ""),  # the first version that names it
    }


def test_a_source_without_the_packages_patches_lacks_them_too() -> None:
    assert found(pinned("1.0-3", patched=False)) == {
        "CVE-2026-0002": ("1.0-3", ""),
        "CVE-2026-0003": ("1.0-3", ""),
        "CVE-2026-0004": ("1.0-3", ""),
    }


def test_what_a_pin_says_to_fix_is_not_lacking() -> None:
    assert found(pinned("1.0-3", patched=False, fixes=("CVE-2026-0002", "CVE-2026-0003"))) == {
        "CVE-2026-0004": ("1.0-3", "")
    }


@pytest.mark.parametrize(
    ("accepted", "reason"),
    [
        (Accepted(component="demo", reason="why"), "why"),
        (Accepted(component="demo", cves=("CVE-2026-0004",), reason="why"), "why"),
        (Accepted(component="demo", reason="why", until=TODAY), "why"),
        (Accepted(component="other", reason="why"), ""),
        (Accepted(component="demo", cves=("CVE-2026-0002",), reason="why"), ""),
        (Accepted(component="demo", reason="why", until=datetime.date(2026, 11, 28)), ""),
    ],
)
def test_what_is_accepted_has_a_reason_and_perhaps_an_end(accepted: Accepted, reason: str) -> None:
    assert found(pinned("1.0-3"), accepted) == {"CVE-2026-0004": ("1.0-4", reason)}


def test_a_series_without_support_is_told() -> None:
    support = (
        Support(component="demo", series="1", until=datetime.date(2026, 11, 28), source="a page"),
        Support(component="demo", series="10", until=datetime.date(2020, 1, 1), source="a page"),
        Support(component="demo", series="1", until=TODAY, source="another page"),
        Support(component="demo", series="1", source="no date"),
        Support(
            component="demo",
            series="1",
            until=datetime.date(2020, 1, 1),
            source="accepted",
            accepted="why",
        ),
    )
    (one,) = advisories.ended([pinned("1.0-4")], support, today=TODAY)
    assert (one.series, one.until, one.source) == ("1", "2026-11-28", "a page")


def test_the_summary_is_about_what_is_open() -> None:
    rows = advisories.lacking(
        [pinned("1.0-2")],
        KNOWN,
        [Accepted(component="demo", cves=("CVE-2026-0003",), reason="why")],
        is_newer=lambda left, right: left > right,
        today=TODAY,
    )
    answer = Found(asked=0.0, pinned=[pinned("1.0-2")], lacking=rows, ended=[])
    assert answer.summary == "demo 1.0-2 lacks the fixes of CVE-2026-0004"
    assert answer.open == 1
    assert answer.among({"demo"}) == answer
    assert answer.among({"other"}).summary == ""
    data = json.loads(json.dumps(answer.as_data()))
    assert [row["cve"] for row in data["open"]] == ["CVE-2026-0004"]
    assert [row["reason"] for row in data["accepted"]] == ["why"]
    text = "\n".join(answer.lines())
    assert "demo 1.0-2: 1 OPEN: CVE-2026-0004" in text
    assert "demo 1.0-2: 1 accepted (CVE-2026-0003): why" in text


def test_what_the_archive_said_is_kept(tmp_path: Path) -> None:
    assert changelog_index.load(tmp_path) is None
    changelog_index.save(tmp_path, KNOWN)
    assert changelog_index.load(tmp_path) == KNOWN
    for damaged in ("", "[]", '{"asked": 1, "packages": {"a": {}}}'):
        (tmp_path / layout.ADVISORIES).write_text(damaged)
        assert changelog_index.load(tmp_path) is None


def test_no_flipped_bit_of_what_the_archive_said_is_believed(tmp_path: Path) -> None:
    changelog_index.save(tmp_path, KNOWN)
    path = tmp_path / layout.ADVISORIES
    sound = path.read_bytes()
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        assert changelog_index.load(tmp_path) in (None, KNOWN)
    table = json.loads(sound)
    del table["sha256"]  # as older versions wrote it
    path.write_text(json.dumps(table))
    assert changelog_index.load(tmp_path) == KNOWN


def test_a_failure_that_cannot_be_remembered_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / layout.ADVISORIES_FAILED).symlink_to(layout.ADVISORIES_FAILED)
    assert not changelog_index.failed_lately(tmp_path, time.time())
    changelog_index.remember_failure(tmp_path)
    assert changelog_index.failed_lately(tmp_path, time.time())
    changelog_index.remember_failure(tmp_path / "lost")


def test_the_archive_is_asked_once_a_day() -> None:
    every = [pinned("1.0-4")]
    assert not changelog_index.is_fresh(None, every, 0.0)
    assert changelog_index.is_fresh(KNOWN, every, changelog_index.DAY - 1)
    assert not changelog_index.is_fresh(KNOWN, every, changelog_index.DAY)
    assert not changelog_index.is_fresh(KNOWN, every, -1.0), "the clock was set back"
    other = dataclasses.replace(pinned("1.0-4"), package="other")
    assert not changelog_index.is_fresh(KNOWN, [*every, other], 1.0), (
        "it was not asked about this one"
    )


def test_what_the_archive_was_not_asked_about_is_not_said_to_be_fixed() -> None:
    other = dataclasses.replace(pinned("1.0-4"), component="other", package="other")
    with pytest.raises(source_errors.NotAsked, match="changelogs of other yet"):
        advisories.lacking([other], KNOWN, (), is_newer=lambda *_: False, today=TODAY)


def test_a_release_beyond_the_changelog_is_not_compared() -> None:
    releases = [
        dataclasses.replace(pinned(version), component=version, release=True)
        for version in ("0.9", "1.0", "1.1")
    ]
    found = advisories.beyond(releases, KNOWN, is_newer=lambda left, right: left > right)
    assert [one.component for one in found] == ["1.1"]


def test_what_is_accepted_for_some_time_is_told() -> None:
    rows = advisories.lacking(
        [pinned("1.0-2")],
        KNOWN,
        [Accepted(component="demo", reason="why", until=TODAY)],
        is_newer=lambda left, right: left > right,
        today=TODAY,
    )
    answer = Found(asked=0.0, pinned=[], lacking=rows, ended=[])
    assert answer.summary == ""
    assert answer.accepted == "fixes lacking and accepted for now: 2 of demo 1.0-2"


def test_the_policy_is_about_pins_that_there_are() -> None:
    policy = advisories.policy(PINS)
    names = {*declaration.read(PINS / "debian.toml", PinSet).pins, "rust"}
    assert {one.component for one in policy.accepted} <= names
    assert {one.component for one in policy.support} <= names
    assert {"openssl", "curl", "sqlite3", "musl", "gcc", "rust"} <= {
        one.component for one in policy.support
    }


def test_a_policy_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "advisories.toml").write_text('[[accepted]]\ncomponent = "openssl"\n')
    with pytest.raises(engine_errors.BadDeclaration, match=r"accepted\.0\.reason"):
        declaration.read(tmp_path / "advisories.toml", Policy)


def test_a_projects_release_is_compared_with_the_releases_of_the_package() -> None:
    entries = (
        Entry(version="1:2.1-1", cves=("CVE-2026-0021",)),
        Entry(version="1:2.0-3", cves=("CVE-2026-0203",)),
        Entry(version="1:2.0-1", cves=("CVE-2026-0020",)),  # the release's own
    )
    known = Known(asked=0.0, packages={"demo/trixie": Package(newest="1:2.1-1", entries=entries)})
    debian = declaration.read(PINS / "debian.toml", PinSet).pins["zlib"]
    pins = {"demo": debian.model_copy(update={"package": "demo"})}
    for version, fixes, lacks in (
        ("2.0", (), {"CVE-2026-0203", "CVE-2026-0021"}),
        ("2.0", ("CVE-2026-0203",), {"CVE-2026-0021"}),
        ("2.1", (), set[str]()),
    ):
        every = changelog_index.released(
            {"demo": (version, fixes), "own": ("1", ())}, pins, "trixie"
        )
        rows = advisories.lacking(
            every, known, (), is_newer=lambda left, right: left > right, today=TODAY
        )
        assert {row.cve for row in rows} == lacks
