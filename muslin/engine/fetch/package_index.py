"""Wheels of a package index, by pip. Which index that is, and how it is reached, is pip's own
configuration; pip itself is a wheel in a Debian package, so the machine's Python needs none.

What pip brings is compared with the pin by the fetcher: neither pip nor the index is trusted.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.filesystem import atomic
from muslin.engine.formats import unpack, wheels
from muslin.engine.process import errors as process_errors
from muslin.engine.process.runner import HOST_PATH, Runner, network_environment
from muslin.engine.redaction import hidden
from muslin.engine.source import IndexFile, Source

WHEELS = "usr/share/python-wheels"
"""Where Debian's package has pip's wheel, which Python runs as it is."""
CONFIGURATION = (
    *("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "NETRC", "REQUESTS_CA_BUNDLE"),
    *("PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"),
    *("PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_PROXY", "PIP_KEYRING_PROVIDER"),
    *("PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT", "PIP_RETRIES"),
)
"""What says where and how pip asks. Its other variables could change what it takes."""
RECEIVED = re.compile(r"^ *Got +([0-9a-f]{64})$", re.MULTILINE)
"""How pip names the SHA-256 of a file that is not the required one."""
FIRST_GLIBC = 5
"""The minor version of the oldest glibc 2 that wheels are made for (PEP 600)."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A wheel that an index has."""

    project: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What wheels are to run on."""

    python: str
    """A version such as `3.11`, of CPython."""
    machine: str
    """The kernel's name of it."""
    glibc: int
    """The minor version of its glibc 2."""

    @property
    def options(self) -> Iterator[str]:
        """Pip's options for it; an alias of a tag, such as `manylinux2014`, counts as the tag."""
        minor = self.python.replace(".", "")
        yield from ("--implementation=cp", f"--python-version={self.python}")
        yield from (f"--abi={abi}" for abi in (f"cp{minor}", "abi3", "none"))
        for glibc in range(self.glibc, FIRST_GLIBC - 1, -1):
            yield f"--platform=manylinux_2_{glibc}_{self.machine}"
        yield f"--platform=manylinux2014_{self.machine}"


class PackageIndex:
    """Asks pip. `pip` is everywhere the Debian package that has it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the unpacked pip."""
        with self._lock:
            if self._unpacked is not None:
                self._unpacked.cleanup()
                self._unpacked = None

    def download(self, origin: IndexFile, source: Source, to: Path, *, pip: Path) -> None:
        """Fetch the wheel with the digest of a source. Raises `IndexFailed`."""
        pinned = f"{origin.project}=={origin.version} --hash=sha256:{source.sha256}\n"
        with _scratch(to.parent) as folder:
            (folder / "requirements.txt").write_text(pinned, encoding="utf-8")
            words = ("download", "--no-deps", "--require-hashes", "--ignore-requires-python")
            more = ("--requirement=requirements.txt", "--dest=got", *_tags(source.name))
            self._run(folder, pip, (*words, *more), source.name)
            (got,) = (folder / "got").iterdir()
            atomic.clear(to)
            got.replace(to)

    def resolve(
        self, requirements: Sequence[str], platform: Platform, *, pip: Path
    ) -> list[Located]:
        """The newest wheels that meet the requirements on a platform, by name.

        Markers of requirements are those of the running Python: it has to be of the platform's
        version. Raises `IndexFailed`.
        """
        assert platform.python == f"{sys.version_info.major}.{sys.version_info.minor}"
        with _scratch(pip.parent) as folder:
            words = ("install", "--dry-run", "--ignore-installed", "--report=report.json")
            self._run(folder, pip, (*words, *platform.options, *requirements), platform.machine)
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        located = [_located(one) for one in report["install"]]
        return sorted(located, key=lambda one: one.project)

    def _run(self, folder: Path, pip: Path, words: Sequence[str], what: str) -> None:
        """Run pip in a folder. Raises `IndexFailed` with its last lines."""
        command, *rest = words
        always = ("--only-binary=:all:", "--no-cache-dir", "--progress-bar=off")
        argv = (sys.executable, "-I", str(self._pip(pip)), command, *always, *rest)
        environment = {
            "PATH": HOST_PATH,
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(folder),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_REQUIRE_VIRTUALENV": "0",
            **network_environment(),
            **{name: os.environ[name] for name in CONFIGURATION if name in os.environ},
        }
        log = folder / "log"
        try:
            self._runner.run(argv, what=what, cwd=folder, env=environment, log=log)
        except process_errors.CommandFailed as error:
            lines = [hidden(line) for line in error.tail if line and not line.startswith("$ ")]
            received = RECEIVED.search("\n".join(lines))
            raise fetch_errors.IndexFailed(
                what, lines, received=received[1] if received else ""
            ) from error

    def _pip(self, package: Path) -> Path:
        """The folder of pip, unpacked once in a run: from there it starts five times as fast as
        from its wheel, as Python keeps what it compiled."""
        with self._lock:
            if self._unpacked is None:
                self._unpacked = tempfile.TemporaryDirectory(prefix="muslin-pip-")
                here = Path(self._unpacked.name)
                unpack.unpack(package, here, only=(WHEELS,))
                (wheel,) = (here / WHEELS).glob("pip-*.whl")
                wheels.unpack(wheel, here)
            return Path(self._unpacked.name, "pip")


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """A folder on the disk of the downloads, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=beside) as folder:
        yield Path(folder)


def _tags(name: str) -> Iterator[str]:
    """Pip's options for exactly the tags of a wheel's name (PEP 427), whatever runs pip."""
    pythons, abis, platforms = (
        part.split(".") for part in name.removesuffix(".whl").split("-")[-3:]
    )
    implementation, version = pythons[-1][:2], pythons[-1][2:]
    yield f"--implementation={implementation}"
    yield f"--python-version={version[:1]}.{version[1:]}".rstrip(".")
    yield from (f"--abi={abi}" for abi in abis)
    yield from (f"--platform={platform}" for platform in platforms if platform != "any")


def _located(reported: Any) -> Located:  # noqa: ANN401  # pip's report, version 1
    """A wheel as pip's installation report names it."""
    about, info = reported["metadata"], reported["download_info"]
    return Located(
        project=about["name"].lower().replace("_", "-").replace(".", "-"),
        version=about["version"],
        file=urllib.parse.unquote(info["url"].partition("#")[0].rpartition("/")[2]),
        sha256=info["archive_info"]["hashes"]["sha256"],
    )
