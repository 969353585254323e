"""The Release file of a suite: dates, and the digests of its indexes.

Format: "DebianRepository/Format" in the wiki of Debian.
"""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass

from debian import deb822

from muslin.engine.fetch.failures import Fault

AHEAD = datetime.timedelta(days=1)
"""How far a clock may be behind the archive's."""
SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_INDEX = 400_000_000
"""Bytes; the largest of Debian 13 has 56 million."""


@dataclass(frozen=True, kw_only=True)
class IndexFile:
    """An index as a Release file names it."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A signed Release file."""

    date: datetime.datetime
    by_hash: bool
    """Whether its indexes can be requested by digest, so that an update does not come between."""
    indexes: Mapping[str, IndexFile]
    """By path below the suite's directory."""


def parse(text: str, suite: str, *, now: datetime.datetime) -> Release:
    """Parse what a signature covers, and hold it to the suite and the clock.

    Raises `Fault` for another suite's file, one past its date, one of tomorrow, a broken one.
    """
    fields = deb822.Deb822(text)
    name = fields.get("Codename", "")
    if name != suite:
        raise Fault(f"serves the Release file of {name or 'no suite'!r:.60}", passing=False)
    date = _date(fields.get("Date", ""))
    if date > now + AHEAD:
        raise Fault(
            f"serves a Release file of the future ({date:%Y-%m-%d}); check this machine's clock",
            passing=False,
        )
    if (until := fields.get("Valid-Until")) and _date(until) < now:
        raise Fault(
            f"serves a Release file that expired ({_date(until):%Y-%m-%d}); the mirror is not "
            "updated any more, or this machine's clock is wrong",
            passing=False,
        )
    return Release(
        date=date,
        by_hash=fields.get("Acquire-By-Hash", "") == "yes",
        indexes=_indexes(fields.get("SHA256", "")),
    )


def _date(text: str) -> datetime.datetime:
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError as error:
        raise Fault(f"serves a Release file with the date {text!r:.60}", passing=False) from error
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


def _indexes(table: str) -> dict[str, IndexFile]:
    found = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) != 3:
            continue
        sha256, size, path = words
        if SHA256.fullmatch(sha256) and size.isdecimal() and int(size) <= LARGEST_INDEX:
            found[path] = IndexFile(sha256=sha256, size=int(size))
    return found
