"""Verdicts on an entry: an empty file for each, named after the checks or stage that gave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muslin.engine.filesystem import atomic

REFUSED = ".refused"
"""How the mark of failed checks ends."""
VOUCHED = ".vouched"
"""How the mark of checks ends that somebody else ran."""


@dataclass(frozen=True)
class Marks:
    """The folder `checks` of an entry. Where it is lost, or a mark is no empty file, no check was
    passed: all of them run again."""

    folder: Path

    def passed(self, checks_key: str) -> bool:
        """Whether these checks were passed before."""
        return _is_mark(self.folder / checks_key)

    def pass_(self, checks_key: str) -> None:
        """Remember that these checks were passed."""
        self._put(checks_key)

    def vouched(self, proof_key: str) -> bool:
        """Whether the signers of a restored entry vouch for the checks of what it was made from."""
        return _is_mark(self.folder / f"{proof_key}{VOUCHED}")

    def vouch(self, proof_key: str) -> None:
        """Remember that."""
        self._put(f"{proof_key}{VOUCHED}")

    def refused(self, by: str) -> bool:
        """Whether the entry was refused; `by` is the key of its checks, or of the stage that
        refused it."""
        return _is_mark(self.folder / f"{by}{REFUSED}")

    def refuse(self, by: str) -> None:
        """Remember that the entry was refused."""
        self._put(f"{by}{REFUSED}")

    def any_refused(self) -> bool:
        """Whether the entry was refused by anything."""
        return any(True for _ in self._refusals())

    def clear_refusals(self) -> None:
        """Forget that the entry was refused."""
        for mark in list(self._refusals()):
            atomic.remove(mark)

    def _refusals(self) -> Iterator[Path]:
        return self.folder.glob(f"*{REFUSED}")

    def _put(self, name: str) -> None:
        atomic.folder(self.folder)
        atomic.write(self.folder / name, "")


def _is_mark(path: Path) -> bool:
    return atomic.is_file(path) and not path.stat().st_size
