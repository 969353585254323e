"""What happens when the archive has moved on: newer files of the same series, remembered.

The archive keeps no old versions. A run that finds a pinned file gone takes the newest of the same
series, says so, and writes it into its cache's run lock, so that the next run uses the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
import tomli_w

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.filesystem import atomic
from muslin.engine.source import ArchiveFile, Source
from muslin.models import declaration, pin_files
from muslin.models import pins as source
from muslin.models.pin_files import Group, HostLock, Moved, Pin, PinSet, RunLock
from muslin.models.pins import Pins
from muslin.sources import available, changelog
from muslin.sources import errors as source_errors
from muslin.sources.available import NO_SERIES, Note, Obtain

UNKNOWN_LICENCE = "NOASSERTION"
"""SPDX's word for it: the archive states no licence that a program could read."""


def settle(
    pins: Pins, wanted: Iterable[Source], archive: Archive, note: Note, *, obtain: Obtain
) -> Pins:
    """The pins under which every wanted source can be had; what moved is in the run lock."""
    origins = {
        (origin, one.name)
        for one in wanted
        for origin in one.origins
        if isinstance(origin, ArchiveFile)
    }
    gone = {origin for origin, name in origins if archive.locate(origin, name) is None}
    for name, pin in list(pins.pins.items()):
        if any((pin.package, pin.package_version) == (one.package, one.version) for one in gone):
            pins = _move(pins, name, archive, note, obtain)
    for name, group in list(pins.groups.items()):
        packages = {(group.suite, package.name, package.version) for package in group.packages}
        if any((one.suite, one.package, one.version) in packages for one in gone):
            note(f"{name}: the host's archive has moved on; taking what it has now")
            pins = _remember_group(
                pins, name, available.resolve(archive, pins.candidates[name], group.presumed)
            )
    return pins


def complete(pins: Pins, archive: Archive, note: Note) -> Pins:
    """Groups that no lock names, asked of the host's own archive."""
    for name, candidates in pins.candidates.items():
        if name not in pins.groups:
            note(f"{name}: no lock for {pins.host}; asking the host's archive")
            pins = _remember_group(pins, name, available.resolve(archive, candidates))
    return pins


# Long: every kind of pin once, so that one run moves all of them.
def relock(  # noqa: PLR0913  # named at the call
    folder: Path,
    archive: Archive,
    note: Note,
    *,
    host: str,
    obtain: Obtain,
    names: Sequence[str] = (),
) -> list[str]:
    """Move pins of a folder to the newest of their series, lock the host's groups and the kernels;
    all of them where no names are given. A name that has no pin yet gets one, from the source
    package of that name; those are returned."""
    path = folder / "debian.toml"
    pin_set = declaration.read(path, PinSet)
    candidates = declaration.read(folder / "host.toml", pin_files.Candidates).groups
    fixed = {
        file: declaration.read(folder / f"{file}.toml", pin_files.FixedGroups).groups
        for file in pin_files.FIXED
    }
    known = {*pin_set.pins, *candidates, *(name for groups in fixed.values() for name in groups)}
    wanted = set(names) or known
    new = sorted(wanted - known)
    pins = dict(pin_set.pins) | {name: _first(archive, pin_set.suite, name) for name in new}
    moved = {
        name: available.newest(archive, pin.suite or pin_set.suite, pin, note, obtain=obtain)
        if name in wanted
        else pin
        for name, pin in pins.items()
    }
    write(path, PinSet.model_validate({"suite": pin_set.suite, "pins": moved}), schema="pins")
    if asked := wanted & set(candidates):
        asks = {name: candidates[name] for name in asked}
        _lock_host(folder, archive, host, asks, note=note, obtain=obtain)
    for file, groups in fixed.items():
        moved_groups = {
            name: _if_had(
                name,
                available.resolve(archive, [group.ask], group.presumed),
                group,
                note,
                obtain=obtain,
            )
            for name, group in groups.items()
            if name in wanted
        }
        if moved_groups:
            lock = pin_files.FixedGroups(groups={**groups, **moved_groups})
            write(folder / f"{file}.toml", lock, schema="fixed-groups")
    return new


def _if_had(name: str, new: Group, old: Group | None, note: Note, *, obtain: Obtain) -> Group:
    """The new group if the archive hands out what is new in it, the old one otherwise: an index may
    name a version before every mirror has its files."""
    suite, known = pin_files.suite_of(new.ask), old.packages if old else ()
    for package in new.packages:
        if old is None or package in known:
            continue
        origin = ArchiveFile(
            suite=suite, package=package.name, version=package.version, kind="binary"
        )
        wanted = Source(
            name=package.file, sha256=package.sha256, size=package.size, origins=(origin,)
        )
        try:
            obtain(wanted)
        except (fetch_errors.ArchiveUnusable, fetch_errors.NoNetwork) as error:
            why = str(error).splitlines()[0].rstrip(":")
            note(f"{name} stays as it is: {why}")
            return old
    return new


def _lock_host(  # noqa: PLR0913  # named at the call
    folder: Path,
    archive: Archive,
    host: str,
    asked: Mapping[str, tuple[tuple[str, ...], ...]],
    *,
    note: Note,
    obtain: Obtain,
) -> None:
    release, architecture = host.rsplit("-", 1)
    path = folder / f"host-{host}.toml"
    known = declaration.read(path, HostLock).groups if path.exists() else {}
    new = {
        name: _if_had(name, available.resolve(archive, asks), known.get(name), note, obtain=obtain)
        for name, asks in sorted(asked.items())
    }
    groups = {**known, **new}
    lock = HostLock(release=release, architecture=architecture, groups=groups)
    write(path, lock, schema="host-lock")


def _first(archive: Archive, suite: str, name: str) -> Pin:
    """A pin for the newest version of a source package, before its file is known."""
    there = archive.versions(suite, name, "source")
    if not there:
        raise source_errors.NoSourcePackage(name, suite)
    upstream = changelog.upstream(there[0])
    return Pin.model_validate(
        {
            "version": upstream,
            "series": ".".join(upstream.split(".")[:2]),
            "licence": UNKNOWN_LICENCE,
            "package": name,
            "package-version": there[-1],  # any of them may be taken
            "kind": "source",
            "file": f"{name}_{upstream}.orig.tar.gz",
            "size": 1,
            "sha256": "0" * 64,
            "unpatched": NO_SERIES,
        }
    )


def _move(pins: Pins, name: str, archive: Archive, note: Note, obtain: Obtain) -> Pins:
    old = pins.pins[name]
    pin = available.newest(archive, old.suite or pins.suite, old, note, obtain=obtain)
    note(
        f"{name}: {old.package_version} has left the archive; using {pin.package_version} "
        "until the pin in recipes/pins/debian.toml moves"
    )
    with _amending(pins.run_lock) as lock:
        replaces = old.package_version
        if name in lock.moved and lock.moved[name].pin.package_version == replaces:
            replaces = lock.moved[name].replaces  # moved before: the repository's is meant
        moved = {**lock.moved, name: Moved(replaces=replaces, pin=pin)}
        write(pins.run_lock, lock.model_copy(update={"moved": moved}))
    return source.with_pin(pins, name, pin)


def _remember_group(pins: Pins, name: str, group: Group) -> Pins:
    release, architecture = pins.host.rsplit("-", 1)
    with _amending(pins.run_lock) as lock:
        known = lock.hosts[pins.host].groups if pins.host in lock.hosts else {}
        if (before := pins.groups.get(name)) is not None:
            # Moved before: the repository's is meant.
            replaces = before.replaces if known.get(name) == before else before.digest
            group = group.model_copy(update={"replaces": replaces})
        host = HostLock(release=release, architecture=architecture, groups={**known, name: group})
        hosts = {**lock.hosts, pins.host: host}
        write(pins.run_lock, lock.model_copy(update={"hosts": hosts}))
    return source.with_group(pins, name, group)


@contextmanager
def _amending(path: Path) -> Iterator[RunLock]:
    """The run lock as it stands, while no other run amends it."""
    with filelock.FileLock(path.with_name(f".{path.name}.lock")):
        yield source.remembered(path)


def write(path: Path, content: declaration.Declaration, *, schema: str = "") -> None:
    """Write a file of pins, or a run lock, with the schema that editors use."""
    head = f"#:schema ../../schemas/{schema}.json\n" if schema else ""
    table = content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = tomli_w.dumps(table)
    if isinstance(content, RunLock):
        text = tomli_w.dumps({"form": content.form, **table})
        head = f"{source.vouching(text)}\n"
    atomic.write(path, head + text)
