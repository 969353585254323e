"""The Debian archive through the ordinary apt client, with a private state folder.

No root is needed and nothing on the system changes. What apt downloads it has authenticated by the
archive's signature. Proxy and CA settings, the system's and the user's, stay in force.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import threading
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recipes import errors
from recipes.engine import apt_sources, runner
from recipes.engine.runner import Runner
from recipes.engine.stage import ArchiveFile

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
HELPER = "/usr/lib/apt/apt-helper"
HOST_SUITE = "host"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
"""What the kernel calls a machine and what Debian calls it, where they differ."""
PRESUMED = ("gcc", "g++", "libc6-dev", "make", "perl")
"""The prerequisites of the README: what they depend on need not be brought along."""
URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<name>\S+) (?P<size>\d+) (?:SHA256:(?P<sha256>\w+))?")
POLL = 0.3

# Read after the system's own files (`-c`): hooks of the system must not run, and caches that
# container images switch off save a second per call.
CONFIGURATION = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Pre-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
Dir::State "{state}/state";
Dir::State::lists "{state}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{state}/cache";
Dir::Cache::archives "{state}/cache/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{state}/sources";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
{sandbox}
"""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A file of the archive and where it is."""

    package: str
    version: str
    uri: str
    name: str
    size: int
    sha256: str


class Apt:
    """Asks the archive. Each suite has its own state; indexes are fetched once a run."""

    def __init__(
        self,
        state: Path,
        starter: Runner,
        *,
        etc: Path = Path("/etc/apt"),
        os_release: Path = Path("/etc/os-release"),
    ) -> None:
        self._state = state
        self._runner = starter
        self._etc = etc
        self._os_release = os_release
        self._fresh: set[str] = set()
        self._known: dict[tuple[ArchiveFile, str], Located] = {}
        self._lock = threading.RLock()

    @property
    def release(self) -> str:
        """The code name of the release that this machine runs, such as `bookworm`."""
        text = self._os_release.read_text() if self._os_release.exists() else ""
        match = re.search(r'^VERSION_CODENAME="?(\w+)"?$', text, re.MULTILINE)
        if match is None:
            raise errors.ArchiveUnusable(f"{self._os_release} names no release")
        return match[1]

    @property
    def host(self) -> str:
        """The release and Debian's name of the architecture, such as `bookworm-amd64`."""
        machine = platform.machine()
        return f"{self.release}-{ARCHITECTURES.get(machine, machine)}"

    def refresh(self, suite: str) -> None:
        """Fetch the suite's indexes, once in a run."""
        with self._lock:
            if suite not in self._fresh:
                try:
                    self._apt(suite, "apt-get", "update", "-qq")
                except errors.CommandFailed as error:
                    detail = "\n".join(runner.tail(self._log)[-8:])
                    raise errors.ArchiveUnreachable(suite, detail) from error
                self._fresh.add(suite)

    def locate(self, file: ArchiveFile, name: str) -> Located | None:
        """Where a pinned file is; None if the archive has this version no more."""
        if (file, name) not in self._known:
            try:
                self._learn([file])
            except errors.CommandFailed:
                return None
        return self._known.get((file, name))

    def learn(self, files: Sequence[ArchiveFile]) -> None:
        """Ask for many files at once: one call for all is as quick as one for each."""
        for suite in {file.suite for file in files}:
            for kind in ("binary", "source"):
                some = [file for file in files if (file.suite, file.kind) == (suite, kind)]
                try:
                    self._learn(some)
                except errors.CommandFailed:  # one of them is gone, and apt names none of the rest
                    for file in some:
                        self.locate(file, "")

    def _learn(self, files: Sequence[ArchiveFile]) -> None:
        if not files:
            return
        suite, kind = files[0].suite, files[0].kind
        self.refresh(suite)
        command = ("download",) if kind == "binary" else ("source", "--only-source")
        words = [f"{file.package}={file.version}" for file in files]
        printed = self._apt(suite, "apt-get", "-qq", *command, "--print-uris", *words)
        by_package = {file.package: file for file in files}
        for line in printed.splitlines():
            name = _matched(line)["name"]
            # A source package's files are named after it too, or stand alone in the answer.
            file = by_package.get(name.split("_")[0], files[0])
            for one in _located(line, file):
                self._known[file, name] = one

    def files(
        self, suite: str, package: str, version: str, kind: Literal["binary", "source"]
    ) -> list[Located]:
        """All files of a package at a version."""
        file = ArchiveFile(suite=suite, package=package, version=version, kind=kind)
        self._learn([file])
        return [one for (known, _), one in self._known.items() if known == file]

    def versions(self, suite: str, package: str, kind: Literal["binary", "source"]) -> list[str]:
        """The versions that the archive has, newest first."""
        self.refresh(suite)
        wanted = "Sources" if kind == "source" else "Packages"
        versions: list[str] = []
        for line in self._apt(suite, "apt-cache", "madison", package).splitlines():
            name, version, origin = (part.strip() for part in line.split("|"))
            if name == package and origin.endswith(wanted) and version not in versions:
                versions.append(version)
        if kind == "source":  # listed in the order of the archives
            versions.sort(key=functools.cmp_to_key(self._compared), reverse=True)
        return versions

    def _compared(self, left: str, right: str) -> int:
        if left == right:
            return 0
        environment = {**runner.BASE_ENVIRONMENT, "PATH": runner.HOST_PATH}
        argv = ("dpkg", "--compare-versions", left, "gt", right)
        try:
            self._runner.capture(argv, what="dpkg", env=environment, log=self._log)
        except errors.CommandFailed:
            return -1
        return 1

    def closure(
        self, suite: str, packages: Sequence[str], *, presumed: Sequence[str] = PRESUMED
    ) -> list[Located]:
        """The packages with everything they depend on, less what every builder's host has."""
        self.refresh(suite)
        ours, theirs = (self._dependencies(suite, names) for names in (packages, presumed))
        wanted = [pair for pair in ours if pair[0] not in {package for package, _ in theirs}]
        files = [
            ArchiveFile(suite=suite, package=package, version=version, kind="binary")
            for package, version in wanted
        ]
        self.learn(files)
        located = [one for (file, _), one in self._known.items() if file in set(files)]
        return sorted(located, key=lambda one: one.package)

    def _dependencies(self, suite: str, packages: Sequence[str]) -> list[tuple[str, str]]:
        printed = self._apt(
            suite,
            *("apt-get", "-qq", "install", "--no-install-recommends", "--print-uris"),
            *packages,
        )
        return [_package_of(_matched(line)["name"]) for line in printed.splitlines()]

    def knows(self, suite: str, package: str) -> bool:
        """Whether the suite has a package of this name."""
        return bool(self.versions(suite, package, "binary"))

    def download(
        self, suite: str, located: Located, to: Path, progressed: Callable[[int], None]
    ) -> None:
        """Fetch a file; `progressed` is told its size while it grows."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(POLL):
                if to.exists():
                    progressed(to.stat().st_size)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            self._apt(
                suite, HELPER, "download-file", located.uri, str(to), f"SHA256:{located.sha256}"
            )
        finally:
            ended.set()
            watcher.join()

    @property
    def _log(self) -> Path:
        return self._state / "apt.log"

    def _apt(self, suite: str, program: str, *words: str) -> str:
        configuration = self._prepared(suite)
        environment = {
            **runner.BASE_ENVIRONMENT,
            **runner.network_environment(),
            "PATH": runner.HOST_PATH,
            "DEBIAN_FRONTEND": "noninteractive",
        }
        argv = (program, "-c", str(configuration), *words)
        return self._runner.capture(
            argv, what=f"the archive ({suite})", env=environment, log=self._log
        )

    def _prepared(self, suite: str) -> Path:
        """The suite's private state: folders, sources, configuration."""
        state = self._state / suite
        configuration = state / "apt.conf"
        with self._lock:
            if configuration.exists() and suite in self._fresh:
                return configuration
            for folder in ("state", "lists/partial", "cache/archives/partial", "sources"):
                (state / folder).mkdir(parents=True, exist_ok=True)
            (state / "sources" / "archive.sources").write_text(self._sources(suite))
            sandbox = 'APT::Sandbox::User "root";' if os.geteuid() == 0 else ""
            configuration.write_text(CONFIGURATION.format(state=state, sandbox=sandbox))
        return configuration

    def _sources(self, suite: str) -> str:
        release = self.release
        wanted = release if suite == HOST_SUITE else suite
        archive = apt_sources.archive_of(self._etc, release)
        if "main" not in archive:
            raise errors.ArchiveUnusable(
                f"this machine's apt files name no Debian archive for {release!r}; "
                "the debian source set works on Debian hosts"
            )
        suites = {"main": (wanted, f"{wanted}-updates"), "security": (f"{wanted}-security",)}
        signed = KEYRING if KEYRING.exists() else ""
        return "\n".join(
            f"Types: deb deb-src\nURIs: {archive[name].uri}\nSuites: {' '.join(suites[name])}\n"
            f"Components: main\nSigned-By: {archive[name].signed_by or signed}\n"
            for name in ("main", "security")
            if name in archive
        )


def _matched(line: str) -> re.Match[str]:
    match = URI_LINE.match(line)
    assert match is not None, line
    return match


def _located(printed: str, file: ArchiveFile) -> list[Located]:
    return [
        Located(
            package=file.package,
            version=file.version,
            uri=match["uri"],
            name=match["name"],
            size=int(match["size"]),
            sha256=match["sha256"] or "",
        )
        for match in map(URI_LINE.match, printed.splitlines())
        if match is not None
    ]


def _package_of(name: str) -> tuple[str, str]:
    """`m4_1.4.19-3_amd64.deb` -> package and version; an epoch's colon is written %3a."""
    package, version, _ = name.split("_")
    return package, urllib.parse.unquote(version)
