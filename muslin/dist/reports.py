"""What is said of products: which reports there can be, and of which stage each comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.graph.catalog import VERIFIED
from muslin.models import declaration
from muslin.models.board import Board
from muslin.models.declaration import Foreign
from recipes import boot, verify


@dataclass(frozen=True, kw_only=True)
class Report:
    """A target's subject: the stage that says something of it, and the files by suffix."""

    target: str
    subject: str
    stage: str
    files: Mapping[str, str]

    @property
    def paths(self) -> dict[str, str]:
        """The stage's files, by their places in `dist/`."""
        above = f"reports/{self.target}/{self.subject}"
        return {f"{above}.{suffix}": file for suffix, file in self.files.items()}


class Verdict(Foreign):
    """What a verification's report says of its subject; one of a start has neither."""

    fits: bool = False
    shipped: str = ""
    """The digest of the program that was stripped, if its subject is one."""


def verified(dist: Path, target: str) -> dict[str, str]:
    """Digests of the stripped programs that `dist/` has a report of, and where that is."""
    found = {}
    for path in sorted((dist / "reports" / target).glob("*.json")):
        try:
            said = declaration.parse(path, documents.json_table(path), Verdict)
        except errors.BadDeclaration:  # somebody's own, or cut off: it vouches for nothing
            continue
        if said.fits and said.shipped:
            found[said.shipped] = str(path.with_suffix(".txt").relative_to(dist.parent))
    return found


def possible(
    targets: Iterable[str], services: Sequence[str], boards: Iterable[Board]
) -> Iterator[Report]:
    """Every report that these declarations can bring."""
    boards = tuple(boards)
    for target in targets:
        for subject in (*services, *VERIFIED):
            stage = f"{verify.PREFIX}{subject}-{target}"
            yield Report(target=target, subject=subject, stage=stage, files=verify.REPORTS)
        for one in (board for board in boards if target in board.targets):
            for service in services:
                subject = boot.subject(service, one)
                stage = f"{subject}-{target}"
                yield Report(target=target, subject=subject, stage=stage, files=boot.REPORTS)
