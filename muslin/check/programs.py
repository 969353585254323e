"""The programs in an input: ELF files, and those in folders, archives, packages and images.

Archives are told by their first bytes. What is unpacked lies in one temporary folder under numbers,
for as long as it is looked at.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from muslin.audit import objects
from muslin.audit.finding import Refused
from muslin.check import compression, cpio, image_programs, layout, rpm, tar, unix_ar
from muslin.check.budget import DEPTH, Budget
from muslin.check.platforms import Platform

HEAD = 512
"""Bytes by which a file is told: the first block of a tar."""
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
APK_3 = (b"ADBd", b"ADBc", b"ADB.")
PLAIN = "plain"
"""Content that is no archive and no program."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """An ELF file, or an archive of objects."""

    name: str
    """The input's, and the path in every archive on the way."""
    path: Path
    """Where its content lies until the next one is asked for."""
    platforms: tuple[Platform, ...] = ()
    """Of the image that it is in."""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """An input, or a part of one, that cannot be looked into."""

    name: str
    reason: str


Item = Program | Unreadable


def of(path: Path, aside: Path) -> Iterator[Item]:
    """Every program in a file or a folder; `aside` is a folder for what is unpacked."""
    search = _Search(aside)
    if not path.is_dir():
        yield from search.file(path, path.name, 0)
    elif layout.is_image(files := layout.Folder(path)):
        yield from search.image(files, path.name)
    else:
        yield from search.folder(path)
    if not search.found:
        yield Unreadable(name=path.name, reason="it holds no ELF file")


# Long: one search, with what it has found so far.
class _Search:
    """One input on its way through its archives."""

    def __init__(self, aside: Path) -> None:
        self.found = False
        """Whether anything was yielded."""
        self._aside, self._budget, self._number = aside, Budget(), 0

    def folder(self, root: Path) -> Iterator[Item]:
        """The regular files below a folder, by name; links are not followed."""
        for above, folders, names in os.walk(root, onerror=None):
            folders.sort()
            for name in sorted(names):
                path = Path(above, name)
                if path.is_file() and not path.is_symlink():
                    self._budget.take_member()
                    yield from self.file(path, str(path.relative_to(root.parent)), 0, inside=True)

    def file(self, path: Path, name: str, depth: int, *, inside: bool = False) -> Iterator[Item]:
        """One file; `inside` something else, where most files are neither program nor archive."""
        try:
            if not path.is_file():
                raise Refused("it is neither a file nor a folder")
            with path.open("rb") as file:
                kind = _kind(file.read(HEAD), file)
            if kind == PLAIN and not inside:
                raise Refused("it is neither an ELF file, nor an archive, package or image")
            if kind not in (PLAIN, "program") and depth == DEPTH:
                raise Refused(f"it lies in more than {DEPTH} archives")
            yield from self._opened(kind, path, name, depth)
        except (Refused, OSError) as fault:
            self.found = True
            yield Unreadable(name=name, reason=str(fault))

    def _opened(self, kind: str, path: Path, name: str, depth: int) -> Iterator[Item]:
        match kind:
            case "plain":
                pass
            case "program":
                self.found = True
                yield Program(name=name, path=path)
            case "tar":
                yield from self._tar(path, name, depth)
            case "zip":
                yield from self._zip(path, name, depth)
            case "cpio" | "deb" | "rpm":
                yield from self._parts(kind, path, name, depth)
            case _:
                yield from self._decompressed(kind, path, name, depth)

    def _parts(self, kind: str, path: Path, name: str, depth: int) -> Iterator[Item]:
        """The members of an archive that lie in it as they are."""
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if kind == "rpm":
                start = rpm.payload(file)
                file.seek(start)
                yield from self._member(file, size - start, name, depth, inside=False)
                return
            every = (
                unix_ar.members(file) if kind == "deb" else cpio.members(file, size, self._budget)
            )
            for title, start, length in every:
                file.seek(start)
                yield from self._member(file, length, f"{name}/{layout.clean(title)}", depth)

    def _decompressed(self, kind: str, path: Path, name: str, depth: int) -> Iterator[Item]:
        with self._new() as into:
            with path.open("rb") as file:
                compression.plain(file, kind, into.path, self._budget)
            yield from self.file(into.path, name, depth + 1, inside=True)

    def _tar(self, path: Path, name: str, depth: int) -> Iterator[Item]:
        if _may_be_image(path, self._budget):
            with self._new() as into:
                files = layout.Unpacked(path, into.folder(), self._budget)
                if layout.is_image(files):
                    yield from self.image(files, name)
                    return
        for archive, member in tar.members(path, self._budget):
            if member.isdir() or member.issym() or member.islnk():
                continue
            if (content := archive.extractfile(member)) is not None:
                inner = f"{name}/{layout.clean(member.name)}"
                yield from self._member(content, member.size, inner, depth)

    def _zip(self, path: Path, name: str, depth: int) -> Iterator[Item]:
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if not member.is_dir():
                        inner = f"{name}/{layout.clean(member.filename)}"
                        yield from self._zipped(archive, member, inner, depth)
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            raise Refused(f"it is no sound zip: {error}") from error

    def _zipped(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, depth: int
    ) -> Iterator[Item]:
        self._budget.take_member()
        try:
            with archive.open(member) as content:
                # Its size is a claim; how much comes out is counted.
                yield from self._member(content, None, name, depth)
        except Refused:
            raise
        except Exception as error:  # zlib's, and RuntimeError of what is encrypted
            self.found = True
            yield Unreadable(name=name, reason=f"unable to read it from the zip: {error}")

    def image(self, files: layout.Files, name: str) -> Iterator[Item]:
        """Every program of every layer of every platform."""
        try:
            every = image_programs.images(files)
        except Refused as fault:
            self.found = True
            yield Unreadable(name=name, reason=f"it is no sound image: {fault}")
            return
        for one in every:
            self.found = True
            titled = f"{name}[{one.platforms[0]}]"
            with self._new() as into:
                try:
                    programs = image_programs.contents(one, into.path, self._budget)
                    for inner, path in programs:
                        yield Program(name=f"{titled}/{inner}", path=path, platforms=one.platforms)
                        path.unlink()
                except Refused as fault:
                    yield Unreadable(name=titled, reason=str(fault))

    def _member(
        self, content: IO[bytes], size: int | None, name: str, depth: int, *, inside: bool = True
    ) -> Iterator[Item]:
        """A member of an archive, of at most `size` bytes, copied if it may hold a program."""
        head = content.read(HEAD if size is None else min(HEAD, size))
        if inside and _by_magic(head) == PLAIN:
            return
        with self._new() as into:
            with into.path.open("wb") as copy:
                chunk, left = head, (size or 0) - len(head)
                while chunk:
                    self._budget.take_bytes(len(chunk))
                    copy.write(chunk)
                    most = compression.CHUNK if size is None else min(compression.CHUNK, left)
                    chunk = content.read(most)
                    left -= len(chunk)
            yield from self.file(into.path, name, depth + 1, inside=inside)

    def _new(self) -> _Aside:
        self._number += 1
        return _Aside(self._aside / f"{self._number}")


class _Aside:
    """A path for what is unpacked, which is gone afterwards."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self) -> Path:
        self.path.mkdir()
        return self.path

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


def _kind(head: bytes, file: IO[bytes]) -> str:
    """What a file is; one that is compressed and holds nothing of interest is plain."""
    kind = _by_magic(head)
    if kind not in compression.MAGIC.values():
        return kind
    file.seek(0)
    inner = compression.beginning(file, kind, HEAD)
    if inner or kind in ("lzma", "bzip2"):  # few bytes say these two: text may begin so
        return PLAIN if _by_magic(inner) == PLAIN else kind
    return kind


def _by_magic(head: bytes) -> str:
    """What begins with these bytes."""
    if head.startswith(objects.ARCHIVE):
        return "deb" if unix_ar.is_deb(head) else "program"
    if head.startswith((objects.ELF, objects.THIN)):
        return "program"
    if head.startswith(ZIP):
        return "zip"
    if head.startswith((*cpio.MAGIC, cpio.STRIPPED)):
        return "cpio"
    if head.startswith(rpm.LEAD):
        return "rpm"
    if head.startswith(APK_3):
        raise Refused("it is an apk package of version 3, which is not read")
    return compression.of(head) or ("tar" if tar.is_tar(head) else PLAIN)


def _may_be_image(path: Path, budget: Budget) -> bool:
    names = {layout.clean(member.name) for _, member in tar.members(path, budget)}
    return not names.isdisjoint(layout.LISTS)
