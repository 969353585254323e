"""What the last run that had something to do did, and when: `dist/reports/timeline.json`.

A run with nothing to do leaves it as it is, so that the report that is made of it stays too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from muslin.dist.artifacts import REPORTS
from muslin.engine import errors
from muslin.engine.events import Events
from muslin.engine.filesystem import atomic
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign

FILE = f"{REPORTS}/timeline.json"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stage in a run; times in seconds from the run's start."""

    stage: str
    outcome: str
    """`built`, `checked`, `found` or `failed`."""
    began: float
    seconds: float


class Timeline(Foreign):
    """The stages of a run."""

    time: str = ""
    """When it started, as ISO 8601 writes it."""
    spans: tuple[Span, ...] = ()


def write(dist: Path, events: Events) -> None:
    """Record a run that had something to do."""
    spans = [
        Span(
            stage=span.name,
            outcome=span.outcome,
            began=round(span.began, 2),
            seconds=round(span.seconds, 2),
        )
        for span in events.spans
    ]
    table = {"time": events.time, "spans": [asdict(span) for span in spans]}
    (dist / REPORTS).mkdir(parents=True, exist_ok=True)
    atomic.write(dist / FILE, json.dumps(table, indent=1) + "\n")


def load(dist: Path) -> Timeline:
    """The last one; empty where there is none, or none that can be read."""
    path = dist / FILE
    try:
        return declaration.parse(path, documents.json_table(path), Timeline)
    except errors.BadDeclaration:
        return Timeline()
