"""Changelogs of Debian packages: versions, the CVEs they name, and what is fixed on top."""

from __future__ import annotations

import pytest

from muslin.sources import changelog
from muslin.sources.changelog import Entry

TEXT = """\
openssl (3.5.7-1~deb13u2) trixie-security; urgency=medium

  * CVE-2026-63076 ("with a title (in brackets) that wraps
    over a line") (Closes: #1145172)
  * CVE-2026-9999 and CVE-2026-63076 again

 -- Somebody <somebody@example.org>  Sun, 23 Aug 2026 17:26:22 +0200

openssl (3.5.7-1~deb13u1) trixie; urgency=medium

  * Import 3.5.7
    - CVE-2026-0007

 -- Somebody <somebody@example.org>  Sat, 18 Jul 2026 22:55:34 +0200

openssl (3.5.6-1) unstable; urgency=medium

  * Fix CVE-2025-1111 (see openssl (3.5.5-1) unstable for more).

 -- Somebody <somebody@example.org>  Fri, 17 Jul 2026 22:55:34 +0200
"""
ENTRIES = [
    Entry(version="3.5.7-1~deb13u2", cves=("CVE-2026-9999", "CVE-2026-63076")),
    Entry(version="3.5.7-1~deb13u1", cves=("CVE-2026-0007",)),
    Entry(version="3.5.6-1", cves=("CVE-2025-1111",)),
]


@pytest.mark.parametrize(
    "line",
    ["Revert the fix of CVE-2026-1111.", "Not affected by CVE-2026-1111", "drop CVE-2026-1111"],
)
def test_a_version_does_not_fix_whatever_it_names(line: str) -> None:
    text = TEXT.replace("  * CVE-2026-9999", f"  * {line}\n  * CVE-2026-9999")
    assert changelog.entries(text) == ENTRIES


def test_versions_and_their_cves() -> None:
    assert changelog.entries(TEXT) == ENTRIES
    assert changelog.entries("") == []


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ("3.5.7-1~deb13u2", ("CVE-2026-9999", "CVE-2026-63076")),
        ("3.5.7-1~deb13u1", ()),  # what the release itself fixes
        ("3.5.6-1", ()),
        ("9.9-1", ()),
    ],
)
def test_what_patches_fix_on_top_of_the_release(version: str, fixed: tuple[str, ...]) -> None:
    assert changelog.on_top(ENTRIES, version) == fixed


def test_cves_are_in_the_order_of_their_numbers() -> None:
    said = ("CVE-2026-10000", "CVE-2026-9999", "CVE-2025-99999", "CVE-2026-9999")
    assert changelog.in_order(said) == ("CVE-2025-99999", "CVE-2026-9999", "CVE-2026-10000")
