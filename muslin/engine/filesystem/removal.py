"""Trees removed, whatever somebody made of them."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: Path) -> None:
    """Remove a folder and all below it, read-only or not, at any depth.

    A folder in a folder is moved up to the top before it is looked into. So no path gets longer
    than the system takes, two folders are open at a time, and nothing recurses.
    """
    path.chmod(0o700)
    top = os.open(path, FOLDER)
    try:
        while there := _listed(top):
            for name, is_folder in there:
                if is_folder:
                    _dissolve(name, top)
                else:
                    os.unlink(name, dir_fd=top)
    finally:
        os.close(top)
    path.rmdir()


def _dissolve(name: str, top: int) -> None:
    """Remove a folder, and leave the folders in it at the top."""
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, FOLDER, dir_fd=top)
    try:
        for one, is_folder in _listed(folder):
            if is_folder:
                os.chmod(one, 0o700, dir_fd=folder)  # to move it changes its `..`
                os.rename(one, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(one, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _listed(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as found:
        return [(one.name, one.is_dir(follow_symlinks=False)) for one in found]
