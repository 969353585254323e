"""Which fixes of the archive a build lacks: the changelogs of what is pinned, read and compared.

What the archive said is kept in the cache, so a later question needs no network:

    <cache>/advisories.json     when it was asked, and of each package its versions with their CVEs
"""

from __future__ import annotations

import datetime
import gzip
import json
import os
import re
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from recipes import changelog, declaration, errors
from recipes.changelog import Entry
from recipes.declaration import Declaration
from recipes.engine import archive
from recipes.engine.apt import Apt
from recipes.engine.apt_printed import Located
from recipes.source import Cve, Pin, Pins, Text

FILE = "advisories.json"
FAILED = ".advisories-failed"
NO_RELEASE = ("ca-certificates", "linux-headers")
"""Components that have another version in each source set."""
SHOWN = 20
"""Accepted CVEs of a component that are named to people."""
DAY = 24 * 60 * 60.0


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


class Policy(Declaration):
    """`recipes/pins/advisories.toml`."""

    accepted: tuple[Accepted, ...] = ()
    support: tuple[Support, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """One package whose fixes are looked for."""

    component: str
    package: str
    kind: Literal["binary", "source"]
    suite: str
    version: str
    patched: bool
    """Whether what is built has the package's patches."""
    fixes: tuple[str, ...] = ()
    release: bool = False
    """Whether `version` is a project's own, and not a package's."""

    @property
    def slot(self) -> str:
        """Its name among what the archive said."""
        return f"{self.package}/{self.suite}"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A source package of a release, as the archive had it when it was asked."""

    newest: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the archive said."""

    asked: float
    """Seconds since 1970."""
    packages: Mapping[str, Package]
    """By `package/suite`."""


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


def pinned(pins: Pins) -> list[Pinned]:
    """Everything whose fixes are looked for."""
    found = [
        Pinned(
            component=name,
            package=pin.package,
            kind=pin.kind,
            suite=pin.suite or pins.suite,
            version=pin.package_version,
            patched=pin.kind == "binary" or pin.patches is not None,
            fixes=pin.fixes,
        )
        for name, pin in sorted(pins.pins.items())
    ]
    rust = pins.groups.get("rust")
    sources = [one for one in rust.packages if one.name.endswith("-src")] if rust else []
    found += [  # std, which every Rust program has in it
        Pinned(
            component="rust",
            package=package.name,
            kind="binary",
            suite=rust.suite,
            version=package.version,
            patched=True,
        )
        for package in sources
        if rust
    ]
    return found


def released(
    versions: Mapping[str, tuple[str, tuple[str, ...]]], debian: Mapping[str, Pin], suite: str
) -> list[Pinned]:
    """Components that are built from their projects' releases, by version and fixes, as far as
    Debian has a package of them whose changelog they can be compared with."""
    return [
        Pinned(
            component=name,
            package=debian[name].package,
            kind=debian[name].kind,
            suite=debian[name].suite or suite,
            version=version,
            patched=True,
            fixes=fixes,
            release=True,
        )
        for name, (version, fixes) in sorted(versions.items())
        if name in debian and name not in NO_RELEASE
    ]


def ask(every: Iterable[Pinned], apt: Apt, *, before: Known | None, now: float) -> Known:
    """Ask the archive for every pinned package. A changelog of a version that is known already is
    not fetched again.

    Raises `ArchiveUnreachable`, `ArchiveUnusable`.
    """
    packages = dict(before.packages) if before else {}
    for one in every:
        there = apt.versions(one.suite, one.package, one.kind)
        if not there:
            raise errors.NotInArchive(one.package, one.version, "of any version", there)
        newest = there[0]
        known = packages.get(one.slot)
        if known is None or known.newest != newest:
            packages[one.slot] = Package(newest=newest, entries=_entries(apt, one, newest))
    return Known(asked=now, packages=packages)


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


def load(cache: Path) -> Known | None:
    """What the archive said when it was asked last; None if that is not known."""
    try:
        table = json.loads((cache / FILE).read_text(encoding="utf-8"))
        return Known(
            asked=float(table["asked"]),
            packages={
                name: Package(
                    newest=package["newest"],
                    entries=tuple(
                        Entry(version=version, cves=tuple(cves))
                        for version, cves in package["entries"]
                    ),
                )
                for name, package in table["packages"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(cache: Path, known: Known) -> None:
    """Keep it for later questions."""
    table = {
        "asked": known.asked,
        "packages": {
            name: {
                "newest": package.newest,
                "entries": [[entry.version, entry.cves] for entry in package.entries],
            }
            for name, package in known.packages.items()
        },
    }
    aside = cache / f".{FILE}.{os.getpid()}"
    aside.write_text(json.dumps(table), encoding="utf-8")
    aside.replace(cache / FILE)


def is_fresh(known: Known | None, every: Iterable[Pinned], now: float) -> bool:
    """Whether the archive was asked within a day about all of them."""
    if known is None or not 0 <= now - known.asked < DAY:
        return False
    return all(one.slot in known.packages for one in every)


def failed_lately(cache: Path, now: float) -> bool:
    """Whether the archive was asked in vain within a day."""
    try:
        return 0 <= now - (cache / FAILED).stat().st_mtime < DAY
    except FileNotFoundError:
        return False


def remember_failure(cache: Path) -> None:
    """Do not ask again for a day."""
    (cache / FAILED).touch()


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


def _entries(apt: Apt, one: Pinned, version: str) -> tuple[Entry, ...]:
    """The changelog of the newest version of a package: from its source package's archive of
    Debian's files, or from a binary package that was built of it. Its first entry is that version.
    """
    built_from = re.sub(r"\+b\d+$", "", version)  # built again for a library's sake
    faults: list[str] = []
    for located in _holders(apt, one, version, built_from):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, located.name)
            try:
                apt.download(one.suite, located, path, lambda _: None)
            except errors.ArchiveUnusable as error:
                faults.append(str(error))
                continue
            entries = changelog.entries(_text_in(path))
        if entries and entries[0].version == built_from:
            return tuple(entries)
        faults.append(f"{located.name} holds no changelog of {built_from}")
    why = "\n".join(faults) or "it has no files"
    raise errors.ArchiveUnusable(f"there is no changelog of {one.package} {version}", why)


def _holders(apt: Apt, one: Pinned, version: str, built_from: str) -> Iterator[Located]:
    """Files that may hold the changelog, small ones first."""
    binary = one.kind == "binary"
    source = apt.source_of(one.suite, one.package) if binary else one.package
    for located in apt.files(one.suite, source, built_from, "source"):
        if ".debian.tar." in located.name:
            yield located
    if binary:
        yield from apt.files(one.suite, one.package, version, "binary")
    else:
        yield from apt.built_from(one.suite, one.package, version)


def _text_in(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        where = "usr/share/doc" if path.suffix == ".deb" else "debian/changelog"
        try:
            archive.unpack(path, root, only=(where,))
        except errors.BrokenArchive:
            return ""
        plain = [root / "debian/changelog"]
        # A native package has no other changelog beside Debian's.
        packed = (
            root.glob(f"usr/share/doc/*/{name}") for name in ("changelog.Debian.gz", "changelog.gz")
        )
        for file in (*plain, *(path for paths in packed for path in sorted(paths))):
            if file.is_file() and not file.is_symlink():
                content = file.read_bytes()
                if file.suffix == ".gz":
                    content = gzip.decompress(content)
                return content.decode("utf-8", "replace")
    return ""
