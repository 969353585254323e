"""A summary in Markdown: the artefacts of `dist/` with what was verified of each, or a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from muslin.dist import publish, reports
from muslin.dist.publish import Listed
from muslin.dist.reports import Verdict
from muslin.engine.console import size

HEAD = ("service", "target", "artefact", "size", "verified", "ran", "SHA-256")
NOT_STARTED = "nothing: "
"""How a report begins that says of a program that its declaration has nothing to run."""


def of_dist(dist: Path) -> str:
    """The table of what `dist/` lists: programs and images, not reports."""
    products = [one for one in publish.listed(dist) if not publish.is_report(one)]
    verdicts = {
        target: {verdict.shipped: verdict for _, verdict in reports.of_programs(dist, target)}
        for target in {one.target for one in products if one.target}
    }
    rows = [_row(one, verdicts) for one in products]
    lines = [_line(HEAD), _line(["---"] * len(HEAD)), *map(_line, rows)]
    return "\n".join(["### Muslin: artefacts in `dist/`", "", *lines, ""])


def of_failure(session: str, text: str) -> str:
    """A failed run, with its message as it stands."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return "\n".join([f"### Muslin: {session} failed", "", f"{fence}text", text, fence, ""])


def audited(dist: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of every program in `dist/` that a report of it vouches for."""
    for one in publish.listed(dist):
        known = reports.verified(dist, one.target) if one.target else {}
        if one.sha256 in known:
            yield f"{dist.name}/{one.path}", one.sha256


def _row(one: Listed, verdicts: Mapping[str, Mapping[str, Verdict]]) -> list[str]:
    folder, _, name = one.path.rpartition("/")
    service = name.split(".", 1)[0].removesuffix(f"-{one.target}") if folder == "images" else name
    verdict = verdicts.get(one.target, {}).get(one.sha256)
    return [
        _text(service if folder != "toolchains" else ""),
        one.target or "all",
        f"`{one.path}`",
        size(one.bytes),
        _verified(verdict),
        _ran(verdict),
        f"`{one.sha256}`",
    ]


def _verified(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""  # an image has its programs' rows
    return f"every instruction ({verdict.baseline})" if verdict.baseline else "its claims"


def _ran(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    seen = [line for line in verdict.ran if not line.startswith(NOT_STARTED)]
    return "; ".join(map(_text, seen)) or "not started"


def _text(text: str) -> str:
    """Text in a cell, with nothing that Markdown or HTML would take otherwise."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", " ".join(text.split()))


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
