"""Failures of a server, in words that contain no text of a library or a server."""

from __future__ import annotations

import http

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes of servers that may well answer a moment later (RFC 9110, RFC 6585, RFC 8470)."""


class Fault(Exception):
    """A failure of a server; its text continues a sentence that begins with the server."""

    def __init__(self, why: str, *, passing: bool = True) -> None:
        super().__init__(why)
        self.passing = passing
        """Whether a retry may succeed."""


def of_status(status: int) -> Fault:
    """Return the fault for a status code other than success."""
    phrases = {entry.value: f" ({entry.phrase})" for entry in http.HTTPStatus}
    return Fault(f"answers {status}{phrases.get(status, '')}", passing=status in PASSING)
