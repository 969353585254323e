"""Leave what a forge reads: as its environment variables say, or where SARIF is asked for.

Sources: GitHub's and GitLab's documentation of their predefined variables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from muslin.check import problem_formats
from muslin.check.problem import Problem
from muslin.cli.run_report import problems, summary
from muslin.cli.run_report.environment import GITHUB, GITLAB, is_on
from muslin.engine.filesystem import atomic
from muslin.engine.redaction import hidden
from muslin.errors import PipelineError

SARIF, CODE_QUALITY = "muslin.sarif", "gl-code-quality-report.json"
"""Files in `dist/`."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a session ended."""

    session: str
    dist: Path
    fills: bool
    """Whether it is one that fills `dist/`."""
    error: PipelineError | None = None


def leave(
    outcome: Outcome,
    services: Mapping[str, Path],
    environment: Mapping[str, str],
    say: Callable[[str], object],
) -> None:
    """Write the reports; annotations for GitHub go to `say`, a line each.

    Raises `OSError` where a file cannot be written.
    """
    root = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    project = problems.Project(root=Path(root or outcome.dist.parent), services=services)
    found = [] if outcome.error is None else list(problems.of(outcome.error, project))
    if is_on(environment, GITHUB):
        for line in problem_formats.github(found):
            say(f"{line}\n")
    if not outcome.fills:
        return
    if is_on(environment, GITHUB) and (path := environment.get("GITHUB_STEP_SUMMARY")):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(_summary(outcome))
    if is_on(environment, GITLAB):
        _write(outcome.dist / CODE_QUALITY, problem_formats.code_quality(found))
    _write(outcome.dist / SARIF, _sarif(outcome, found, project))


def _summary(outcome: Outcome) -> str:
    if outcome.error is not None:
        return summary.of_failure(outcome.session, hidden(str(outcome.error)))
    return summary.of_dist(outcome.dist)


def _sarif(outcome: Outcome, found: list[Problem], project: problems.Project) -> object:
    """Of a failed run the problems; of another the programs that were audited, without results."""
    above = project.path(outcome.dist.parent)
    prefix = "" if above in {"", "."} else f"{above}/"
    passed = {} if outcome.error is not None else dict(summary.audited(outcome.dist))
    audited = {f"{prefix}{path}": digest for path, digest in passed.items()}
    return problem_formats.sarif(found, tool="muslin", audited=audited)


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps(document, indent=1) + "\n")
