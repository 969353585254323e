"""The words behind `--` on a session's command line."""

from __future__ import annotations

from collections.abc import Sequence

from muslin import errors


def split(
    session: str, words: Sequence[str], *, flags: tuple[str, ...], valued: tuple[str, ...] = ()
) -> tuple[list[str], dict[str, str]]:
    """Names and options apart; `--why X` and `--why=X` are the same.

    Raises `Unknown` for an option the session does not have, `ValueMissing` for one without the
    value that it takes.
    """
    names: list[str] = []
    options: dict[str, str] = {}
    left = list(words)
    while left:
        word, equals, value = left.pop(0).partition("=")
        if not word.startswith("-"):
            names.append(word + equals + value)
        elif word in valued:
            if not equals and not left:
                raise errors.ValueMissing(session, word)
            options[word] = value if equals else left.pop(0)
        elif word in flags and not equals:
            options[word] = ""
        else:
            raise errors.Unknown(f"option of {session}", word, (*flags, *valued))
    return names, options
