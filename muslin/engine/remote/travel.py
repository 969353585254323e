"""Whether an entry can be used on another machine: what of this one its tree names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from muslin.engine.filesystem import content, walk
from muslin.engine.formats import links


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What holds an entry to this machine."""

    path: str
    """In the tree."""
    why: str

    def __str__(self) -> str:
        return f"{self.path} {self.why}"


def ties(tree: Path, places: Iterable[str]) -> Iterator[Tie]:
    """Everything in a tree that names one of these paths of the machine, and links that could not
    be unpacked elsewhere. What is compressed inside a file is not seen."""
    needles = [place.encode(errors="surrogateescape") for place in places]
    for entry in walk.entries(tree):
        name = os.path.relpath(entry.path, tree)
        if entry.is_symlink():
            target = os.readlink(entry.path)  # noqa: PTH115  # a Path would drop a ./
            if fault := links.fault(name, target):
                yield Tie(path=name, why=fault)
        elif entry.is_file(follow_symlinks=False):
            for needle in content.occurring(Path(entry.path), needles):
                shown = needle.decode(errors="backslashreplace")
                yield Tie(path=name, why=f"holds the path {shown}")
