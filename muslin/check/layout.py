"""The files of a container image: of an OCI layout or of what `docker save` writes, as a folder or
as a tar."""

from __future__ import annotations

import json
import os
import posixpath
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from muslin.audit.finding import Refused
from muslin.check import tar
from muslin.check.budget import Budget

LISTS = ("index.json", "manifest.json")
"""OCI's list of images, and Docker's older one."""
LONGEST = 4_000_000
"""Bytes of a manifest or configuration; registries take as many."""
LINKS = 40
"""Symbolic links in a row; Linux follows as many."""


class Files(Protocol):
    """Where the files of an image are found by their names."""

    def find(self, name: str) -> Path:
        """A file by its name in the image. Raises `Refused` if it is not there."""


class Folder:
    """A folder with an image."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def find(self, name: str) -> Path:
        """A file of the folder, wherever links lead."""
        path = Path(os.path.realpath(self._root / name))
        if not path.is_relative_to(self._root):
            raise Refused(f"{name!r} leads out of it")
        if not path.is_file():
            raise Refused(f"{name!r}, which it names, is not there")
        return path


class Unpacked:
    """A tar with an image; its files are copied into a folder under numbers."""

    def __init__(self, path: Path, into: Path, budget: Budget) -> None:
        self._files: dict[str, Path] = {}
        self._links: dict[str, str] = {}
        into.mkdir(parents=True, exist_ok=True)
        for archive, member in tar.members(path, budget):
            name = clean(member.name)
            if member.issym() or member.islnk():
                above = posixpath.dirname(name) if member.issym() else ""
                self._links[name] = clean(posixpath.join(above, member.linkname))
            elif member.isreg() and (source := archive.extractfile(member)) is not None:
                budget.take_bytes(member.size)
                copied = into / f"{len(self._files)}"
                with source, copied.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                self._files[name] = copied

    def find(self, name: str) -> Path:
        """A file of the tar; links lead to others of it."""
        path = clean(name)
        for _ in range(LINKS):
            if path in self._files:
                return self._files[path]
            path = self._links.get(path, "")
        raise Refused(f"{name!r}, which it names, is not there")


def clean(name: str) -> str:
    """A path without `.` and `..`, none of which leads above the root."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def has(files: Files, name: str) -> bool:
    """Whether an image has a file."""
    try:
        files.find(name)
    except Refused:
        return False
    return True


def document(files: Files, name: str) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    """A file with JSON. Raises `Refused` if it is not there or is too long, `ValueError`."""
    path = files.find(name)
    if path.stat().st_size > LONGEST:
        raise Refused(f"its {name!r} is longer than {LONGEST} bytes")
    return json.loads(path.read_bytes())


def is_image(files: Files) -> bool:
    """Whether files are those of an image: a list of images is at their root."""
    return any(_is_list(files, name) for name in LISTS)


def _is_list(files: Files, name: str) -> bool:
    try:
        listed = document(files, name)
    except (Refused, ValueError, RecursionError):
        return False
    match listed:
        case {"manifests": list()}:
            return True
        case [*images]:
            return any(isinstance(image, Mapping) and "Layers" in image for image in images)
        case _:
            return False
