"""What apt prints, read."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

from muslin.engine.source import ArchiveFile

URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<name>\S+) (?P<size>\d+) (?:SHA256:(?P<sha256>\w+))?")
GONE = re.compile(
    r"E: (Version '.*' for '.*' was not found|Can not find version '.*' of package '.*'"
    r"|Unable to (locate package|find a source package for) .*)$"
)
"""How apt says that it does not have a package or not this version of it."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A file of the archive and where it is."""

    package: str
    version: str
    uri: str
    name: str
    size: int
    sha256: str


def matched(line: str) -> re.Match[str]:
    """A line of `--print-uris`."""
    match = URI_LINE.match(line)
    assert match is not None, line
    return match


def located(printed: str, file: ArchiveFile) -> list[Located]:
    """The files that `--print-uris` tells of for a package."""
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


def package_of(name: str) -> tuple[str, str]:
    """`m4_1.4.19-3_amd64.deb` -> package and version; an epoch's colon is written %3a."""
    package, version, _ = name.split("_")
    return package, urllib.parse.unquote(version)
