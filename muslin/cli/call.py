"""A session as it was called, and what it may end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that a session ends in, in the caller's directory."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A session as it was called."""

    name: str
    words: Sequence[str]
    project: Path
    caller: Path
    """The directory of the person who called it."""
    apart: bool = False
    """Whether lines for people go to standard error, apart from results."""
