"""The failure of a run as problems with a place: a file of the project, or a program's function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from muslin.audit.finding import Finding, Place
from muslin.check.problem import DOES_NOT_FIT, NOT_SEEN, Problem
from muslin.cli import errors as cli_errors
from muslin.cli.run_report import toml_lines
from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.engine.redaction import hidden
from muslin.errors import PipelineError
from muslin.models import cargo_manifest, service_places
from recipes import verify

LONGEST = 3000
"""Characters of a message; GitHub shows 4096 bytes of an annotation."""
FINDING = re.compile(
    r"refused: (?P<file>.+?)(?:\((?P<member>[^()]*)\))?: (?P<name>\S+) at "
    r"(?P<address>0x[0-9a-f]+): (?P<instruction>.+): needs "
    r"(?P<what>.+?)(?:, and (?P<more>\d+) more there)?"
)
"""A line of the audit about code: `Finding.__str__`; a test reads back what that writes."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where a run's files are."""

    root: Path
    """The directory to which paths are relative: the repository's checkout."""
    services: Mapping[str, Path]
    """Directories of services by name."""

    def path(self, file: Path) -> str:
        """A file as the forge knows it; empty if it is no file of the repository."""
        try:
            return file.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return ""

    def declaration(self, stage: str) -> str:
        """The file that declares the service which a stage is of; empty for others."""
        for name in sorted(self.services, key=len, reverse=True):
            if re.match(rf"(?:[a-z]+-)?{re.escape(name)}-", stage):
                folder = self.services[name]
                files = [folder / file for file in (service_places.FILE, cargo_manifest.MANIFEST)]
                return self.path(next((file for file in files if file.is_file()), files[0]))
        return ""


def of(error: PipelineError, project: Project) -> Iterator[Problem]:
    """The problems for which a run failed."""
    match error:
        case cli_errors.SeveralFailed():
            for fault, _ in error.faults:
                if isinstance(fault, PipelineError):
                    yield from of(fault, project)
        case engine_errors.BadDeclaration():
            yield from _declared(error, project)
        case process_errors.SaidNo() if error.stage.startswith(verify.PREFIX):
            found = list(_audited(error, project))
            yield from found or [_failed(error, project)]
        case _:
            yield _failed(error, project)


def _failed(error: PipelineError, project: Project) -> Problem:
    text = hidden(str(error))
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return Problem(kind="failed", path=project.declaration(error.stage), text=text)


def _declared(error: engine_errors.BadDeclaration, project: Project) -> Iterator[Problem]:
    try:
        text = error.path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for fault in error.faults:
        line = toml_lines.line_of(text, fault)
        # A setting inferred has no file of its own.
        path = project.path(error.path) if error.path.is_file() else ""
        yield Problem(kind="declaration", path=path, line=line if path else 0, text=hidden(fault))


def _audited(error: process_errors.SaidNo, project: Project) -> Iterator[Problem]:
    """Every finding of a refused verification, from its log; the message has the first alone."""
    try:
        log = error.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    stage = error.stage.removeprefix(verify.PREFIX)
    path = project.declaration(stage)
    for line in log.rpartition("\n$ ")[2].splitlines():
        if (finding := read_finding(line)) is not None:
            text = line.removeprefix("refused: ")
            yield Problem(kind=DOES_NOT_FIT, path=path, program=stage, text=text, finding=finding)
        elif line.startswith("refused: "):
            text = line.removeprefix("refused: ")
            yield Problem(kind=DOES_NOT_FIT, path=path, program=stage, text=text)
        elif line.startswith("not seen: "):
            text = line.removeprefix("not seen: ")
            yield Problem(kind=NOT_SEEN, path=path, program=stage, text=text)


def read_finding(line: str) -> Finding | None:
    """A finding about code from the line that the audit printed; none from other lines."""
    match = FINDING.fullmatch(line)
    if match is None:
        return None
    name = match["name"]
    is_section = name.startswith(".")
    return Finding(
        place=Place(file=match["file"], member=match["member"] or ""),
        what=match["what"],
        section=name if is_section else ".text",
        symbol="" if is_section else name,
        address=int(match["address"], 16),
        instruction=match["instruction"],
        count=int(match["more"] or 0) + 1,
    )
