"""Which fixes of the archive a build lacks, by the changelogs of what is pinned."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from muslin.models import declaration
from muslin.models.declaration import Declaration
from muslin.models.pin_files import Cve, Text
from muslin.sources import changelog, errors
from muslin.sources.changelog import Entry
from muslin.sources.changelog_index import Known, Pinned

SHOWN = 20
"""Accepted CVEs of a component that are named to people."""


class Accepted(Declaration):
    """Fixes that a build lacks knowingly."""

    component: Text
    cves: tuple[Cve, ...] = ()
    """Those it is about; all of the component's where none are named."""
    reason: Text
    until: datetime.date | None = None
    """The last day on which it holds; for good where it is left out."""


class Support(Declaration):
    """How long a series gets fixes from its project."""

    component: Text
    series: Text
    until: datetime.date | None = None
    """The last day; None where the project names none."""
    note: str = ""
    source: Text
    """Where that is written."""
    accepted: str = ""
    """Why it is used all the same once that day is over."""


class Located(Declaration):
    """Where the code of a fault is: a program without these objects does not have it."""

    component: Text
    cves: Annotated[tuple[Cve, ...], Field(min_length=1)]
    objects: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Patterns of all members of its archives that the fix changes: `libssl-lib-quic_*.o`."""
    source: Text
    """Where that can be read, such as the fix itself."""


class Policy(Declaration):
    """`recipes/pins/advisories.toml`."""

    accepted: tuple[Accepted, ...] = ()
    support: tuple[Support, ...] = ()
    located: tuple[Located, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Advisory:
    """A fixed CVE that a build lacks."""

    component: str
    cve: str
    pinned: str
    fixed_in: str
    """The first version of the package that fixes it."""
    reason: str = ""
    """Why it is accepted; empty if it is open."""
    until: str = ""
    """The last day on which it is; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A series that gets no fixes any more."""

    component: str
    series: str
    until: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer for the pins of one run."""

    asked: float
    """When the archive was asked, seconds since 1970."""
    pinned: Sequence[Pinned]
    lacking: Sequence[Advisory]
    ended: Sequence[Ended]
    beyond: Sequence[Pinned] = ()
    """Releases that are newer than all that the archive's changelogs are about."""

    def among(self, components: Container[str]) -> Found:
        """What of it is about these."""
        return replace(
            self,
            pinned=[one for one in self.pinned if one.component in components],
            lacking=[row for row in self.lacking if row.component in components],
            ended=[one for one in self.ended if one.component in components],
        )

    @property
    def summary(self) -> str:
        """What is open in one line; empty if nothing is."""
        parts = [
            f"{name} {version} lacks the fixes of {', '.join(cves)}"
            for name, version, cves in self._by_component(lambda row: not row.reason)
        ]
        parts += [
            f"{one.component} {one.series} has no support since {one.until}" for one in self.ended
        ]
        return "; ".join(parts)

    @property
    def accepted(self) -> str:
        """What is accepted for some time in one line; empty if nothing is."""
        rows = self._by_component(lambda row: bool(row.until))
        parts = [f"{len(cves)} of {name} {version}" for name, version, cves in rows]
        return f"fixes lacking and accepted for now: {', '.join(parts)}" if parts else ""

    def lines(self) -> Iterator[str]:
        """All of it for people."""
        for one in self.beyond:
            yield f"{one.component} {one.version}: newer than the archive's, cannot be compared"
        for one in self.pinned:
            if one.fixes:
                yield f"{one.component} {one.version}: {len(one.fixes)} CVEs fixed by its patches"
        for name, version, cves in self._by_component(lambda row: bool(row.reason)):
            reasons = {row.reason for row in self.lacking if row.component == name and row.reason}
            shown = ", ".join(cves[:SHOWN]) + (", …" if len(cves) > SHOWN else "")
            untils = {row.until for row in self.lacking if row.component == name and row.until}
            until = f" until {', '.join(sorted(untils))}" if untils else ""
            why = "; ".join(sorted(reasons))
            yield f"{name} {version}: {len(cves)} accepted{until} ({shown}): {why}"
        for name, version, cves in self._by_component(lambda row: not row.reason):
            yield f"{name} {version}: {len(cves)} OPEN: {', '.join(cves)}"
        for over in self.ended:
            yield f"{over.component} {over.series}: no support since {over.until} ({over.source})"
        asked = datetime.datetime.fromtimestamp(self.asked).astimezone()
        yield f"the archive was asked {asked:%Y-%m-%d %H:%M}; open: {self.open}"

    @property
    def open(self) -> int:
        """CVEs that are neither fixed nor accepted."""
        return sum(not row.reason for row in self.lacking)

    def as_data(self) -> dict[str, Any]:
        """All of it for machines."""
        asked = datetime.datetime.fromtimestamp(self.asked, datetime.UTC)
        return {
            "asked": asked.isoformat(timespec="seconds"),
            "pinned": [asdict(one) for one in self.pinned],
            "open": [asdict(row) for row in self.lacking if not row.reason],
            "accepted": [asdict(row) for row in self.lacking if row.reason],
            "ended": [asdict(one) for one in self.ended],
            "not_compared": [one.component for one in self.beyond],
        }

    def _by_component(self, wanted: Callable[[Advisory], bool]) -> list[tuple[str, str, list[str]]]:
        """Component, its version and the CVEs of the rows that are wanted."""
        found: dict[tuple[str, str], list[str]] = {}
        for row in self.lacking:
            if wanted(row):
                found.setdefault((row.component, row.pinned), []).append(row.cve)
        return [(name, version, cves) for (name, version), cves in found.items()]


def policy(folder: Path) -> Policy:
    """What is accepted, and until when series are supported."""
    return declaration.read(folder / "advisories.toml", Policy)


def lacking(
    every: Iterable[Pinned],
    known: Known,
    accepted: Sequence[Accepted],
    *,
    is_newer: Callable[[str, str], bool],
    today: datetime.date,
) -> list[Advisory]:
    """Every CVE that the archive has a fix for and the pins do not.

    Raises `NotAsked` if the archive was never asked about one of them.
    """
    every = list(every)
    if missing := [one.component for one in every if one.slot not in known.packages]:
        raise errors.NotAsked(missing)
    found = []
    for one in every:
        for cve, version in _open(one, known.packages[one.slot].entries, is_newer).items():
            accepting = _accepting(one.component, cve, accepted, today)
            found.append(
                Advisory(
                    component=one.component,
                    cve=cve,
                    pinned=one.version,
                    fixed_in=version,
                    reason=accepting.reason if accepting else "",
                    until=accepting.until.isoformat() if accepting and accepting.until else "",
                )
            )
    return found


def beyond(
    every: Iterable[Pinned], known: Known, *, is_newer: Callable[[str, str], bool]
) -> list[Pinned]:
    """Releases that no changelog is about: they are newer than all that the archive has."""
    return [
        one
        for one in every
        if one.release
        and one.slot in known.packages
        and all(
            is_newer(one.version, changelog.upstream(entry.version))
            for entry in known.packages[one.slot].entries
        )
    ]


def ended(
    every: Iterable[Pinned], support: Iterable[Support], *, today: datetime.date
) -> list[Ended]:
    """The series in use whose support has ended."""
    versions = {one.component: changelog.upstream(one.version) for one in every}
    return [
        Ended(
            component=one.component,
            series=one.series,
            until=one.until.isoformat(),
            source=one.source,
        )
        for one in support
        if one.until is not None
        and one.until < today
        and not one.accepted
        and f"{versions.get(one.component, '')}.".startswith(f"{one.series}.")
    ]


def _open(
    one: Pinned, entries: Sequence[Entry], is_newer: Callable[[str, str], bool]
) -> dict[str, str]:
    """CVE -> the first version that fixes it, of those that the pin lacks."""
    found: dict[str, str] = {}
    for entry in entries:  # newest first, so that the oldest mention stays
        version = changelog.upstream(entry.version) if one.release else entry.version
        if entry.cves and is_newer(version, one.version):
            found |= dict.fromkeys(entry.cves, entry.version)
    if one.release:
        packages = [e for e in entries if changelog.upstream(e.version) == one.version]
        for entry in packages[:-1]:  # what a package fixes on top of this release
            found |= dict.fromkeys(entry.cves, entry.version)
    if not one.patched:
        # What the package fixes by patches is not fixed in what is built.
        found |= dict.fromkeys(changelog.on_top(entries, one.version), one.version)
    return {cve: found[cve] for cve in changelog.in_order(found) if cve not in one.fixes}


def _accepting(
    component: str, cve: str, accepted: Sequence[Accepted], today: datetime.date
) -> Accepted | None:
    """What accepts it today."""
    for one in accepted:
        about = one.component == component and (not one.cves or cve in one.cves)
        if about and (one.until is None or today <= one.until):
            return one
    return None
