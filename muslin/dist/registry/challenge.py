"""The header `WWW-Authenticate`: what a registry asks for (RFC 9110, 11.6.1; RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z]+)(?=\s|,|$)(?!\s*=)")
PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """One way in that a registry offers."""

    scheme: str
    """In small letters: `bearer`, `basic`."""
    parameters: Mapping[str, str]


def parse(header: str) -> list[Challenge]:
    """The ways in, in their order; nothing for what is no such header."""
    # Commas and words within quotes separate nothing: they are looked at as blanks.
    masked = QUOTED.sub(lambda match: '"' + "x" * (len(match[0]) - 2) + '"', header)
    starts = [*SCHEME.finditer(masked)]
    ends = [*(match.start() for match in starts[1:]), len(header)][: len(starts)]
    return [
        Challenge(
            scheme=match[1].lower(),
            parameters={
                found[1].lower(): re.sub(r"\\(.)", r"\1", found[2])
                if found[3] is None
                else found[3]
                for found in PARAMETER.finditer(header, match.end(), end)
            },
        )
        for match, end in zip(starts, ends, strict=True)
    ]
