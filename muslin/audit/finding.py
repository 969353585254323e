"""What an audit found: where, what, and what it would need."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):  # a verdict, not a fault of the program
    """A file that cannot be audited, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file, and the member of an archive if it is one."""

    file: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.file}({self.member})" if self.member else self.file


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that does not fit, or several of a kind in one symbol."""

    place: Place
    what: str
    """In words: a claim that does not fit, or what an instruction needs."""
    section: str = ""
    symbol: str = ""
    address: int = 0
    """Of the first, from the start of the section in an object, in memory in a program."""
    instruction: str = ""
    """The first, disassembled."""
    count: int = 1

    def __str__(self) -> str:
        if not self.symbol and not self.section:
            return f"{self.place}: {self.what}"
        more = f", and {self.count - 1} more there" if self.count > 1 else ""
        return (
            f"{self.place}: {self.symbol or self.section} at {self.address:#x}: "
            f"{self.instruction}: needs {self.what}{more}"
        )


@dataclass(frozen=True)
class Hit:
    """An instruction and what it needs beyond the baseline."""

    offset: int
    size: int
    needs: str
