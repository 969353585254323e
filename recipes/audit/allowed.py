"""Code beyond the baseline that may be there, because something looks before it runs."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from recipes import declaration
from recipes.audit.finding import Finding
from recipes.declaration import Declaration

LIST = Path(__file__).with_name("allowed.toml")


class Entry(Declaration):
    """One place, and what may be found there."""

    baselines: tuple[str, ...]
    file: str
    """A pattern for the archive's or program's name."""
    member: str
    """A pattern for the member; empty for a program."""
    symbols: tuple[str, ...]
    """Patterns."""
    needs: tuple[str, ...]
    claims: tuple[str, ...]
    """Claims of the member that come of this code."""
    reason: str
    """What looks, and where that can be read."""

    def covers(self, finding: Finding, baseline: str) -> bool:
        """Whether a finding is this one."""
        place = finding.place
        if baseline not in self.baselines or not fnmatchcase(place.file, self.file):
            return False
        if not fnmatchcase(place.member, self.member):
            return False
        if finding.section:
            named = any(fnmatchcase(finding.symbol, pattern) for pattern in self.symbols)
            return named and finding.what in self.needs
        return finding.what in self.claims


class List(Declaration):
    """All of them."""

    allowed: tuple[Entry, ...]


def load(path: Path = LIST) -> tuple[Entry, ...]:
    """The entries of a list; raises `BadDeclaration`."""
    return declaration.read(path, List).allowed
