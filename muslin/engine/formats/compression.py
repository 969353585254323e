"""What is around a tar: compression, and the ar of a Debian package; none of it needs a program."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from muslin.engine import errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    Packed = io.BufferedReader[io.RawIOBase]

_BUFFER = 1 << 20
_AR_MAGIC = b"!<arch>\n"


@contextmanager
def contents(archive: Path) -> Iterator[io.BufferedReader[_Contents]]:
    """The tar inside an archive, whatever is around it."""
    with archive.open("rb", buffering=0) as file:
        raw: io.RawIOBase = file
        if file.read(len(_AR_MAGIC)) == _AR_MAGIC:
            raw = _debian_data(archive, file)
        else:
            file.seek(0)
        with io.BufferedReader(raw, _BUFFER) as packed, _decompress(archive, packed) as stream:
            yield io.BufferedReader(_Contents(archive, stream), _BUFFER)


class _Contents(io.RawIOBase):
    """What a compressed stream holds; whatever ails the stream is the archive's fault."""

    def __init__(self, archive: Path, stream: io.BufferedIOBase) -> None:
        self._archive, self._stream = archive, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            return self._stream.readinto(buffer)
        except MemoryError:
            raise
        except Exception as error:  # every decompressor has exceptions of its own
            raise errors.BrokenArchive(self._archive, str(error)) from error


class _Slice(io.RawIOBase):
    """The next bytes of a file, as a file."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        with memoryview(buffer) as view:
            count = self._file.readinto(view[: self._left])
        self._left -= count
        return count


def _debian_data(archive: Path, file: io.FileIO) -> _Slice:
    """The `data.tar` member of a Debian package; the layout is in deb(5) and ar(5)."""
    while header := file.read(60):
        name, size = header[:16].decode("ascii", "replace"), header[48:58].strip()
        if header[58:] != b"`\n" or not size.isdigit():
            raise errors.BrokenArchive(archive, "a header in it is damaged")
        if name.startswith("data.tar"):
            return _Slice(file, int(size))
        file.seek(int(size) + int(size) % 2, os.SEEK_CUR)
    raise errors.BrokenArchive(archive, "it has no member data.tar")


def _decompress(archive: Path, packed: Packed) -> io.BufferedIOBase:
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


def _decompress_zstd(archive: Path, packed: Packed) -> io.BufferedIOBase:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415  # few archives need it
        else:
            from backports import zstd  # noqa: PLC0415  # the same, before 3.14
    except ModuleNotFoundError as error:
        why = "it is compressed with zstd; install backports.zstd (part of Python 3.14)"
        raise errors.BrokenArchive(archive, why) from error
    return zstd.open(packed)
