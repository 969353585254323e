"""How a person calls a session: through Nox, or by the command `muslin`.

Help and messages name commands to copy. This module is the only one that spells them, so a person
reads the spelling that the run was started with.
"""

from __future__ import annotations

from enum import Enum


class Spelling(Enum):
    """How a session with words behind it is called."""

    NOX = "nox -s {session} -- {words}"
    COMMAND = "muslin {session} {words}"


_current = [Spelling.NOX]


def use(spelling: Spelling) -> None:
    """Spell commands this way from now on."""
    _current[0] = spelling


def current() -> Spelling:
    """The spelling in force: that of Nox unless the command `muslin` was called."""
    return _current[0]


def prefix(session: str) -> str:
    """What words are written behind."""
    return current().value.format(session=session, words="").rstrip()


def spelled(session: str, words: str = "", *, spelling: Spelling | None = None) -> str:
    """A command line to copy, without quotes; in the spelling in force if none is given."""
    line = (spelling or current()).value.format(session=session, words=words)
    return line if words else line.rstrip(" -")
