"""The suites that a release consists of: their signed indexes, accepted and read."""

from __future__ import annotations

import datetime
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive import release, signature
from muslin.engine.fetch.archive.index import Index, Kind
from muslin.engine.fetch.archive.located import Role
from muslin.engine.fetch.archive.release import IndexFile, Release
from muslin.engine.fetch.archive.transfer import Transfer
from muslin.engine.fetch.failures import Fault
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.content import file_digest

IN_RELEASE = "InRelease"
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One directory below `dists/`."""

    name: str
    role: Role


class Suites:
    """A release with its updates and security updates, for one architecture."""

    def __init__(
        self,
        state: Path,
        suites: Sequence[Suite],
        architecture: str,
        *,
        transfer: Transfer,
        certificates: Path,
    ) -> None:
        self.transfer = transfer
        self._state, self._suites, self._architecture = state, suites, architecture
        self._certificates = certificates
        self._releases: dict[Suite, Release] = {}
        self._indexes: dict[Kind, list[Index]] = {}

    def refresh(self, now: datetime.datetime) -> None:
        """Request every suite's Release file, and accept the first that is right.

        Raises `ArchiveUnreachable` with what was wrong at each mirror.
        """
        for suite in self._suites:
            self._releases[suite] = self._accepted(suite, now)

    def _accepted(self, suite: Suite, now: datetime.datetime) -> Release:
        folder = self._state / suite.name
        atomic.folder(folder)
        kept = folder / IN_RELEASE
        before = self._read(kept, suite, now) if kept.is_file() else None
        path = f"dists/{suite.name}/{IN_RELEASE}"
        faults: list[str] = []
        for mirror, data in self.transfer.texts(suite.role, path, folder, faults):
            try:
                found = self._parsed(data, suite, now)
                if before is not None and found.date < before.date:
                    raise Fault(
                        f"serves the Release file of {found.date:%Y-%m-%d %H:%M}, older than that "
                        f"of {before.date:%Y-%m-%d %H:%M} which was seen before"
                    )
            except Fault as fault:
                faults.append(f"{mirror} {fault}")
            else:
                atomic.write(kept, data.decode())
                return found
        raise fetch_errors.ArchiveUnreachable(suite.name, "\n".join(faults))

    def _read(self, kept: Path, suite: Suite, now: datetime.datetime) -> Release | None:
        """The Release file that was accepted last; None if it is damaged or has expired."""
        try:
            return self._parsed(kept.read_bytes(), suite, now)
        except Fault:
            return None

    def _parsed(self, data: bytes, suite: Suite, now: datetime.datetime) -> Release:
        trusted = signature.certificates(self._certificates)
        for path in self.transfer.keyrings:
            trusted += signature.keyring(path)
        return release.parse(signature.signed_text(data, trusted), suite.name, now=now)

    def indexes(self, kind: Kind) -> list[Index]:
        """The index of each suite. Raises `ArchiveUnreachable`, `ArchiveUnusable`."""
        if kind not in self._indexes:
            self._indexes[kind] = [self._index(suite, kind) for suite in self._suites]
        return self._indexes[kind]

    def _index(self, suite: Suite, kind: Kind) -> Index:
        found = self._releases[suite]
        name = "source/Sources" if kind == "source" else f"binary-{self._architecture}/Packages"
        name = f"main/{name}"
        plain, packed = found.indexes.get(name), found.indexes.get(f"{name}.xz")
        if plain is None or packed is None:
            fault = f"{suite.name} has no index {name}"
            raise fetch_errors.ArchiveUnusable(fault)
        folder = self._state / suite.name
        path = folder / plain.sha256
        if not path.is_file() or file_digest(path) != plain.sha256:
            names = [f"{name}.xz"]
            if found.by_hash:
                names.insert(0, f"{name.rpartition('/')[0]}/by-hash/SHA256/{packed.sha256}")
            paths = [f"dists/{suite.name}/{each}" for each in names]
            archive = self.transfer.index(suite.role, paths, packed, folder)
            _decompress(archive, path, plain)
            archive.unlink()
            self._remove_others(folder, found)
        return Index(path, kind, suite.role)

    @staticmethod
    def _remove_others(folder: Path, found: Release) -> None:
        """Remove indexes that the accepted Release file does not name any more."""
        named = {one.sha256 for one in found.indexes.values()}
        for path in folder.iterdir():
            if release.SHA256.fullmatch(path.name) and path.name not in named:
                path.unlink(missing_ok=True)


def _decompress(archive: Path, to: Path, expected: IndexFile) -> None:
    """Unpack an index whose digest was right. Raises `ArchiveUnusable` for other contents."""
    part = to.with_name(f".{to.name}")
    size = 0
    with lzma.open(archive) as packed, part.open("wb") as file:
        for chunk in iter(lambda: packed.read(CHUNK), b""):
            size += len(chunk)
            if size > expected.size:
                break
            file.write(chunk)
    if size != expected.size or file_digest(part) != expected.sha256:
        part.unlink()
        fault = f"{archive.name} holds another index than its Release file says"
        raise fetch_errors.ArchiveUnusable(fault)
    part.replace(to)
