"""One thing for which a check or a run fails, in the terms of every report."""

from __future__ import annotations

from dataclasses import dataclass

from muslin.audit.finding import Finding

DOES_NOT_FIT, NOT_SEEN, UNREADABLE = "does-not-fit", "not-seen", "unreadable"
"""Kinds of problems of programs."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A failure with its place."""

    kind: str
    path: str
    """A file of the project where one is at fault, or else the program; relative, with slashes."""
    text: str
    line: int = 0
    """Of the file, from 1; 0 if none is known."""
    program: str = ""
    """The program that was looked at, if one was."""
    finding: Finding | None = None
    """What the audit found in it."""
