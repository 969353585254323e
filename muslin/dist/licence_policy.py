"""Which licences of what programs contain are not among those that a project allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

TOKEN = re.compile(r"\(|\)|[^\s()]+")
UNKNOWN = "no licence is named"


class Malformed(Exception):
    """A text is no SPDX expression."""


def outside(bill: Mapping[str, Any], allowed: Collection[str]) -> Iterator[tuple[str, str]]:
    """Name with version, and licence, of every component of a bill that is not allowed."""
    for row in bill["components"]:
        licence = "".join(one.get("expression", "") for one in row.get("licenses", ()))
        if not is_allowed(licence, allowed):
            yield f"{row['name']} {row['version']}", licence or UNKNOWN


def is_allowed(expression: str, allowed: Collection[str]) -> bool:
    """Whether an SPDX expression can be met by licences of a list: of `OR` one side is enough, of
    `AND` both are needed, and `A WITH B` is a licence of its own. What is no expression is not
    allowed. <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>"""
    tokens = TOKEN.findall(expression)
    known = {one.lower() for one in allowed}
    try:
        met = _either(tokens, known)
    except Malformed:
        return False
    return met and not tokens


def _either(tokens: list[str], allowed: Collection[str]) -> bool:
    met = _both(tokens, allowed)
    while tokens and tokens[0].upper() == "OR":
        tokens.pop(0)
        met = _both(tokens, allowed) or met
    return met


def _both(tokens: list[str], allowed: Collection[str]) -> bool:
    met = _licence(tokens, allowed)
    while tokens and tokens[0].upper() == "AND":
        tokens.pop(0)
        met = _licence(tokens, allowed) and met
    return met


def _licence(tokens: list[str], allowed: Collection[str]) -> bool:
    first = _next(tokens)
    if first == "(":
        met = _either(tokens, allowed)
        if _next(tokens) != ")":
            raise Malformed
        return met
    if first == ")" or first.upper() in {"AND", "OR", "WITH"}:
        raise Malformed
    name = first
    if tokens and tokens[0].upper() == "WITH":
        tokens.pop(0)
        name = f"{first} WITH {_next(tokens)}"
    return name.lower() in allowed


def _next(tokens: list[str]) -> str:
    if not tokens:
        raise Malformed
    return tokens.pop(0)
