"""A file of the store, copied to where a person takes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from recipes.engine.manifest import file_digest


def place(source: Path, path: Path, row: list[int | str]) -> bool:
    """Copy a file that a manifest lists in such a row, whole or not at all; false if the content
    is not what it says."""
    _, time_ns, mode, digest = row
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as aside:
        copy = Path(aside) / path.name
        shutil.copyfile(source, copy)
        if file_digest(copy) != digest:
            return False
        copy.chmod(int(mode) | 0o200)
        os.utime(copy, ns=(int(time_ns), int(time_ns)))
        copy.replace(path)
    return True
