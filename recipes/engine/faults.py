"""What went wrong with a server, in our own words."""

from __future__ import annotations

import http

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes of servers that may well answer a moment later (RFC 9110, RFC 6585, RFC 8470)."""


class Fault(Exception):
    """What a server does, or does not, as the end of a sentence about it."""

    def __init__(self, why: str, *, passing: bool = True) -> None:
        super().__init__(why)
        self.passing = passing
        """Whether to ask again. What is refused for a reason is refused again."""


def of_status(status: int) -> Fault:
    """An answer without the file."""
    known = {one.value: f" ({one.phrase})" for one in http.HTTPStatus}
    return Fault(f"answers {status}{known.get(status, '')}", passing=status in PASSING)
