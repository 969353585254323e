"""Known names that are like a misspelt one, for messages that ask "did you mean …?"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ALIKE = 0.5
"""Least similarity, from 0 to 1, of what is shown."""


def similar(name: str, known: Iterable[str], *, most: int = 1, alike: float = ALIKE) -> list[str]:
    """Return at most that many known names, the most similar first."""
    return difflib.get_close_matches(name, sorted(set(known)), n=most, cutoff=alike)
