"""What the report is made of: the manifest, verifications, starts and the time line in `dist/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import ConfigDict

from muslin.dist import publish, timeline
from muslin.dist.artifacts import REPORTS
from muslin.dist.publish import Listed
from muslin.dist.timeline import Timeline
from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign


class _Report(Foreign):
    model_config = ConfigDict(alias_generator=None)  # keys as the audit writes them


class AllowedFinding(_Report):
    """Code beyond the baseline that is allowed, and why."""

    what: str
    symbol: str = ""
    section: str = ""
    count: int = 1
    reason: str


class AuditedFile(_Report):
    """A file that was looked at."""

    file: str
    elf_files: int
    code_bytes: int
    allowed: tuple[AllowedFinding, ...] = ()


class Verification(_Report):
    """The report of a verification."""

    subject: str
    target: str
    baseline: str
    fits: bool
    ran: tuple[str, ...] = ()
    shipped: str = ""
    """Digest of the stripped program."""
    files: tuple[AuditedFile, ...]


class Seen(_Report):
    """Something that a start showed."""

    what: str
    seconds: float


class Start(_Report):
    """The report of a start on an emulated board."""

    subject: str
    seen: tuple[Seen, ...]


Shape = TypeVar("Shape", bound=_Report)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A service's program for one target."""

    service: str
    listed: Listed
    verification: Verification | None
    """None if the report is of another program, or missing."""
    starts: Sequence[tuple[str, Start]]
    """By the names of boards."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that the report is made of."""

    listed: Sequence[Listed]
    programs: Sequence[Program]
    verifications: Sequence[Verification]
    timeline: Timeline

    @property
    def others(self) -> Iterator[Listed]:
        """What is neither a program nor a report."""
        programs = {program.listed.path for program in self.programs}
        for row in self.listed:
            if row.path not in programs and not publish.is_report(row):
                yield row


def read(dist: Path, boards: Iterable[str]) -> Contents:
    """Read what the manifest lists; what is no report of ours is left out."""
    listed = publish.listed(dist)
    reports = {row.path for row in listed if row.path.endswith(".json") and publish.is_report(row)}
    verifications = {
        path: report for path in sorted(reports) if (report := _parsed(dist / path, Verification))
    }
    programs = [
        Program(
            service=service,
            listed=row,
            verification=_of(row, verifications.get(f"{REPORTS}/{row.target}/{service}.json")),
            starts=[
                (board, start)
                for board in sorted(boards)
                if (path := f"{REPORTS}/{row.target}/boot-{service}-{board}.json") in reports
                and (start := _parsed(dist / path, Start))
            ],
        )
        for row in listed
        if row.target and row.path == f"{row.target}/{(service := PurePosixPath(row.path).name)}"
    ]
    return Contents(
        listed=listed,
        programs=sorted(programs, key=lambda program: (program.service, program.listed.target)),
        verifications=list(verifications.values()),
        timeline=timeline.load(dist),
    )


def _of(listed: Listed, verification: Verification | None) -> Verification | None:
    if verification is None or verification.shipped != listed.sha256 or not verification.fits:
        return None
    return verification


def _parsed(path: Path, shape: type[Shape]) -> Shape | None:
    try:
        return declaration.parse(path, documents.json_table(path), shape)
    except errors.BadDeclaration:
        return None
