"""Tar and Debian packages, unpacked without trust."""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

from muslin.engine import errors
from muslin.engine.filesystem import patterns, walk
from muslin.engine.filesystem.walk import MOST
from muslin.engine.formats import links, tar_reader

MERGED = ("bin", "lib", "lib64", "sbin")
"""Directories of a system that are links into its `usr`."""
_CHUNK = 1 << 20


def go_on() -> None:
    """Nothing speaks against the next member."""


# Long: one loop, with what each fault is turned into.
def unpack(  # noqa: PLR0913  # the fields of one step
    archive: Path,
    into: Path,
    *,
    only: tuple[str, ...] = (),
    omit: tuple[str, ...] = (),
    strip: int = 0,
    at_most: int = MOST,
    system: bool = False,
    before_each: Callable[[], None] = go_on,
) -> int:
    """Unpack a tar or Debian package and return how many members were taken.

    `before_each` is called before every member; what it raises ends the unpacking.

    With `system`, `into` becomes the root of a Linux system: absolute links become relative to it,
    and the directories that newer systems have as links into `usr` are taken into it.

    Only execute bits and times are kept of a member's metadata. `only` and `omit` look at names
    before `strip`. Raises UnsafeArchive before the faulty member is written, BrokenArchive where
    the archive cannot be read to its end, holds nothing below one of `only`, or has files of more
    than `at_most` bytes.
    """
    into.mkdir(parents=True, exist_ok=True)
    wanted = {posixpath.normpath(prefix) for prefix in only}
    unwanted = [posixpath.normpath(pattern).split("/") for pattern in omit]
    missing, below = set(wanted), set[str]()
    unpacking = _Unpacking(archive, into, strip, at_most, system=system)
    try:
        for tar, member in tar_reader.members(archive):
            before_each()
            name = posixpath.normpath(member.name)
            if wanted and not (below := wanted.intersection(prefixes(name))):
                continue
            missing -= below
            if any(patterns.begins(name.split("/"), pattern) for pattern in unwanted):
                continue
            unpacking.take(tar, member, name)
        unpacking.finish()
    # ValueError and OverflowError: a name or a time that no file can have.
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise errors.BrokenArchive(archive, str(error)) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise errors.BrokenArchive(archive, str(error)) from error
    if missing:
        raise errors.BrokenArchive(archive, f"it holds nothing below {', '.join(sorted(missing))}")
    return unpacking.count


def prefixes(name: str) -> Iterator[str]:
    """Every folder above a path, from the top, and the path itself."""
    for at, letter in enumerate(name):
        if letter == "/":
            yield name[:at]
    yield name


class _Unpacking:
    """One archive on its way into one folder."""

    def __init__(
        self, archive: Path, into: Path, strip: int, at_most: int, *, system: bool
    ) -> None:
        self.count = self._size = 0
        self._system = system
        self._archive, self._into, self._strip, self._at_most = archive, into, strip, at_most
        self._folders = {""}
        """Paths that are known to be real folders; they stay so, none is ever replaced."""
        self._times: dict[str, float] = {}

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        path = self._inside(member, name)
        if not path:
            return
        self._enter(member, posixpath.dirname(path))
        if member.isdir():
            self._enter(member, path)
            self._times[path] = member.mtime
        elif member.isreg():
            self._write_file(tar, member, path)
        elif member.issym():
            self._write_symlink(member, path)
        elif member.islnk():
            self._copy_linked(member, path)
        else:
            self._refuse(member, "is neither file, folder nor link")
        self.count += 1

    def finish(self) -> None:
        """Give folders their times, which writing into them has changed."""
        for path, time in self._times.items():
            os.utime(self._into / path, (time, time))

    def _refuse(self, member: tarfile.TarInfo, why: str) -> NoReturn:
        raise errors.UnsafeArchive(self._archive, member.name, why)

    def _clash(self, path: str) -> NoReturn:
        raise errors.BrokenArchive(self._archive, f"{path!r} would be a folder and something else")

    def _inside(self, member: tarfile.TarInfo, name: str, relation: str = "has") -> str:
        """The path below `into`; empty for what `strip` drops."""
        if name.startswith("/"):
            self._refuse(member, f"{relation} an absolute path")
        if name == ".." or name.startswith("../"):
            self._refuse(member, f"{relation} a path that leads outside")
        parts = [] if name == "." else name.split("/")
        if len(parts) > walk.DEEPEST:
            why = f"{name!r} lies {len(parts) - 1} folders deep, and {walk.DEEPEST} are the most"
            raise errors.BrokenArchive(self._archive, why)
        if self._system and parts[:1] and parts[0] in MERGED:
            parts.insert(0, "usr")
        return "/".join(parts[self._strip :])

    def _enter(self, member: tarfile.TarInfo, folder: str) -> None:
        """Make a folder and those above it, unless a link stands in the way."""
        if folder in self._folders:
            return
        for path in prefixes(folder):
            if path in self._folders:
                continue
            place = self._into / path
            try:
                mode = place.lstat().st_mode
            except FileNotFoundError:
                place.mkdir()
                place.chmod(0o755)  # whatever the umask
            else:
                if stat.S_ISLNK(mode):
                    self._refuse(member, f"leads through the link {path!r}")
                if not stat.S_ISDIR(mode):
                    self._clash(path)
            self._folders.add(path)

    def _clear(self, path: str) -> Path:
        """Where to create something new; what an earlier member put there is gone."""
        place = self._into / path
        try:
            place.unlink()
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            self._clash(path)
        return place

    def _create(self, path: str, source: IO[bytes], mode: int, time: float) -> None:
        place = self._into / path
        try:
            new = place.open("xb")
        except FileExistsError:
            new = self._clear(path).open("xb")
        with new as file:
            shutil.copyfileobj(source, file, _CHUNK)
            file.flush()  # else closing it gives it another time
            os.fchmod(file.fileno(), 0o755 if mode & 0o111 else 0o644)
            os.utime(file.fileno(), (time, time))

    def _write_file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        self._size += member.size
        if self._size > self._at_most:
            raise errors.BrokenArchive(
                self._archive, f"its files have more than {self._at_most} bytes"
            )
        source = tar.extractfile(member)
        assert source is not None, member.name
        self._create(path, source, member.mode, member.mtime)

    def _write_symlink(self, member: tarfile.TarInfo, path: str) -> None:
        target = member.linkname
        if target.startswith("/") and self._system:
            target = posixpath.relpath(target, f"/{posixpath.dirname(path)}")
            if target == posixpath.basename(path):
                return  # `/bin/x`, a link to `/usr/bin/x` that is there already
        if fault := links.fault(path, target):
            self._refuse(member, fault)
        place = self._clear(path)
        place.symlink_to(target)
        os.utime(place, (member.mtime, member.mtime), follow_symlinks=False)

    def _copy_linked(self, member: tarfile.TarInfo, path: str) -> None:
        """Copy, since later steps write files in place."""
        linked = posixpath.normpath(member.linkname)
        target = self._inside(member, linked, "is a hard link to")
        self._enter(member, posixpath.dirname(target))
        if target == path:
            return
        place = self._into / target
        try:
            status = place.lstat()
        except FileNotFoundError as error:
            why = f"{member.name!r} is a hard link to {linked!r}, which was not unpacked before"
            raise errors.BrokenArchive(self._archive, why) from error
        if not stat.S_ISREG(status.st_mode):
            self._refuse(member, f"is a hard link to {linked!r}, which is no file")
        with walk.opened(place) as source:
            self._create(path, source, status.st_mode, status.st_mtime)
