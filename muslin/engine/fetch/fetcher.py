"""Sources by digest: from whichever of their origins gives the right file.

    <cache>/downloads/<sha256>/<name>       complete, its digest matched
    <cache>/downloads/<sha256>/.part        on its way; a failed download is resumed
    <cache>/downloads/rejected/             complete and wrong, kept for a look

A file is verified when it arrives and at each use; a plan looks at its size alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import filelock

from muslin.engine import errors as engine_errors
from muslin.engine import redaction
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.http import Download, Limits
from muslin.engine.fetch.package_index import PackageIndex
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.content import file_digest
from muslin.engine.process import errors as process_errors
from muslin.engine.source import ArchiveFile, IndexFile, Origin, Source, Url
from muslin.errors import PipelineError

AT_ONCE = 4
"""Files that are fetched at one time where nothing else is to be done."""
POLL = 0.2
"""Seconds after which a wait looks whether the run was cancelled."""


class Progress(Protocol):
    """Somebody who tells a person how a download goes."""

    def start(self, name: str, total_bytes: int) -> None:
        """A download begins."""

    def advance(self, name: str, bytes_: int) -> None:
        """So many bytes more."""

    def done(self, name: str) -> None:
        """It has ended, well or not."""

    def note(self, text: str) -> None:
        """Something worth knowing that stops nothing."""


# Long: one download from its first look to its place, with its locks.
class Fetcher:
    """Fetches sources into the downloads folder, each once."""

    def __init__(  # noqa: PLR0913  # named at the call
        self,
        downloads: Path,
        *,
        archive: Archive,
        progress: Progress,
        cancelled: threading.Event,
        limits: Limits | None = None,
        index: PackageIndex | None = None,
    ) -> None:
        """Set up. Without an `index` no wheel can be fetched."""
        self._downloads = downloads
        self._archive = archive
        self._progress = progress
        self._cancelled = cancelled
        self._limits = limits or Limits()
        self._index = index

    def has(self, source: Source) -> bool:
        """Whether the file is here, without looking into it."""
        path = self._path(source)
        return atomic.is_file(path) and source.size in (0, path.stat().st_size)

    def fetch(self, source: Source) -> Path:
        """The verified file.

        Raises `WrongDigest` if an origin gave another file and none the right one, `NoNetwork`
        if none gave any.
        """
        path = self._path(source)
        self._downloads.mkdir(parents=True, exist_ok=True)
        atomic.folder(path.parent)
        with self._alone(path.parent, source.name):
            if not self._is_whole(source, path):
                self._progress.start(source.name, source.size)
                try:
                    self._from_any_origin(source, path)
                finally:
                    self._progress.done(source.name)
        os.utime(path.parent)  # used now, says this to a clean-up
        return path

    def fetch_all(self, sources: Collection[Source]) -> Iterator[tuple[Source, Path]]:
        """Fetch several files at a time and yield each with its path, in their order.

        Raises as `fetch`; the other downloads are given up then, and the run is over.
        """
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as executor:
            try:
                yield from zip(sources, executor.map(self.fetch, sources), strict=True)
            except BaseException:
                self._cancelled.set()
                raise

    @contextmanager
    def _alone(self, folder: Path, name: str) -> Iterator[None]:
        """One download per file at a time."""
        atomic.clear(folder / ".lock")
        lock = filelock.FileLock(folder / ".lock", thread_local=False)
        while not lock.is_locked:
            self._raise_if_cancelled(name)
            with suppress(filelock.Timeout):
                lock.acquire(timeout=POLL, poll_interval=POLL / 2)
        try:
            yield
        finally:
            lock.release()

    def _raise_if_cancelled(self, name: str) -> None:
        if self._cancelled.is_set():
            raise process_errors.Interrupted("the end of the run", [name])

    def _path(self, source: Source) -> Path:
        return self._downloads / source.sha256 / source.name

    def _is_whole(self, source: Source, path: Path) -> bool:
        if atomic.clear(path):
            self._progress.note(f"{path} was no file; fetching it again")
        if not self.has(source):
            return False
        if file_digest(path) != source.sha256:
            self._progress.note(f"{source.name} was changed after its download; fetching it again")
            path.unlink()
            return False
        return True

    def _from_any_origin(self, source: Source, path: Path) -> None:
        part = path.with_name(".part")
        atomic.clear(part)
        if part.exists():
            self._progress.advance(source.name, part.stat().st_size)
        faults: list[PipelineError] = []
        for origin in source.origins:
            try:
                self._from(origin, source, part)
                self._accept(source, origin, part, path)
            except PipelineError as error:
                if isinstance(error, process_errors.Interrupted | engine_errors.DiskFull):
                    raise
                if isinstance(error, fetch_errors.LeftArchive) and len(source.origins) == 1:
                    raise  # nothing to do with the network
                faults.append(error)
            else:
                return
            self._progress.note(str(faults[-1]).splitlines()[0])
        for fault in faults:
            if isinstance(fault, fetch_errors.WrongDigest):
                raise fault
        raise fetch_errors.NoNetwork(source.name, [*map(str, faults)] or ["it has no origin"])

    def _from(self, origin: Origin, source: Source, part: Path) -> None:
        match origin:
            case Url():
                self._from_web(origin, source, part)
            case ArchiveFile():
                self._from_archive(origin, source, part)
            case IndexFile():
                self._from_index(origin, source, part)

    def _from_index(self, origin: IndexFile, source: Source, part: Path) -> None:
        assert self._index is not None, source.name
        began = part.stat().st_size if part.exists() else 0
        try:
            self._index.download(origin, source, part, pip=self.fetch(origin.pip))
        except fetch_errors.IndexFailed as error:
            if not error.received:
                raise
            raise fetch_errors.WrongDigest(
                *(source.name, _shown(origin), source.sha256, error.received, None),
                found="pip compared it; nothing of it was kept.",
            ) from error
        self._progress.advance(source.name, part.stat().st_size - began)

    def _from_archive(self, origin: ArchiveFile, source: Source, part: Path) -> None:
        located = self._archive.locate(origin, source.name)
        if located is None:
            raise fetch_errors.LeftArchive(origin.package, origin.version)
        if located.sha256 != source.sha256:
            raise fetch_errors.WrongDigest(
                *(source.name, _shown(origin), source.sha256, located.sha256, None),
                found="The archive's signed index says so; nothing was downloaded.",
            )
        self._archive.download(
            origin.suite, located, part, lambda bytes_: self._progress.advance(source.name, bytes_)
        )

    def _from_web(self, origin: Url, source: Source, part: Path) -> None:
        download = Download(
            origin.address,
            source,
            part,
            limits=self._limits,
            cancelled=self._cancelled,
            advance=lambda bytes_: self._progress.advance(source.name, bytes_),
        )
        download.run()
        if download.pieced and file_digest(part) != source.sha256:
            self._progress.note(f"{source.name}: the pieces are not of one file; fetching it whole")
            download.distrust()
            download.run()

    def _accept(self, source: Source, origin: Origin, part: Path, path: Path) -> None:
        """Give the file its name, if it is the pinned one; keep it aside otherwise."""
        got = file_digest(part)
        if got != source.sha256:
            kept = self._downloads / "rejected" / f"{source.name}.{got[:12]}"
            atomic.folder(kept.parent)
            atomic.clear(kept)
            self._progress.advance(source.name, -part.stat().st_size)
            part.replace(kept)
            raise fetch_errors.WrongDigest(source.name, _shown(origin), source.sha256, got, kept)
        part.replace(path)


def _shown(origin: Origin) -> str:
    match origin:
        case Url():
            return redaction.place(origin.address)
        case ArchiveFile():
            return f"the Debian archive ({origin.suite}, {origin.package} {origin.version})"
        case IndexFile():
            return f"pip's package index ({origin.project} {origin.version})"
