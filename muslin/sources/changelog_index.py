"""The changelogs of what is pinned, asked for in the archive, and what they said.

It is kept in the cache, so a later question needs no network:

    <cache>/advisories.json     when it was asked, and of each package its versions with their CVEs
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from muslin.engine import errors as engine_errors
from muslin.engine.cache import layout
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.archive.located import Located
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError, Text
from muslin.engine.formats import unpack
from muslin.models.pin_files import Pin
from muslin.models.pins import Pins
from muslin.sources import changelog
from muslin.sources import errors as source_errors
from muslin.sources.changelog import CVE, Entry

NO_RELEASE = ("ca-certificates", "linux-headers")
"""Components that have another version in each source set."""
DAY = 24 * 60 * 60.0


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


def ask(every: Iterable[Pinned], archive: Archive, *, before: Known | None, now: float) -> Known:
    """Ask the archive for every pinned package. A changelog of a version that is known already is
    not fetched again.

    Raises `ArchiveUnreachable`, `ArchiveUnusable`.
    """
    packages = dict(before.packages) if before else {}
    for one in every:
        there = archive.versions(one.suite, one.package, one.kind)
        if not there:
            raise source_errors.NotInArchive(one.package, one.version, "of any version", there)
        newest = there[0]
        known = packages.get(one.slot)
        if known is None or known.newest != newest:
            packages[one.slot] = Package(newest=newest, entries=_entries(archive, one, newest))
    return Known(asked=now, packages=packages)


Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9.+:~-]+$")]
"""deb-version(7)."""
END_OF_TIME = 253_402_300_800
"""Seconds from 1970 to the year 10000, which `datetime` does not know."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _PackageFile(_Model):
    newest: Version
    entries: tuple[
        tuple[Version, tuple[Annotated[str, Field(pattern=f"^{CVE.pattern}$")], ...]], ...
    ]


class _KnownFile(_Model):
    """`advisories.json`; a file that an older version of Muslin wrote has no digest."""

    asked: Annotated[float, Field(ge=0, lt=END_OF_TIME, allow_inf_nan=False)]
    packages: dict[Text, _PackageFile]
    sha256: Text = ""


SHAPE = TypeAdapter(_KnownFile)


def load(cache: Path) -> Known | None:
    """What the archive said when it was asked last; None if that is not known, or its file is
    damaged: the archive is asked again."""
    try:
        file = atomic.parsed(atomic.read(cache / layout.ADVISORIES), SHAPE, layout.ADVISORIES)
    except (OSError, DamagedError):
        return None
    if file.sha256 not in ("", _digest(file.model_dump(mode="json", exclude={"sha256"}))):
        return None
    return Known(
        asked=file.asked,
        packages={
            name: Package(
                newest=package.newest,
                entries=tuple(
                    Entry(version=version, cves=cves) for version, cves in package.entries
                ),
            )
            for name, package in file.packages.items()
        },
    )


def save(cache: Path, known: Known) -> None:
    """Keep it for later questions."""
    table: dict[str, object] = {
        "asked": known.asked,
        "packages": {
            name: {
                "newest": package.newest,
                "entries": [[entry.version, list(entry.cves)] for entry in package.entries],
            }
            for name, package in known.packages.items()
        },
    }
    atomic.write(cache / layout.ADVISORIES, json.dumps({**table, "sha256": _digest(table)}))


def _digest(table: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def is_fresh(known: Known | None, every: Iterable[Pinned], now: float) -> bool:
    """Whether the archive was asked within a day about all of them."""
    if known is None or not 0 <= now - known.asked < DAY:
        return False
    return all(one.slot in known.packages for one in every)


def failed_lately(cache: Path, now: float) -> bool:
    """Whether the archive was asked in vain within a day."""
    try:
        return 0 <= now - (cache / layout.ADVISORIES_FAILED).stat().st_mtime < DAY
    except OSError:
        return False


def remember_failure(cache: Path) -> None:
    """Do not ask again for a day, if the disk has room to remember that."""
    with suppress(OSError):
        atomic.write(cache / layout.ADVISORIES_FAILED, "")


def _entries(archive: Archive, one: Pinned, version: str) -> tuple[Entry, ...]:
    """The changelog of the newest version of a package: from its source package's archive of
    Debian's files, or from a binary package that was built of it. Its first entry is that version.
    """
    built_from = re.sub(r"\+b\d+$", "", version)  # built again for a library's sake
    faults: list[str] = []
    for located in _holders(archive, one, version, built_from):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, located.name)
            try:
                archive.download(one.suite, located, path, lambda _: None)
            except fetch_errors.ArchiveUnusable as error:
                faults.append(str(error))
                continue
            entries = changelog.entries(_text_in(path))
        if entries and entries[0].version == built_from:
            return tuple(entries)
        faults.append(f"{located.name} holds no changelog of {built_from}")
    why = "\n".join(faults) or "it has no files"
    raise fetch_errors.ArchiveUnusable(f"there is no changelog of {one.package} {version}", why)


def _holders(archive: Archive, one: Pinned, version: str, built_from: str) -> Iterator[Located]:
    """Files that may hold the changelog, small ones first."""
    binary = one.kind == "binary"
    source = archive.source_of(one.suite, one.package) if binary else one.package
    for located in archive.files(one.suite, source, built_from, "source"):
        if ".debian.tar." in located.name:
            yield located
    if binary:
        yield from archive.files(one.suite, one.package, version, "binary")
    else:
        yield from archive.built_from(one.suite, one.package, version)


def _text_in(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        where = "usr/share/doc" if path.suffix == ".deb" else "debian/changelog"
        try:
            unpack.unpack(path, root, only=(where,))
        except engine_errors.BrokenArchive:
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
