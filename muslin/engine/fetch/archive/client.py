"""Questions to the Debian archive: which versions there are, which files they consist of, what
they depend on.

    <state>/<suite>/InRelease       the newest that was accepted; an older one is refused later
    <state>/<suite>/<sha256>        a decompressed index that it names

An answer is believed because a certificate of the project, or one that the machine's apt files
name, signed the Release file; its digests cover the indexes, and theirs cover every file.
"""

from __future__ import annotations

import datetime
import platform
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import filelock
from debian.debian_support import NativeVersion as Version

from muslin.engine import inputs
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive import dependencies, mirrors
from muslin.engine.fetch.archive.index import Index, Kind, files_of
from muslin.engine.fetch.archive.located import Located
from muslin.engine.fetch.archive.mirrors import Mirrors
from muslin.engine.fetch.archive.suites import Suite, Suites
from muslin.engine.fetch.archive.transfer import Transfer
from muslin.engine.fetch.http import Limits
from muslin.engine.source import ArchiveFile

HOST_SUITE = "host"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
"""What the kernel calls a machine and what Debian calls it, where they differ."""
DEFAULT_RELEASE = "bookworm"
"""Whose programs run on a host that is not Debian's."""
PRESUMED = ("gcc", "g++", "libc6-dev", "make", "perl")
"""The prerequisites of the README: what they depend on need not be brought along."""
WITH_A_KERNEL = ("initramfs-tools", "kmod", "linux-base")
"""What Debian installs beside a kernel, and an emulated board has no use for."""


# Long: one method for each question to the archive, over one set of indexes.
class Archive:
    """Asks the archive; each suite's signed index is fetched once a run.

    `trixie:armel` is the release trixie of another architecture, as far as it was published with
    the release itself: its kernels start emulated boards.
    """

    def __init__(  # noqa: PLR0913  # named at the call
        self,
        state: Path,
        *,
        certificates: Path,
        public: Mirrors,
        cancelled: threading.Event,
        limits: Limits | None = None,
        etc: Path = Path("/etc/apt"),
        os_release: Path = Path("/etc/os-release"),
    ) -> None:
        """Set up; nothing is read or asked yet.

        `public` serves where the machine is not Debian's, or its apt files name no archive.
        """
        self._state = state
        self._certificates, self._public = certificates, public
        self._cancelled, self._limits = cancelled, limits or Limits()
        self._etc, self._os_release = etc, os_release
        self._lock = threading.RLock()
        self._suites: dict[str, Suites] = {}
        self._known: dict[tuple[ArchiveFile, str], Located] = {}

    @property
    def release(self) -> str:
        """The code name of the Debian release whose programs run here, such as `bookworm`."""
        if self._said("ID") == "debian" and (name := self._said("VERSION_CODENAME")):
            return name
        return DEFAULT_RELEASE

    @property
    def host(self) -> str:
        """The release and Debian's name of the architecture, such as `bookworm-amd64`."""
        return f"{self.release}-{self.architecture}"

    @property
    def architecture(self) -> str:
        """Debian's name of this machine's architecture."""
        machine = platform.machine()
        return ARCHITECTURES.get(machine, machine)

    def _said(self, key: str) -> str:
        there = inputs.file(self._os_release)
        text = there.read_text(encoding="utf-8") if there.exists() else ""
        match = re.search(rf"^{key}=[\"']?(\w+)[\"']?\s*$", text, re.MULTILINE)
        return match[1] if match else ""

    def refresh(self, suite: str) -> None:
        """Fetch a suite's signed index, once in a run. Raises `ArchiveUnreachable`."""
        self._opened(suite)

    def locate(self, file: ArchiveFile, name: str) -> Located | None:
        """Where a pinned file is; None if the archive has this version no more."""
        if (file, name) not in self._known:
            for one in self.files(file.suite, file.package, file.version, file.kind):
                self._known[file, one.name] = one
        return self._known.get((file, name))

    def files(self, suite: str, package: str, version: str, kind: Kind) -> list[Located]:
        """All files of a package at a version."""
        for stanza, index in self._stanzas(suite, package, kind):
            if stanza["Version"] == version:
                return list(files_of(stanza, index))
        return []

    def versions(self, suite: str, package: str, kind: Kind) -> list[str]:
        """The versions that the archive has, newest first."""
        there = {stanza["Version"] for stanza, _ in self._stanzas(suite, package, kind)}
        return sorted(there, key=Version, reverse=True)

    @staticmethod
    def is_newer(left: str, right: str) -> bool:
        """Whether one version is newer than another (deb-version(7))."""
        return bool(Version(left) > Version(right))

    def source_of(self, suite: str, package: str) -> str:
        """The name of the source package that a binary package is built from."""
        newest = self.newest(suite, package)
        said = newest.get("Source", "") if newest else ""
        return said.split()[0] if said else package

    def built_from(self, suite: str, package: str, version: str) -> list[Located]:
        """The binary packages of a source package at a version, smallest first."""
        names = {
            name
            for stanza, _ in self._stanzas(suite, package, "source")
            if stanza["Version"] == version
            for name in stanza.get("Binary", "").replace(",", " ").split()
        }
        located = [
            one for name in sorted(names) for one in self.files(suite, name, version, "binary")
        ]
        return sorted(located, key=lambda one: one.size)

    def closure(
        self, suite: str, packages: Sequence[str], *, presumed: Sequence[str] | None = None
    ) -> list[Located]:
        """The packages with everything they depend on, less what every builder's host has, or
        what a kernel of another architecture does without; or less what `presumed` needs. Raises
        `ArchiveUnusable`."""
        if presumed is None:
            presumed = WITH_A_KERNEL if ":" in suite else PRESUMED
        ours, theirs = (self._dependencies(suite, names) for names in (packages, presumed))
        located = [
            one
            for name in sorted(set(ours) - set(theirs))
            for one in self.files(suite, name, ours[name]["Version"], "binary")
        ]
        return sorted(located, key=lambda one: one.package)

    def _dependencies(
        self, suite: str, packages: Sequence[str]
    ) -> Mapping[str, dependencies.Stanza]:
        try:
            return dependencies.closure(packages, _Packages(self, suite))
        except dependencies.Unmet as unmet:
            fault = (
                f"{unmet.package} depends on {unmet.relation}, which {suite} does not have"
                if unmet.relation
                else f"{suite} has no package {unmet.package!r}"
            )
            raise fetch_errors.ArchiveUnusable(fault) from unmet

    def download(
        self, suite: str, located: Located, to: Path, progressed: Callable[[int], None]
    ) -> None:
        """Fetch a file, or what is missing of it; `progressed` is told of bytes as they come.

        Raises `ArchiveUnusable` if no mirror has it.
        """
        self._opened(suite).transfer.download(located, to, progressed)

    def _stanzas(
        self, suite: str, package: str, kind: Kind
    ) -> Iterator[tuple[dependencies.Stanza, Index]]:
        for index in self._opened(suite).indexes(kind):
            for stanza in index.stanzas(package):
                yield stanza, index

    def newest(self, suite: str, package: str) -> dependencies.Stanza | None:
        """The stanza of the newest version of a binary package."""
        there = [stanza for stanza, _ in self._stanzas(suite, package, "binary")]
        return max(there, key=lambda stanza: Version(stanza["Version"]), default=None)

    def providers(self, suite: str, name: str) -> list[str]:
        """The binary packages that provide a name."""
        indexes = self._opened(suite).indexes("binary")
        return list(dict.fromkeys(one for index in indexes for one in index.providers(name)))

    def _opened(self, suite: str) -> Suites:
        with self._lock:
            if suite not in self._suites:
                self._suites[suite] = self._open(suite)
            return self._suites[suite]

    def _open(self, suite: str) -> Suites:
        release, _, foreign = (self.release if suite == HOST_SUITE else suite).partition(":")
        places = None
        if self._said("ID") == "debian":
            places = mirrors.of_machine(self._etc, self.release)
        places = places or self._public
        wanted = [Suite(name=release, role="main")]
        if not foreign:
            wanted.append(Suite(name=f"{release}-updates", role="main"))
            if places.addresses.get("security"):
                wanted.append(Suite(name=f"{release}-security", role="security"))
        transfer = Transfer(places, self._limits, self._cancelled)
        suites = Suites(
            self._state,
            wanted,
            foreign or self.architecture,
            transfer=transfer,
            certificates=self._certificates,
        )
        self._state.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self._state / f".{release}.lock", thread_local=False):
            suites.refresh(datetime.datetime.now(datetime.UTC))
        return suites


class _Packages:
    """The packages of a suite, as the choice of dependencies asks for them."""

    def __init__(self, archive: Archive, suite: str) -> None:
        self._archive, self._suite = archive, suite

    def newest(self, name: str) -> dependencies.Stanza | None:
        return self._archive.newest(self._suite, name)

    def providers(self, name: str) -> Sequence[str]:
        return self._archive.providers(self._suite, name)
