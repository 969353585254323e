"""Tar and Debian packages: unpacked without trust, packed so that the same tree gives the same
bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import posixpath
import shutil
import stat
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, NoReturn, Self

from recipes.errors import BrokenArchive, UnsafeArchive

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHUNK = 1 << 20
_AR_MAGIC = b"!<arch>\n"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_MODES: Mapping[str, int] = MappingProxyType({})


# --- unpack ---------------------------------------------------------------------------------


def unpack(archive: Path, into: Path, *, only: tuple[str, ...] = (), strip: int = 0) -> int:
    """Unpack a tar or Debian package and return how many members were taken.

    Only execute bits and times are kept of a member's metadata. `only` looks at names before
    `strip`. Raises UnsafeArchive before the faulty member is written, BrokenArchive where the
    archive cannot be read to its end or holds nothing below one of `only`.
    """
    into.mkdir(parents=True, exist_ok=True)
    wanted = {posixpath.normpath(prefix) for prefix in only}
    missing, below = set(wanted), set[str]()
    unpacking = _Unpacking(archive, into, strip)
    with ExitStack() as stack:
        contents = stack.enter_context(_contents(archive))
        try:
            tar = stack.enter_context(tarfile.open(fileobj=contents, mode="r|", tarinfo=_Member))
            while (member := tar.next()) is not None:
                tar.members.clear()  # else the headers of 110 000 members stay in memory
                name = posixpath.normpath(member.name)
                if wanted and not (below := wanted.intersection(_prefixes(name))):
                    continue
                missing -= below
                unpacking.take(tar, member, name)
            while contents.read(_CHUNK):  # what follows the last member holds the checksum
                pass
        # ValueError and OverflowError: a name or a time that no file can have.
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise BrokenArchive(archive, str(error)) from error
    if missing:
        raise BrokenArchive(archive, f"it holds nothing below {', '.join(sorted(missing))}")
    unpacking.finish()
    return unpacking.count


def _prefixes(name: str) -> Iterator[str]:
    """The path itself and every folder above it."""
    yield name
    for at, letter in enumerate(name):
        if letter == "/":
            yield name[:at]


class _Unpacking:
    """One archive on its way into one folder."""

    def __init__(self, archive: Path, into: Path, strip: int) -> None:
        self.count = 0
        self._archive, self._into, self._strip = archive, str(into), strip
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
            os.utime(self._place(path), (time, time))

    def _place(self, path: str) -> str:
        return f"{self._into}/{path}"

    def _refuse(self, member: tarfile.TarInfo, why: str) -> NoReturn:
        raise UnsafeArchive(self._archive, member.name, why)

    def _inside(self, member: tarfile.TarInfo, name: str) -> str:
        """The path below `into`; empty for what `strip` drops."""
        if name.startswith("/"):
            self._refuse(member, "has an absolute path")
        if name == ".." or name.startswith("../"):
            self._refuse(member, "has a path that leads outside")
        parts = [] if name == "." else name.split("/")
        return "/".join(parts[self._strip :])

    def _enter(self, member: tarfile.TarInfo, folder: str) -> None:
        """Make a folder and those above it, unless a link stands in the way."""
        if folder in self._folders:
            return
        self._enter(member, posixpath.dirname(folder))
        place = self._place(folder)
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            os.mkdir(place)
            os.chmod(place, 0o755)  # whatever the umask
        else:
            if stat.S_ISLNK(mode):
                self._refuse(member, f"would be written through the link {folder!r}")
            if not stat.S_ISDIR(mode):
                raise BrokenArchive(
                    self._archive, f"it has {folder!r} as a folder and as something else"
                )
        self._folders.add(folder)

    def _clear(self, path: str) -> str:
        """Where to create something new; what an earlier member put there is gone."""
        place = self._place(path)
        try:
            os.unlink(place)
        except FileNotFoundError:
            pass
        except IsADirectoryError as error:
            why = f"it has {path!r} as a folder and as something else"
            raise BrokenArchive(self._archive, why) from error
        return place

    def _create(self, path: str, source: IO[bytes], mode: int, time: float) -> None:
        place = self._place(path)
        try:
            new = os.open(place, _NEW, 0o600)
        except FileExistsError:
            new = os.open(self._clear(path), _NEW, 0o600)
        with open(new, "wb", buffering=0) as file:
            shutil.copyfileobj(source, file, _CHUNK)
            os.fchmod(file.fileno(), 0o755 if mode & 0o111 else 0o644)
            os.utime(file.fileno(), (time, time))

    def _write_file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        source = tar.extractfile(member)
        assert source is not None, member.name
        self._create(path, source, member.mode, member.mtime)

    def _write_symlink(self, member: tarfile.TarInfo, path: str) -> None:
        target = member.linkname
        if target.startswith("/"):
            self._refuse(member, f"is a link to the absolute path {target!r}")
        # Folders above a link are real ones, so leading `..` can be counted. Behind a name they
        # cannot: the name may be a link itself.
        parts = [part for part in target.split("/") if part not in ("", ".")]
        up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
        if up > path.count("/"):
            self._refuse(member, f"is a link that leads outside, to {target!r}")
        if ".." in parts[up:]:
            self._refuse(member, f"is a link to {target!r}, which goes up again behind a name")
        place = self._clear(path)
        os.symlink(target, place)
        os.utime(place, (member.mtime, member.mtime), follow_symlinks=False)

    def _copy_linked(self, member: tarfile.TarInfo, path: str) -> None:
        """Copy, since later steps write files in place."""
        linked = posixpath.normpath(member.linkname)
        target = self._inside(member, linked)
        self._enter(member, posixpath.dirname(target))
        if target == path:
            return
        try:
            file = os.open(self._place(target), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError as error:
            why = f"{member.name!r} is a hard link to {linked!r}, which was not unpacked before"
            raise BrokenArchive(self._archive, why) from error
        except OSError:
            self._refuse(member, f"is a hard link to {linked!r}, which is a link itself")
        with open(file, "rb") as source:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                self._refuse(member, f"is a hard link to {linked!r}, which is no file")
            self._create(path, source, status.st_mode, status.st_mtime)


class _Member(tarfile.TarInfo):
    """A header; a faulty one between members is an error, where tarfile takes it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the block of zeros that ends every tar
            if len(buf) < tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it ends too early") from error
            raise tarfile.ReadError(f"a header in it is damaged ({error})") from error


class _Contents(io.RawIOBase):
    """What a compressed stream holds; whatever ails the stream is the archive's fault."""

    def __init__(self, archive: Path, stream: io.BufferedIOBase) -> None:
        self._archive, self._stream = archive, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        try:
            return self._stream.readinto(buffer)
        except Exception as error:  # every decompressor has exceptions of its own
            raise BrokenArchive(self._archive, str(error)) from error


class _Slice(io.RawIOBase):
    """The next bytes of a file, as a file."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        with memoryview(buffer) as view:
            count = self._file.readinto(view[: self._left])
        self._left -= count
        return count


@contextmanager
def _contents(archive: Path) -> Iterator[io.BufferedReader[_Contents]]:
    """The tar inside an archive, whatever is around it."""
    with archive.open("rb", buffering=0) as file:
        raw: io.RawIOBase = file
        if file.read(len(_AR_MAGIC)) == _AR_MAGIC:
            raw = _debian_data(archive, file)
        else:
            file.seek(0)
        with _decompress(archive, io.BufferedReader(raw, _CHUNK)) as stream:
            yield io.BufferedReader(_Contents(archive, stream), _CHUNK)


def _debian_data(archive: Path, file: io.FileIO) -> _Slice:
    """The `data.tar` member of a Debian package; the layout is in deb(5) and ar(5)."""
    while header := file.read(60):
        name, size = header[:16].decode("ascii", "replace"), header[48:58].strip()
        if len(header) < 60 or header[58:] != b"`\n" or not size.isdigit():
            raise BrokenArchive(archive, "a header in it is damaged")
        if name.startswith("data.tar"):
            return _Slice(file, int(size))
        file.seek(int(size) + int(size) % 2, os.SEEK_CUR)
    raise BrokenArchive(archive, "it has no member data.tar")


def _decompress(archive: Path, packed: io.BufferedReader[io.RawIOBase]) -> io.BufferedIOBase:
    magic = packed.peek(8)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(packed)
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.open(packed)
    if magic.startswith(b"BZh"):
        return bz2.open(packed)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return _decompress_zstd(archive, packed)
    return packed


def _decompress_zstd(archive: Path, packed: io.BufferedReader[io.RawIOBase]) -> io.BufferedIOBase:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ModuleNotFoundError as error:
        why = "it is compressed with zstd; install backports.zstd (part of Python 3.14)"
        raise BrokenArchive(archive, why) from error
    return zstd.open(packed)
