"""The Debian archive, and that of the host's own release, through the ordinary apt client.

Its state is in a private folder. No root is needed and nothing on the system changes. What apt
downloads it has authenticated by the archive's signature. Proxy and CA settings, the system's and
the user's, stay in force.
"""

from __future__ import annotations

import functools
import platform
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import filelock

from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.apt import output, sources
from muslin.engine.fetch.apt import state as apt_state
from muslin.engine.fetch.apt.output import Located
from muslin.engine.fetch.apt.sources import VENDORS, Entry
from muslin.engine.filesystem import atomic
from muslin.engine.process import errors as process_errors
from muslin.engine.process import logs, runner
from muslin.engine.process.runner import Runner
from muslin.engine.source import ArchiveFile

HELPER = "/usr/lib/apt/apt-helper"
HOST_SUITE = "host"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
"""What the kernel calls a machine and what Debian calls it, where they differ."""
PRESUMED = ("gcc", "g++", "libc6-dev", "make", "perl")
"""The prerequisites of the README: what they depend on need not be brought along."""
WITH_A_KERNEL = ("initramfs-tools", "kmod", "linux-base")
"""What Debian installs beside a kernel, and an emulated board has no use for."""
POLL = 0.3


class Apt:
    """Asks the archive. Each suite has its own state; indexes are fetched once a run.

    `trixie:armel` is the release trixie of another architecture, as far as it was published with
    the release itself: its kernels start emulated boards.
    """

    def __init__(
        self,
        state: Path,
        starter: Runner,
        *,
        etc: Path = Path("/etc/apt"),
        os_release: Path = Path("/etc/os-release"),
        keyring: Path | None = None,
    ) -> None:
        self._state = state
        self._runner = starter
        self._etc = etc
        self._os_release = os_release
        self._keyring = keyring
        self._fresh: set[str] = set()
        self._known: dict[tuple[ArchiveFile, str], Located] = {}
        self._lock = threading.RLock()

    @property
    def release(self) -> str:
        """The code name of the release that this machine runs, such as `bookworm`."""
        if not (name := self._said("VERSION_CODENAME")):
            raise fetch_errors.ArchiveUnusable(
                f"{self._os_release} names no release; build on Debian or Ubuntu"
            )
        return name

    @property
    def host(self) -> str:
        """The release and Debian's name of the architecture, such as `bookworm-amd64`."""
        machine = platform.machine()
        return f"{self.release}-{ARCHITECTURES.get(machine, machine)}"

    def _said(self, key: str) -> str:
        there = inputs.file(self._os_release)
        text = there.read_text(encoding="utf-8") if there.exists() else ""
        match = re.search(rf"^{key}=[\"']?(\w+)[\"']?\s*$", text, re.MULTILINE)
        return match[1] if match else ""

    def refresh(self, suite: str) -> None:
        """Fetch the suite's indexes, once in a run.

        Raises `ArchiveUnreachable` with apt's last words.
        """
        with self._lock:
            if suite in self._fresh:
                return
            self._state.mkdir(parents=True, exist_ok=True)
            atomic.clear(self.log)
            # apt does not wait for another run's update: it fails.
            with filelock.FileLock(self._state / f".{suite}.lock", thread_local=False):
                try:
                    self._apt(suite, "apt-get", "update", "-qq")
                except process_errors.CommandFailed as error:
                    self._insist_on_room(error)
                    raise fetch_errors.ArchiveUnreachable(suite, self._last_words()) from error
            self._fresh.add(suite)

    def locate(self, file: ArchiveFile, name: str) -> Located | None:
        """Where a pinned file is; None if the archive has this version no more."""
        if (file, name) not in self._known:
            self._learn([file])
        return self._known.get((file, name))

    def learn(self, files: Sequence[ArchiveFile]) -> None:
        """Ask for many files at once: one call for all is as quick as one for each."""
        for suite in {file.suite for file in files}:
            for kind in ("binary", "source"):
                some = [file for file in files if (file.suite, file.kind) == (suite, kind)]
                if not self._learn(some):  # one of them is gone, and apt names none of the rest
                    for file in some:
                        self.locate(file, "")

    def _learn(self, files: Sequence[ArchiveFile]) -> bool:
        """Remember where the files are; whether the archive has all of them.

        Raises `ArchiveUnusable` where apt fails for another reason.
        """
        if not files:
            return True
        suite, kind = files[0].suite, files[0].kind
        self.refresh(suite)
        command = ("download",) if kind == "binary" else ("source", "--only-source")
        words = [f"{file.package}={file.version}" for file in files]
        try:
            printed = self._apt(suite, "apt-get", "-qq", *command, "--print-uris", *words)
        except process_errors.CommandFailed as error:
            faults = [line for line in error.tail if line.startswith("E: ")]
            if faults and all(map(output.GONE.match, faults)):
                return False
            fault = f"apt cannot say where {', '.join(words)} is"
            raise fetch_errors.ArchiveUnusable(fault, "\n".join(error.tail)) from error
        by_package = {file.package: file for file in files}
        for line in printed.splitlines():
            name = output.matched(line)["name"]
            # A source package's files are named after it too, or stand alone in the answer.
            file = by_package.get(name.split("_")[0], files[0])
            for one in output.located(line, file):
                self._known[file, name] = one
        return True

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

    def is_newer(self, left: str, right: str) -> bool:
        """Whether one version is newer than another, as dpkg compares them."""
        return self._compared(left, right) > 0

    def source_of(self, suite: str, package: str) -> str:
        """The name of the source package that a binary package is built from."""
        self.refresh(suite)
        shown = self._apt(suite, "apt-cache", "show", "--no-all-versions", package)
        match = re.search(r"^Source: (\S+)", shown, re.MULTILINE)
        return match[1] if match else package

    def built_from(self, suite: str, package: str, version: str) -> list[Located]:
        """The binary packages of a source package at a version, smallest first."""
        self.refresh(suite)
        shown = self._apt(suite, "apt-cache", "showsrc", "--only-source", package)
        names = {
            name
            for stanza in shown.split("\n\n")
            if f"\nVersion: {version}\n" in f"\n{stanza}\n"
            for line in re.findall(r"^Binary: (.*(?:\n .*)*)", stanza, re.MULTILINE)
            for name in line.replace(",", " ").split()
        }
        rows = (
            [part.strip() for part in line.split("|")]
            for line in self._apt(suite, "apt-cache", "madison", *sorted(names)).splitlines()
        )
        wanted = [
            ArchiveFile(suite=suite, package=name, version=version, kind="binary")
            for name, there, origin in rows
            if there == version and name in names and origin.endswith("Packages")
        ]
        self.learn(wanted)
        located = [one for (file, _), one in self._known.items() if file in wanted]
        return sorted(located, key=lambda one: one.size)

    def _compared(self, left: str, right: str) -> int:
        if left == right:
            return 0
        environment = {**runner.BASE_ENVIRONMENT, "PATH": runner.HOST_PATH}
        argv = ("dpkg", "--compare-versions", left, "gt", right)
        try:
            self._runner.capture(argv, what="dpkg", env=environment, log=self.log)
        except process_errors.CommandFailed as error:
            if error.code != 1:  # 2: it could not compare them
                raise
            return -1
        return 1

    def closure(
        self, suite: str, packages: Sequence[str], *, presumed: Sequence[str] = ()
    ) -> list[Located]:
        """The packages with everything they depend on, less what every builder's host has, or
        what a kernel of another architecture does without."""
        self.refresh(suite)
        presumed = presumed or (WITH_A_KERNEL if ":" in suite else PRESUMED)
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
        return [output.package_of(output.matched(line)["name"]) for line in printed.splitlines()]

    def download(
        self, suite: str, located: Located, to: Path, progressed: Callable[[int], None]
    ) -> None:
        """Fetch a file; `progressed` is told its size while it grows.

        A file that the index of one suite names may lie in the pool of the other alone: both are
        tried. Raises `ArchiveUnusable` with apt's last words.
        """
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(POLL):
                if to.exists():
                    progressed(to.stat().st_size)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            self._download_from_any(suite, located, to)
        finally:
            ended.set()
            watcher.join()
        progressed(to.stat().st_size)

    def _download_from_any(self, suite: str, located: Located, to: Path) -> None:
        places = sources.places(located.uri, self._archives())
        for left, uri in zip(reversed(range(len(places))), places, strict=True):
            words = ("download-file", uri, str(to), f"SHA256:{located.sha256}")
            try:
                self._apt(suite, HELPER, *words)
            except process_errors.CommandFailed as error:
                to.unlink(missing_ok=True)
                self._insist_on_room(error)
                if not left:
                    fault = f"{located.name} could not be downloaded from {' or '.join(places)}"
                    raise fetch_errors.ArchiveUnusable(fault, self._last_words()) from error
            else:
                return

    def _insist_on_room(self, error: process_errors.CommandFailed) -> None:
        """Raise `DiskFull` if apt failed because of that, and not because of the network."""
        if (full := engine_errors.DiskFull.stated_in(error.tail)) is not None:
            raise engine_errors.DiskFull(self._state.parent, full) from error

    @property
    def log(self) -> Path:
        """What apt said."""
        return self._state / "apt.log"

    def _last_words(self) -> str:
        return "\n".join(line for line in logs.tail(self.log)[-8:] if line[:2] != "$ ")

    def _apt(self, suite: str, program: str, *words: str) -> str:
        configuration = self._prepared(suite)
        environment = {
            **runner.BASE_ENVIRONMENT,
            **runner.network_environment(),
            "PATH": runner.HOST_PATH,
            "DEBIAN_FRONTEND": "noninteractive",
        }
        with self._login() as options:
            return self._runner.capture(
                (program, "-c", str(configuration), *options, *words),
                what=f"the archive ({suite})",
                env=environment,
                log=self.log,
            )

    @contextmanager
    def _login(self) -> Iterator[tuple[str, ...]]:
        """Options by which apt gets in where an address of the machine's has a password in it: a
        file that is there for one call, and nobody else's to read."""
        if not (text := sources.netrc(self._archives())):
            yield ()
            return
        with tempfile.NamedTemporaryFile(prefix="muslin-", suffix=".conf") as file:
            file.write(text.encode())
            file.flush()
            yield ("-o", f"Dir::Etc::netrc={file.name}")

    def _prepared(self, suite: str) -> Path:
        """The suite's configuration, with everything that it names."""
        state = self._state / suite.replace(":", "-")
        with self._lock:
            if suite in self._fresh:
                return apt_state.configuration(state)
            _, _, architecture = suite.partition(":")
            return apt_state.prepare(state, self._sources(suite), architecture)

    def lacks(self, suite: str) -> str:
        """Why this machine's apt cannot be asked for a suite; empty if it can."""
        try:
            self._sources(suite)
        except fetch_errors.ArchiveUnusable as error:
            return str(error)
        return ""

    def _archives(self) -> dict[str, Entry]:
        """`main` and `security` of this machine's own archive; every release lies there."""
        if (vendor := VENDORS.get(self._said("ID"))) is None:
            return {}
        return sources.archive_of(self._etc, self.release, vendor)

    def _sources(self, suite: str) -> str:
        release, name = self.release, self._said("ID")
        if ":" in suite and name != "debian":
            raise fetch_errors.ArchiveUnusable(
                "kernels for emulated boards come from the Debian archive, and this host is "
                f"{name or 'another'}: `nox -s boot` works on Debian hosts"
            )
        if suite != HOST_SUITE and name != "debian":
            raise fetch_errors.ArchiveUnusable(
                f"the debian source set works on Debian hosts, and this is {name or 'another'}; "
                "MUSLIN_SOURCES=upstream takes the other one"
            )
        if name not in VENDORS:
            known = " nor ".join(VENDORS)
            raise fetch_errors.ArchiveUnusable(
                f"this host is neither {known}, but {name or 'unnamed'}"
            )
        vendor = VENDORS[name]
        found = sources.archive_of(self._etc, release, vendor)
        if "main" not in found:
            raise fetch_errors.ArchiveUnusable(
                f"this machine's apt files name no archive of {name} for {release!r}; "
                "/etc/apt/sources.list wants a line for it"
            )
        wanted, _, foreign = (release if suite == HOST_SUITE else suite).partition(":")
        stanzas = sources.release_alone if foreign else sources.stanzas
        return stanzas(found, wanted, self._keyring or vendor.keyring_file, vendor)
