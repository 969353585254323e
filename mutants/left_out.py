"""Lines in which no fault is put, for one of them need not be noticed; each has its reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

LIST = Path(__file__).with_name("left_out.toml")


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Some lines of some modules."""

    modules: str
    """A pattern for paths."""
    line: str
    """A pattern for a line's text, without the white space around it."""
    reason: str

    def covers(self, module: str, line: str) -> bool:
        """Whether a line is one of them."""
        return fnmatchcase(module, self.modules) and fnmatchcase(line, self.line)


def load(path: Path = LIST) -> tuple[LeftOut, ...]:
    """All of them."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["left-out"]
    return tuple(LeftOut(**row) for row in rows)
