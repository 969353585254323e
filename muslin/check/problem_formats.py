"""The result of a check in the formats of code hosting: SARIF, and annotations of GitHub.

Sources: SARIF 2.1.0 (OASIS); GitHub's documentation of workflow commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from muslin.check.result import Result

RULES = {
    "does-not-fit": "A program needs more than the processor has that it is held to.",
    "not-seen": "A part of a program could not be looked at.",
    "unreadable": "A file is damaged, or of a kind that is not read.",
}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 5000
"""Results of one run; GitHub takes as many."""


def sarif(result: Result) -> dict[str, Any]:
    """A log of one run."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    results = [
        {
            "ruleId": kind,
            "level": "error",
            "message": {"text": f"{program}: {text}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(program)}}}],
        }
        for kind, program, text in result.problems()
    ]
    driver = {"name": "muslin-check", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results[:MOST]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def github(result: Result) -> Iterator[str]:
    """Workflow commands, one a line."""
    for kind, program, text in result.problems():
        where = _escaped(program).replace(":", "%3A").replace(",", "%2C")
        yield f"::error file={where},title={kind}::{_escaped(f'{program}: {text}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _uri(path: str) -> str:
    """A relative reference: what has a meaning in one is written by its number."""
    return quote(path, safe="/", errors="surrogateescape")
