"""What the archive has in the place of a pin: the newest of its series with its patches, and groups
of packages with all that they depend on."""

from __future__ import annotations

import fnmatch
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.archive.located import Located
from muslin.engine.formats import patch_series, unpack
from muslin.engine.source import ArchiveFile, Source
from muslin.models import pin_files
from muslin.models.pin_files import Group, Patches, Pin
from muslin.sources import changelog
from muslin.sources import errors as source_errors

Note = Callable[[str], None]
Obtain = Callable[[Source], Path]
"""Download a file and return where it is; raises `PipelineError`."""
NO_SERIES = "Debian has no patches for it in this version"


def resolve(
    archive: Archive,
    candidates: Iterable[tuple[str, ...]],
    presumed: tuple[str, ...] | None = None,
) -> Group:
    """The first packages that the archive knows, with all they depend on, less what is `presumed`
    to be there; by default what a build host has."""
    candidates = tuple(candidates)
    for ask in candidates:
        suite, packages = pin_files.suite_of(ask), [word.partition("/")[0] for word in ask]
        if all(archive.versions(suite, package, "binary") for package in packages):
            located = archive.closure(suite, packages, presumed=presumed)
            return Group.model_validate(
                {
                    "ask": ask,
                    "presumed": presumed,
                    "packages": tuple(_package(one) for one in located),
                }
            )
    names = " or ".join(" ".join(ask) for ask in candidates)
    raise source_errors.NotInArchive(names, "of any version", "one", ())


# Long: one loop, with each reason to pass a version over.
def newest(archive: Archive, suite: str, pin: Pin, note: Note, *, obtain: Obtain) -> Pin:
    """The newest of a pin's series whose files the archive hands out, with its patches.

    An index may name a version before every mirror has its files: such a version is passed over
    with a note. Never one that is older than the pin, which would open what its fixes closed.
    Raises `NotInArchive`.
    """
    there = archive.versions(suite, pin.package, pin.kind)
    for version in there:
        if version != pin.package_version and not archive.is_newer(version, pin.package_version):
            break  # they are listed newest first
        upstream = changelog.upstream(version)
        if pin.series != "*" and not f"{upstream}.".startswith(f"{pin.series}."):
            continue
        files = archive.files(suite, pin.package, version, pin.kind)
        located = _one_part(files, _part(pin.file))
        if located is None:  # that version is made up of other files
            continue
        if (version, located.sha256) == (pin.package_version, pin.sha256):
            return pin
        update = {
            "version": upstream,
            "package_version": version,
            "file": located.name,
            "size": located.size,
            "sha256": located.sha256,
        }
        try:
            obtain(_source(suite, pin.kind, located))
            # Of a package that holds sources nobody can tell here what its patches fix.
            update["fixes"] = ()
            if pin.kind == "source":
                update |= _patched(suite, pin, version, files, obtain)
        except (
            fetch_errors.ArchiveUnusable,
            fetch_errors.NoNetwork,
            source_errors.NoPatches,
        ) as error:
            why = str(error).splitlines()[0].rstrip(":")
            note(f"{pin.package} {version} is passed over: {why}")
            continue
        return pin.model_copy(update=update)
    raise source_errors.NotInArchive(pin.package, pin.package_version, pin.series, there)


def _patched(
    suite: str, pin: Pin, version: str, files: Sequence[Located], obtain: Obtain
) -> dict[str, object]:
    """The fields of a pin that say how its sources are patched, and what that fixes."""
    located = _one_part(files, ".debian.tar")
    if located is None:
        raise source_errors.NoPatches(pin.package, version)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        unpack.unpack(obtain(_source(suite, pin.kind, located)), root)
        known = changelog.entries((root / "debian/changelog").read_text(encoding="utf-8"))
        old = pin.patches or Patches()
        try:
            there = patch_series.ordered(root / old.folder)
        except patch_series.Unexplained:
            there = []
    if not there:
        return {"patches": None, "unpatched": NO_SERIES, "fixes": ()}
    new = old.model_copy(
        update={
            "file": located.name,
            "size": located.size,
            "sha256": located.sha256,
            "left_out": {
                pattern: why
                for pattern, why in old.left_out.items()
                if fnmatch.filter(there, pattern)
            },
        }
    )
    return {"patches": new, "unpatched": "", "fixes": changelog.on_top(known, version)}


def _one_part(files: Iterable[Located], part: str) -> Located | None:
    return next((one for one in files if _part(one.name) == part), None)


def _source(suite: str, kind: Literal["binary", "source"], located: Located) -> Source:
    origin = ArchiveFile(suite=suite, package=located.package, version=located.version, kind=kind)
    return Source(name=located.name, sha256=located.sha256, size=located.size, origins=(origin,))


def _package(located: Located) -> dict[str, str | int]:
    return {
        "name": located.package,
        "version": located.version,
        "file": located.name,
        "size": located.size,
        "sha256": located.sha256,
    }


def _part(name: str) -> str:
    """Which file of a source package: `.orig.tar`, `.debian.tar`; `.deb` for a package.

    The compression may change from version to version. A signature is another file.
    """
    match = re.search(r"(\.orig\.tar|\.debian\.tar)\.(?:xz|gz|bz2|zst)$", name)
    return match[1] if match else Path(name).suffix
