"""Code beyond the baseline that may be there, because something looks before it runs."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from muslin.audit.finding import Finding, Place

LIST = Path(__file__).with_name("allowed.toml")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One place, and what may be found there."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    """For the model that reads the list strictly; the audit itself starts without pydantic."""

    baselines: tuple[str, ...]
    file: str
    """The archive that it comes from, as a pattern."""
    members: tuple[str, ...]
    """Patterns for its members. In a program the symbols alone say where it is."""
    symbols: tuple[str, ...]
    """Patterns."""
    needs: tuple[str, ...]
    claims: tuple[str, ...] = ()
    """Claims of the member, or of a program with it, that come of this code."""
    probes: tuple[str, ...] = ()
    """Symbols, or patterns for them, of which one is read before the code runs, where the archive
    shows that: the member reads it, or every other does that calls the code. A program has to have
    one of them."""
    reason: str
    """What looks, and where that can be read."""

    def covers(self, finding: Finding, baseline: str, names: Collection[str]) -> bool:
        """Whether a finding is this one; `names` are the symbols of a program that it is in."""
        if baseline not in self.baselines:
            return False
        if finding.what not in (self.needs if finding.section else self.claims):
            return False
        place = finding.place
        if place.member and not self._is_in(place):
            return False
        if finding.section and not _any(finding.symbol, self.symbols):
            return False
        is_program = not place.member
        return not (is_program and self.probes) or any(_is_among(one, names) for one in self.probes)

    def _is_in(self, place: Place) -> bool:
        return fnmatchcase(place.file, self.file) and _any(place.member, self.members)


def _is_among(probe: str, names: Collection[str]) -> bool:
    """Whether a symbol is there, or one that a pattern means."""
    return probe in names or ("*" in probe and any(fnmatchcase(name, probe) for name in names))


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def entries(rows: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Entries as TOML and JSON have them; raises `TypeError` for keys unknown or missing."""
    return tuple(Entry(**{name: _value(value) for name, value in row.items()}) for row in rows)


def _value(value: Any) -> Any:  # noqa: ANN401  # of whichever field it is
    return tuple(value) if isinstance(value, list) else value


def load() -> tuple[Entry, ...]:
    """The entries of the list that comes with the audit."""
    return entries(tomllib.loads(LIST.read_text(encoding="utf-8"))["allowed"])
