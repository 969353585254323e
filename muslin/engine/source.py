"""What goes into a stage from outside: files to download, files of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

UNKEYED: Mapping[str, bool] = MappingProxyType({"key": False})
"""Metadata of a field that is in no key."""


@dataclass(frozen=True, kw_only=True)
class Url:
    """A file on the web; HTTPS, or HTTP on the loopback interface."""

    address: str


@dataclass(frozen=True, kw_only=True)
class ArchiveFile:
    """A file of the Debian archive, found by package and version in its signed indexes."""

    suite: str
    """A release such as `trixie`, or `host` for the release this machine runs."""
    package: str
    version: str
    kind: Literal["binary", "source"]


@dataclass(frozen=True, kw_only=True)
class IndexFile:
    """A wheel of a package index, found by pip; pip's own configuration names the index."""

    project: str
    version: str
    pip: Source
    """The Debian package that has pip as a wheel: `python3-pip-whl`."""


Origin = Url | ArchiveFile | IndexFile


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file to download, known by its digest."""

    name: str = field(metadata=UNKEYED)
    sha256: str
    size: int = field(metadata=UNKEYED)
    """Bytes; 0 where no record of it was found: the digest alone decides then."""
    origins: tuple[Origin, ...] = field(metadata=UNKEYED)
    """Tried in this order."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of the project's own."""

    path: str
    sha256: str
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A set of the project's own files, known by their digests."""

    root: Path = field(metadata=UNKEYED)
    files: tuple[File, ...]
    also: tuple[File, ...] = field(default=(), metadata=UNKEYED)
    """Files that must lie there and cannot change the output."""
