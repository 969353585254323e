"""`dist/`: what users take away, each file copied from the store and listed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from muslin.dist import errors as dist_errors
from muslin.dist.reports import Report
from muslin.engine import errors as engine_errors
from muslin.engine.cache.manifest import Manifest
from muslin.engine.cache.store import Entry, Store
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.content import file_digest
from muslin.engine.filesystem.verified_copy import place
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign
from muslin.models.pins import Component
from muslin.models.target import Target

LISTING, SUMS = "manifest.json", "SHA256SUMS"
"""The lists of `dist/`."""


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One file of `dist/`."""

    path: str
    sha256: str
    bytes: int
    target: str
    """Name of the target; empty for what serves several."""
    stage_key: str
    source_set: str
    contains: list[dict[str, Any]] = field(default_factory=list)
    """Components that are linked into it or lie in it: `component`, `version`, and in `fixes` the
    CVEs that patches fix on top of the release."""

    def made(self, folder: Path) -> str:
        """When its stage made it, to the minute, in local time."""
        moment = datetime.fromtimestamp((folder / self.path).stat().st_mtime).astimezone()
        return f"{moment:%Y-%m-%d %H:%M}"


class _Listing(Foreign):
    model_config = ConfigDict(alias_generator=None)  # its keys are written as `Artefact` has them

    artefacts: tuple[Artefact, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One file that a run is to bring to `dist/`, and the entry of the store that holds it."""

    path: str
    entry: Entry
    file: str
    target: str
    contains: tuple[Component, ...] = ()

    @cached_property
    def row(self) -> list[Any]:
        """What the entry's manifest says of it: size, time, mode, digest."""
        manifest: Manifest = json.loads(
            (self.entry.folder / "manifest.json").read_text(encoding="utf-8")
        )
        return manifest[self.file]


def publish(
    folder: Path,
    wanted: Iterable[Wanted],
    *,
    store: Store,
    source_set: str,
    possible: Iterable[str],
) -> list[Artefact]:
    """Bring `dist/` up to date with the store; files that are right already stay as they are.

    Artefacts that this run was not about stay too, and stay listed if they are `possible`; what no
    declaration stands for any more stays, unlisted.
    """
    known = {one.path: one for one in listed(folder)}
    artefacts = [_place(folder, one, store, source_set) for one in wanted]
    declared = set(possible)
    kept = [one for one in known.values() if one.path in declared - {new.path for new in artefacts}]
    everything = sorted([*artefacts, *kept], key=lambda one: one.path)
    rows = [asdict(one) for one in everything]
    listing = json.dumps({"artefacts": rows}, indent=1) + "\n"
    sums = "".join(f"{one.sha256}  {one.path}\n" for one in everything)
    for name, text in ((LISTING, listing), (SUMS, sums)):
        _write(folder / name, text)
    return artefacts


def insist_on_writable(folder: Path, paths: Iterable[str]) -> None:
    """Raise, before an hour is spent, where these could not be put in the end:
    `ReadOnlyCheckout`, or `InTheWay` where something else has the place of a file or folder."""
    places = [folder / path for path in (*paths, LISTING, SUMS)]
    for file in places:
        if documents.is_folder(file) and not file.is_symlink():
            raise dist_errors.InTheWay(file, "a folder", "a file")
    above = {parent for file in places for parent in file.parents if folder in parent.parents}
    for parent in sorted({folder, *above}):
        if documents.is_folder(parent):
            if not os.access(parent, os.W_OK | os.X_OK):
                raise dist_errors.ReadOnlyCheckout(parent)
        elif os.path.lexists(parent):
            kind = "a link that leads to no folder" if parent.is_symlink() else "no folder"
            raise dist_errors.InTheWay(parent, kind, "a folder")
    if not os.path.lexists(folder) and not os.access(folder.parent, os.W_OK | os.X_OK):
        raise dist_errors.ReadOnlyCheckout(folder)


def link_toolchain(folder: Path, target: Target, sdk: Entry) -> Path:
    """`dist/toolchains/<target>`, a link to the folder in the store, where it can be used."""
    path = folder / "toolchains" / target.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink() or path.readlink() != sdk.tree:
        with atomic.replacing(path) as aside:
            aside.symlink_to(sdk.tree)
    return path


def archives(
    targets: Iterable[Target], entries: Mapping[str, Entry], contains: tuple[Component, ...]
) -> Iterator[Wanted]:
    """The toolchains' archives, those that were made."""
    for target in [one for one in targets if f"sdk-archive-{one.name}" in entries]:
        yield Wanted(
            path=f"toolchains/{target.name}.tar.gz",
            entry=entries[f"sdk-archive-{target.name}"],
            file=f"{target.name}.tar.gz",
            target=target.name,
            contains=contains,
        )


def images(
    targets: tuple[Target, ...],
    services: Mapping[str, tuple[Component, ...]],
    entries: Mapping[str, Entry],
) -> Iterator[Wanted]:
    """Programs and images of services, those that were made; `services` says what each holds."""
    for service, contains in services.items():
        for target in targets:
            entry = entries.get(f"image-{service}-{target.name}")
            if entry is None:
                continue
            yield Wanted(
                path=f"{target.name}/{service}",
                entry=entry,
                file=service,
                target=target.name,
                contains=contains,
            )
            yield Wanted(
                path=f"images/{service}-{target.name}.tar",
                entry=entry,
                file="image.tar",
                target=target.name,
                contains=contains,
            )
        if (entry := entries.get(f"image-{service}")) is not None:
            path = f"images/{service}.oci.tar"
            yield Wanted(path=path, entry=entry, file="image.oci.tar", target="", contains=contains)


def reports(all_of_them: Iterable[Report], entries: Mapping[str, Entry]) -> Iterator[Wanted]:
    """What a run says of its products."""
    for one in all_of_them:
        for path, file in one.paths.items():
            yield Wanted(path=path, entry=entries[one.stage], file=file, target=one.target)


def is_report(artefact: Artefact) -> bool:
    """Whether it says something of others."""
    return artefact.path.startswith("reports/")


def paths(targets: Sequence[str], services: Sequence[str]) -> Iterator[str]:
    """Where the products lie that these targets and services can bring."""
    for target in targets:
        yield f"toolchains/{target}"
        yield f"toolchains/{target}.tar.gz"
    for service in services:
        yield f"images/{service}.oci.tar"
        for target in targets:
            yield f"{target}/{service}"
            yield f"images/{service}-{target}.tar"


def _place(folder: Path, wanted: Wanted, store: Store, source_set: str) -> Artefact:
    size, _, _, digest = wanted.row
    path = folder / wanted.path
    if not _is_there(path, size, digest) and not place(
        wanted.entry.tree / wanted.file, path, wanted.row
    ):
        store.reread(wanted.entry.key)  # size and time hid it: it would be found again
        raise engine_errors.NeedLost(wanted.entry.record.name)
    return Artefact(
        path=wanted.path,
        sha256=digest,
        bytes=size,
        target=wanted.target,
        stage_key=wanted.entry.key,
        source_set=source_set,
        contains=[component.record for component in wanted.contains],
    )


def _is_there(path: Path, size: int, digest: str) -> bool:
    """Whether the content is the same: size and time can be those of the store's own file, and the
    content another."""
    try:
        return path.stat().st_size == size and file_digest(path) == digest
    except FileNotFoundError:
        return False


def _write(path: Path, text: str) -> None:
    """Write a list whole or not at all; one that says the same stays as it is."""
    with suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, text)


def listed(folder: Path) -> list[Artefact]:
    """What earlier runs listed and is still there; nothing where the list cannot be read."""
    path = folder / LISTING
    try:
        known = declaration.parse(path, documents.json_table(path), _Listing)
    except engine_errors.BadDeclaration:
        return []
    return [one for one in known.artefacts if documents.is_file(folder / one.path)]
