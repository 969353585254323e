"""What files hold: digests, texts that occur in them, texts replaced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from muslin.engine.filesystem import walk

CHUNK = 1 << 22


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content; raises `NotAFile`."""
    with walk.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def occurring(path: Path, needles: list[bytes]) -> list[bytes]:
    """Those of some texts that occur in a file, however large it is."""
    overlap = max(len(needle) for needle in needles) - 1
    hits: set[bytes] = set()
    kept = b""
    with walk.opened(path) as file:
        while chunk := file.read(CHUNK):
            window = kept + chunk
            hits |= {needle for needle in needles if needle in window}
            kept = window[-overlap:] if overlap else b""
    return sorted(hits)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Replace a text in a file and keep its times; raises as `walk.text`."""
    times = path.stat()
    path.write_bytes(walk.text(path).replace(old, new))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
