"""`dist/`: what users take away, each file copied from the store and listed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from muslin.dist import errors as dist_errors
from muslin.dist.artifacts import BILLS, LICENCES, REPORTS, Artifact
from muslin.engine import errors as engine_errors
from muslin.engine.cache.manifest import Manifest
from muslin.engine.cache.store import Entry, Store
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.content import file_digest
from muslin.engine.filesystem.verified_copy import place
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign
from muslin.models.target import Target

LISTING, SUMS = "manifest.json", "SHA256SUMS"
"""The lists of `dist/`."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One file of `dist/`, as `manifest.json` lists it."""

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
    driver: str = ""
    """Driver of the toolchain that made it; empty in lists of older versions."""

    def made(self, folder: Path) -> str:
        """When its stage made it, to the minute, in local time."""
        moment = datetime.fromtimestamp((folder / self.path).stat().st_mtime).astimezone()
        return f"{moment:%Y-%m-%d %H:%M}"


class _Listing(Foreign):
    model_config = ConfigDict(alias_generator=None)  # its keys are written as `Listed` has them

    artefacts: tuple[Listed, ...]


def publish(  # noqa: PLR0913  # named at the call
    folder: Path,
    artifacts: Iterable[Artifact],
    entries: Mapping[str, Entry],
    *,
    store: Store,
    source_set: str,
    driver: str = "",
    possible: Iterable[str],
) -> list[Listed]:
    """Bring artifacts to `dist/`, each from the entry of its stage; files that are right already
    stay as they are.

    Artifacts that this run was not about stay too, and stay listed if they are `possible`; what no
    declaration stands for any more stays, unlisted.
    """
    known = {one.path: one for one in listed(folder)}
    placed = [
        replace(_place(folder, artifact, entries[artifact.stage], store, source_set), driver=driver)
        for artifact in artifacts
    ]
    declared = set(possible)
    kept = [one for one in known.values() if one.path in declared - {new.path for new in placed}]
    everything = sorted([*placed, *kept], key=lambda one: one.path)
    rows = [asdict(one) for one in everything]
    table = json.dumps({"artefacts": rows}, indent=1) + "\n"
    for name, text in ((LISTING, table), (SUMS, sums(everything))):
        _write(folder / name, text)
    return placed


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


def sums(artefacts: Iterable[Listed]) -> str:
    """`SHA256SUMS` of these, as sha256sum(1) reads it."""
    return "".join(f"{one.sha256}  {one.path}\n" for one in artefacts)


def digest_in(entry: Entry, file: str) -> str:
    """What an entry of the store has for a file: hexadecimal SHA-256, empty if it has none."""
    *_, digest = _manifest(entry).get(file, [""])
    return str(digest)


def is_report(artefact: Listed) -> bool:
    """Whether it says something of others."""
    return artefact.path.startswith(tuple(f"{folder}/" for folder in (REPORTS, BILLS, LICENCES)))


def _place(folder: Path, artifact: Artifact, entry: Entry, store: Store, source_set: str) -> Listed:
    row = _row(entry, artifact.file)
    size, _, _, digest = row
    path = folder / artifact.destination
    if not _is_there(path, size, digest) and not place(entry.tree / artifact.file, path, row):
        store.reread(entry.key)  # size and time hid it: it would be found again
        raise engine_errors.NeedLost(entry.record.name)
    return Listed(
        path=artifact.destination,
        sha256=digest,
        bytes=size,
        target=artifact.target,
        stage_key=entry.key,
        source_set=source_set,
        contains=[component.record for component in artifact.contains],
    )


def _row(entry: Entry, file: str) -> list[Any]:
    """What an entry's manifest says of a file: size, time, mode, digest."""
    return _manifest(entry)[file]


def _manifest(entry: Entry) -> Manifest:
    text = (entry.folder / "manifest.json").read_text(encoding="utf-8")
    manifest: Manifest = json.loads(text)
    return manifest


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


def listed(folder: Path) -> list[Listed]:
    """What earlier runs listed and is still there; nothing where the list cannot be read."""
    try:
        known = listing(folder)
    except engine_errors.BadDeclaration:
        return []
    return [one for one in known if documents.is_file(folder / one.path)]


def listing(folder: Path) -> list[Listed]:
    """What earlier runs listed, there or not. Raises `BadDeclaration`."""
    path = folder / LISTING
    return [*declaration.parse(path, documents.json_table(path), _Listing).artefacts]
