"""A program of the crates registry, as a command line names it: `ripgrep`, `ripgrep@15`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from muslin.models import cargo_manifest, errors

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
BEGINNING = re.compile(r"\d+(\.\d+)?")
"""The first numbers of a version."""
EXACT = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
REQUIREMENT = re.compile(r"[<>=^~*]?[-0-9A-Za-z.+*^~<>=, ]*")
LOCKS = "muslin-crates"
"""The directory of a project with locks of crates that were published without."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of a crate."""

    name: str
    version: str
    sha256: str
    """Of its archive, from the registry's index."""

    @property
    def folder(self) -> str:
        """What its directory is called."""
        return f"{self.name}-{self.version}"

    @property
    def lock(self) -> str:
        """Where a project keeps its lock."""
        return f"{LOCKS}/{self.folder}.lock"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A crate, and what its version must be."""

    name: str
    requirement: str
    """As in a manifest."""
    exact: str = ""
    """The only version that fits, if it is named in full."""


def parse(text: str) -> Request:
    """What the words behind `--crate` mean: a version in full is that one, its first numbers are
    the newest that begins so, and an operator of Cargo's (`^1.2`, `<3`) means what it does there.

    Raises `BadCrate`.
    """
    name, _, version = text.partition("@")
    version = version.strip()
    if not NAME.fullmatch(name) or (not version and "@" in text):
        raise errors.BadCrate(text)
    if EXACT.fullmatch(version):
        return Request(name=name, requirement=f"={version}", exact=version)
    if BEGINNING.fullmatch(version):
        return Request(name=name, requirement=f"{version}.*")
    if not REQUIREMENT.fullmatch(version):
        raise errors.BadCrate(text)
    return Request(name=name, requirement=version or "*")


def chosen(lock: Path, request: Request) -> Release:
    """The release that cargo chose for a request, by its lock."""
    known = cargo_manifest.lock(lock).package
    (root,) = (one for one in known if not one.source)
    names = [word.split(" ") for word in root.dependencies]
    found = [one for one in known if one.source and one.name == request.name]
    # Of two releases in a lock the direct dependency is the one with its version beside the name.
    versions = {words[1] for words in names if words[0] == request.name and len(words) > 1}
    (release,) = (one for one in found if len(found) == 1 or one.version in versions)
    return Release(name=release.name, version=release.version, sha256=release.checksum)
