"""HTML put together so that no text can become markup: names and reasons are somebody else's."""

from __future__ import annotations

import html
from collections.abc import Iterable

VOID = ("col", "meta")
"""Elements without content."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *content: str | Iterable[str], **attributes: str | int) -> Markup:
    """An element; content that is no `Markup` is text. An attribute's name ends with `_` where it
    is a word of Python's, and has `_` for `-`."""
    rendered = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"'
        for name, value in attributes.items()
    )
    if tag in VOID:
        return Markup(f"<{tag}{rendered}>")
    return Markup(f"<{tag}{rendered}>{joined(content)}</{tag}>")


def joined(content: Iterable[str | Iterable[str]]) -> Markup:
    """Parts one behind the other."""
    parts = ((_text(part),) if isinstance(part, str) else map(_text, part) for part in content)
    return Markup("".join(text for texts in parts for text in texts))


def _text(part: str) -> str:
    return part if isinstance(part, Markup) else _escaped(part)


def _escaped(text: str) -> str:
    """With what no page may hold, or what turns the direction of a line, as Python writes it."""
    shown = (
        letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text
    )
    return html.escape("".join(shown), quote=True)
