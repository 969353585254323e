"""Glob patterns of steps, checks and declarations: one dialect.

`*`, `?` and `[…]` stand for characters of one name, `**` for any number of directories. A leading
dot is a character like any other, and case counts. The patterns of `Copy.omit` and of patches that
are left out are compared with a whole path or name by `matches_text`, where `*` also stands for
`/`: recipes have relied on it, and what they copy is in no key but by these patterns. Patterns that
a run has to remember go through `muslin.engine.inputs.matches`, which has the same dialect.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from muslin.engine.filesystem import walk

MAGIC = frozenset("*?[")


def find(root: Path, pattern: str) -> list[Path]:
    """Return what a pattern finds below a directory, sorted. A name finds a link that leads nowhere
    too: inside the host root it may lead somewhere. Raises `TooDeep`."""
    if not MAGIC & set(pattern):
        return [root / pattern] if os.path.lexists(root / pattern) else []
    if "**" in pattern:
        walk.insist(root)
    return sorted(root.glob(pattern))


def begins(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path, name by name, is what a pattern without `**` matches, or lies below it."""
    return len(names) >= len(pattern) and all(map(fnmatch.fnmatchcase, names, pattern))


def matches_text(text: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns matches a text as a whole, `/` included."""
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
