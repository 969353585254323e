"""The archive that Linux unpacks as its first file system: cpio in the format `newc`.

Documentation/driver-api/early-userspace/buffer-format.rst of the kernel describes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

END = "TRAILER!!!"
CONSOLE = (5, 1)
"""Major and minor number of `/dev/console`; Documentation/admin-guide/devices.txt."""


def write(root: Path, path: Path) -> None:
    """Pack what a folder holds, sorted, owned by root and without times."""
    made = bytearray()
    entries = [
        ("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("dev/console", stat.S_IFCHR | 0o600, b"", CONSOLE),
        *_below(root),
        (END, 0, b"", (0, 0)),
    ]
    for number, (name, mode, content, device) in enumerate(entries, 1):
        called = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(called), 0)
        made += b"070701" + b"".join(b"%08X" % field for field in fields) + called
        made += bytes(-len(made) % 4) + content
        made += bytes(-len(made) % 4)
    path.write_bytes(made)


def _below(root: Path) -> Iterator[tuple[str, int, bytes, tuple[int, int]]]:
    for one in sorted(root.rglob("*")):
        name = one.relative_to(root).as_posix()
        if one.is_symlink():
            yield name, stat.S_IFLNK | 0o777, os.fsencode(one.readlink()), (0, 0)
        elif one.is_dir():
            yield name, stat.S_IFDIR | 0o755, b"", (0, 0)
        else:
            mode = 0o755 if one.stat().st_mode & 0o100 else 0o644
            yield name, stat.S_IFREG | mode, one.read_bytes(), (0, 0)
