"""Problems in the formats of code hosting: SARIF, annotations of GitHub, GitLab's code quality.

Sources: SARIF 2.1.0 (OASIS); GitHub's documentation of workflow commands; GitLab's documentation
of code quality reports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from muslin.audit.finding import Finding
from muslin.check.problem import DOES_NOT_FIT, NOT_SEEN, UNREADABLE, Problem

RULES: Mapping[str, str] = MappingProxyType(
    {
        DOES_NOT_FIT: "A program needs more than the processor has that it is held to.",
        NOT_SEEN: "A part of a program could not be looked at.",
        UNREADABLE: "A file is damaged, or of a kind that is not read.",
        "declaration": "A declaration or a setting has a fault.",
        "failed": "A stage of a build, or the run itself, failed.",
    }
)
"""What each kind of problem is."""
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 5000
"""Results of one run; GitHub takes as many."""


def sarif(
    problems: Iterable[Problem], *, tool: str, audited: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """A log of one run; `audited` has the SHA-256 of programs that passed, by their paths."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": tool, "rules": rules}},
        "results": [_result(problem) for problem in islice(problems, MOST)],
    }
    if audited:
        run["artifacts"] = [
            {
                "location": {"uri": _uri(path)},
                "roles": ["analysisTarget"],
                "hashes": {"sha-256": digest},
            }
            for path, digest in audited.items()
        ]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def github(problems: Iterable[Problem]) -> Iterator[str]:
    """Workflow commands, one a line."""
    for problem in problems:
        line = f",line={problem.line}" if problem.line else ""
        where = f"file={_property(problem.path)}{line}," if problem.path else ""
        yield f"::error {where}title={_property(problem.kind)}::{_escaped(_text(problem))}"


def code_quality(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """GitLab's report; equal problems are one, since a fingerprint may stand in it once."""
    rows = (
        {
            "description": _text(problem),
            "check_name": problem.kind,
            "fingerprint": hashlib.sha256(
                "\0".join((problem.kind, problem.path, _text(problem))).encode(
                    errors="surrogateescape"
                )
            ).hexdigest(),
            "severity": "major",
            "location": {"path": problem.path or ".", "lines": {"begin": max(problem.line, 1)}},
        }
        for problem in problems
    )
    return list({row["fingerprint"]: row for row in rows}.values())


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.path or ".")}}
    if problem.line:
        place["region"] = {"startLine": problem.line}
    location: dict[str, Any] = {"physicalLocation": place}
    result: dict[str, Any] = {
        "ruleId": problem.kind,
        "level": "error",
        "message": {"text": _text(problem)},
        "locations": [location],
    }
    if (finding := problem.finding) is not None and finding.section:
        place["address"] = {"absoluteAddress": finding.address}
        location["logicalLocations"] = [_function(problem, finding)]
        result["properties"] = {
            "instruction": finding.instruction,
            "needs": finding.what,
            "count": finding.count,
        }
    return result


def _function(problem: Problem, finding: Finding) -> dict[str, str]:
    name = finding.symbol or finding.section
    kind = "function" if finding.symbol else "module"
    return {"name": name, "kind": kind, "fullyQualifiedName": f"{problem.program}::{name}"}


def _text(problem: Problem) -> str:
    return f"{problem.program}: {problem.text}" if problem.program else problem.text


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _uri(path: str) -> str:
    """A relative reference: what has a meaning in one is written by its number."""
    return quote(path, safe="/", errors="surrogateescape")
