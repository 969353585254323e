"""Which patches of a folder are applied, in the order of its quilt `series` or of given names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin.engine.filesystem import patterns

SUFFIXES = (".patch", ".diff")


class Unexplained(Exception):
    """A patch is neither applied nor left out, or a name matches no patch."""


def ordered(folder: Path, *, names: Sequence[str] = (), omit: Sequence[str] = ()) -> list[str]:
    """The names of the patches to apply, in order.

    `names` gives the order where the folder has no `series`; then every patch file of the folder
    has to be in `names` or `omit`. Raises `Unexplained`.
    """
    there = _in_series(folder / "series") if not names else _in_folder(folder)
    left_out = {name for name in there if patterns.matches_text(name, omit)}
    stale = [one for one in omit if not any(patterns.matches_text(name, (one,)) for name in there)]
    missing = [name for name in names if name not in there]
    if stale or missing:
        raise Unexplained(f"there is no patch {', '.join((*stale, *missing))} in {folder}")
    if not names:
        return [name for name in there if name not in left_out]
    unexplained = sorted(set(there) - left_out - set(names))
    if unexplained:
        raise Unexplained(f"neither applied nor left out: {', '.join(unexplained)} in {folder}")
    return list(names)


def _in_series(path: Path) -> list[str]:
    """The names that a series file lists; Debian's source format 3.0 allows no options there."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Unexplained(f"{path.parent} has no series") from None
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    if options := [" ".join(words) for words in lines if len(words) > 1]:
        raise Unexplained(f"options in a series are not known here: {', '.join(options)}")
    return [words[0] for words in lines if words]


def _in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.suffix in SUFFIXES)
