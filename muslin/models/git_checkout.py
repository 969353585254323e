"""What a git checkout says of itself: its commit and its repository, read from git's own files.

git is not started: a run with nothing to do compares the files that were read, and starts nothing.
Formats: gitrepository-layout(5), git-config(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from muslin.engine import errors
from muslin.engine.formats import documents

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SECTION = re.compile(r'\[remote "origin"\]', re.IGNORECASE)
URL = re.compile(r"url\s*=\s*(\S+)", re.IGNORECASE)
SCP = re.compile(r"(?:[^@/:\s]+@)?([A-Za-z0-9.-]+):(?!//)/?([^\s]+)")
"""How ssh addresses are mostly written: `git@github.com:me/app.git`."""
LINKS = 5
"""Symbolic references in a row, which git limits likewise."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A checkout; each is empty if it is not known."""

    commit: str
    """The commit that is checked out; it says nothing of changes since."""
    address: str
    """The web address of the remote `origin`, without user and password."""


def find(folder: Path) -> Checkout | None:
    """The checkout that a folder is in, or None."""
    for above in (folder, *folder.parents):
        own = above / ".git"
        if documents.is_folder(own):
            return _read(own, own)
        if documents.is_file(own):  # of a submodule or another working tree
            named = _line(own).partition("gitdir:")[2].strip()
            own = above / named
            shared = _line(own / "commondir")
            return _read(own, own / shared if shared else own)
    return None


def _read(own: Path, shared: Path) -> Checkout:
    return Checkout(commit=_commit(own, shared), address=_web(_origin(shared / "config")))


def _commit(own: Path, shared: Path) -> str:
    said = _line(own / "HEAD")
    for _ in range(LINKS):
        if COMMIT.fullmatch(said):
            return said
        name = said.partition("ref:")[2].strip()
        if not name.startswith("refs/") or ".." in name:
            return ""
        said = _line(shared / name) or _packed(shared, name)
    return ""


def _packed(shared: Path, name: str) -> str:
    for line in _lines(shared / "packed-refs"):
        commit, _, of = line.partition(" ")
        if of == name:
            return commit
    return ""


def _origin(config: Path) -> str:
    inside = False
    for line in _lines(config):
        if line.startswith("["):
            inside = SECTION.fullmatch(line) is not None
        elif inside and (match := URL.fullmatch(line)):
            return match[1].strip('"')
    return ""


def _web(address: str) -> str:
    """An address as people open it; empty for a path of this machine."""
    if "://" in address:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return ""
        if parts.scheme not in ("https", "http", "ssh", "git") or not host:
            return ""
        is_web = parts.scheme in ("https", "http")
        scheme = parts.scheme if is_web else "https"
        place = f"{host}:{port}" if port and is_web else host
        path = parts.path
    elif match := SCP.fullmatch(address):
        scheme, place, path = "https", match[1], f"/{match[2]}"
    else:
        return ""
    return f"{scheme}://{place}{path.rstrip('/').removesuffix('.git')}"


def _line(path: Path) -> str:
    return next(_lines(path), "")


def _lines(path: Path) -> Iterator[str]:
    """A file's lines without blanks around them; none of a file that cannot be read."""
    if not documents.is_file(path):  # noted too
        return
    try:
        text = documents.text(path, strict=False)
    except errors.BadDeclaration:
        return
    yield from (line.strip() for line in text.splitlines())
