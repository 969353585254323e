"""Compressed files: told by their first bytes, never by their names."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
from pathlib import Path
from typing import IO, Any, cast

from muslin.audit.finding import Refused
from muslin.check.budget import Budget

CHUNK = 1 << 20
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x28\xb5\x2f\xfd": "zstd",
}
ZSTD = ("compression.zstd", "backports.zstd")
"""Modules that read it: Python's own from 3.14 on, and a package."""
MEMORY = 256 << 20
"""Bytes that a decompressor of xz may take; its strongest preset takes 65 MiB."""


def of(head: bytes) -> str:
    """How a file is compressed that begins with these bytes; empty if it is not."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def opened(source: IO[bytes], kind: str) -> IO[bytes]:
    """The content of a compressed file, from where `source` stands.

    Raises `Refused` where this Python has nothing that reads it.
    """
    match kind:
        case "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=source))
        case "bzip2":
            return bz2.BZ2File(source)
        case "xz" | "lzma":
            return lzma.LZMAFile(source)
        case _:
            return cast("IO[bytes]", _zstd().ZstdFile(source))


def plain(source: IO[bytes], kind: str, into: Path, budget: Budget) -> None:
    """Write the content of a compressed file to `into`.

    Raises `Refused` where it is damaged, breaks off or is larger than the budget.
    """
    try:
        with opened(source, kind) as content, into.open("wb") as copy:
            while chunk := content.read(CHUNK):
                budget.take_bytes(len(chunk))
                copy.write(chunk)
    except Refused:
        raise
    except Exception as error:  # each module raises a class of its own
        raise Refused(f"unable to decompress it ({kind}): {error}") from error


def beginning(source: IO[bytes], kind: str, size: int) -> bytes:
    """The first bytes of a compressed file's content; empty where it is damaged."""
    try:
        with opened(source, kind) as content:
            return content.read(size)
    except Exception:  # as above; whoever reads the rest reports it
        return b""


def _zstd() -> Any:  # noqa: ANN401  # one of two modules
    for name in ZSTD:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise Refused("it is compressed by zstd: `pip install backports.zstd` and check it again")
