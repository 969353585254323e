"""Packages and Sources files: the stanzas of a package, found without parsing all the others.

Format: deb822(5); the fields are those of deb-control(5) and dsc(5).
"""

from __future__ import annotations

import bisect
import functools
import mmap
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from debian import deb822

from muslin.engine.fetch.archive.located import Located, Role

Kind = Literal["binary", "source"]
SEPARATOR = b"\n\n"
FIRST_LINE = re.compile(rb"^Package: (\S+)$", re.MULTILINE)
PROVIDES = re.compile(rb"^Provides: (.*)$", re.MULTILINE)
NAME = re.compile(r"(?:^|, *)([^ ,(]+)")


class Index:
    """One decompressed index file."""

    def __init__(self, path: Path, kind: Kind, role: Role) -> None:
        self.kind, self.role = kind, role
        with path.open("rb") as file:
            size = path.stat().st_size
            self._text: mmap.mmap | bytes = (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
            )

    def stanzas(self, package: str) -> Iterator[deb822.Deb822]:
        """Every version of a package, in the order of the file."""
        for begin in self._begins.get(package.encode(), ()):
            end = self._text.find(SEPARATOR, begin)
            text = self._text[begin : end if end >= 0 else len(self._text)]
            yield deb822.Deb822(text.decode("utf-8", "replace"))

    @functools.cached_property
    def _begins(self) -> dict[bytes, list[int]]:
        """Package -> offsets of its stanzas, each of which begins with its name."""
        begins: dict[bytes, list[int]] = {}
        for match in FIRST_LINE.finditer(self._text):
            begins.setdefault(match[1], []).append(match.start())
        return begins

    def providers(self, name: str) -> list[str]:
        """The packages that provide a name (`Provides`), in the order of the file."""
        return self._provided.get(name, [])

    @functools.cached_property
    def _provided(self) -> dict[str, list[str]]:
        provided: dict[str, list[str]] = {}
        names = [(begin, name) for name, some in self._begins.items() for begin in some]
        names.sort()
        offsets = [begin for begin, _ in names]
        for match in PROVIDES.finditer(self._text):
            package = names[bisect.bisect(offsets, match.start()) - 1][1].decode()
            for name in NAME.findall(match[1].decode("utf-8", "replace")):
                provided.setdefault(name, []).append(package)
        return provided


def files_of(stanza: Mapping[str, str], index: Index) -> Iterator[Located]:
    """The files of a package at a version: one of a binary package, several of a source package."""
    package, version, role = stanza["Package"], stanza["Version"], index.role
    if index.kind == "binary":
        version_in_name = version.replace(":", "%3a")
        yield Located(
            package=package,
            version=version,
            role=role,
            path=stanza["Filename"],
            name=f"{package}_{version_in_name}_{stanza['Architecture']}.deb",
            size=int(stanza["Size"]),
            sha256=stanza["SHA256"],
        )
        return
    for line in stanza.get("Checksums-Sha256", "").splitlines():
        if not line.strip():
            continue
        sha256, size, name = line.split()
        yield Located(
            package=package,
            version=version,
            role=role,
            path=posixpath.join(stanza["Directory"], name),
            name=name,
            size=int(size),
            sha256=sha256,
        )
