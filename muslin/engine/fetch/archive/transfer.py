"""Files from the archive's mirrors, each from the first that has it.

HTTP is enough here, as it is for apt: what arrives is held to a digest that a signed index names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from muslin.engine import redaction
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive.located import Located, Role
from muslin.engine.fetch.archive.mirrors import Mirrors
from muslin.engine.fetch.archive.release import IndexFile
from muslin.engine.fetch.http import Download, Limits
from muslin.engine.fetch.route import Route
from muslin.engine.filesystem.content import file_digest
from muslin.engine.source import Source

LARGEST_RELEASE = 4_000_000
"""Bytes; that of Debian 13 has 140,000."""


class Transfer:
    """Downloads from a release's mirrors."""

    def __init__(self, mirrors: Mirrors, limits: Limits, cancelled: threading.Event) -> None:
        self._mirrors, self._limits, self._cancelled = mirrors, limits, cancelled
        self._route = Route(plain=True, proxies=mirrors.proxies)

    @property
    def keyrings(self) -> tuple[Path, ...]:
        """Files with certificates that the machine's administrator named."""
        return self._mirrors.keyrings

    def texts(
        self, role: Role, path: str, folder: Path, faults: list[str]
    ) -> Iterator[tuple[str, bytes]]:
        """What each mirror has at a path, with the mirror's name; `faults` takes the failures of
        those that have nothing."""
        part = folder / f".part-{threading.get_ident()}"
        for base in self._mirrors.addresses.get(role, ()):
            part.unlink(missing_ok=True)  # no two answers are pieces of one file here
            address = f"{base}/{path}"
            source = Source(name=path.rpartition("/")[2], sha256="", size=0, origins=())
            try:
                self._fetch(address, source, part, lambda _: None)
                if part.stat().st_size > LARGEST_RELEASE:
                    raise fetch_errors.DownloadTooLarge(
                        source.name, redaction.place(address), LARGEST_RELEASE
                    )
                data = part.read_bytes()
            except _FAILURES as error:
                faults.append(_described(error))
                continue
            finally:
                part.unlink(missing_ok=True)
            yield redaction.place(base), data

    def index(self, role: Role, paths: Sequence[str], expected: IndexFile, folder: Path) -> Path:
        """Download an index by one of its paths. Raises `ArchiveUnusable`."""
        source = Source(
            name=paths[-1].rpartition("/")[2], sha256=expected.sha256, size=expected.size,
            origins=(),
        )  # fmt: skip
        part = folder / f".{expected.sha256}.xz"
        addresses = [
            f"{base}/{path}" for base in self._mirrors.addresses.get(role, ()) for path in paths
        ]
        self._first(addresses, source, part, lambda _: None)
        return part

    def download(self, located: Located, to: Path, progressed: Callable[[int], None]) -> None:
        """Download a file of a package, or what is missing of it. Raises `ArchiveUnusable`."""
        source = Source(name=located.name, sha256=located.sha256, size=located.size, origins=())
        addresses = [
            f"{base}/{path}"
            for role, path in located.places()
            for base in self._mirrors.addresses.get(role, ())
        ]
        self._first(addresses, source, to, progressed)

    def _first(
        self,
        addresses: Sequence[str],
        source: Source,
        to: Path,
        progressed: Callable[[int], None],
    ) -> None:
        faults = []
        for address in addresses:
            try:
                self._fetch(address, source, to, progressed)
            except _FAILURES as error:
                faults.append(_described(error))
                continue
            if (got := file_digest(to)) == source.sha256:
                return
            progressed(-to.stat().st_size)
            to.unlink()
            place = redaction.place(address)
            faults.append(f"{source.name} from {place} has the SHA-256 {got}, not {source.sha256}")
        fault = f"{source.name} could not be downloaded"
        raise fetch_errors.ArchiveUnusable(fault, "\n".join(faults))

    def _fetch(
        self, address: str, source: Source, to: Path, progressed: Callable[[int], None]
    ) -> None:
        download = Download(
            address,
            source,
            to,
            limits=self._limits,
            cancelled=self._cancelled,
            advance=progressed,
            route=self._route,
        )
        download.run()
        if download.pieced and source.sha256 and file_digest(to) != source.sha256:
            download.distrust()  # the pieces are not of one file
            download.run()


def _described(error: Exception) -> str:
    """A mirror's failure without the remedy for another kind of mirrors."""
    return error.fault if isinstance(error, fetch_errors.ServerFailed) else str(error)


_FAILURES = (
    fetch_errors.DownloadTooLarge,
    fetch_errors.NotTheFile,
    fetch_errors.ServerFailed,
    fetch_errors.TooSlow,
    fetch_errors.UnsafeAddress,
    fetch_errors.WrongSize,
)
"""What one mirror may do and the next one may not."""
