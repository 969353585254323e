"""What happened in a run, for programs: JSON lines while it lasts, and a trace of it all.

<cache>/runs/<when>-<some letters>/events.jsonl    a line when a stage starts and when it ends
<cache>/runs/<when>-<some letters>/trace.json      the same for trace viewers (Perfetto, chrome://tracing)

The trace is of the Trace Event Format, JSON object form, complete events (`ph` is X).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TRACE = "trace.json"
KEPT = 20
"""Runs whose events are kept, beside those at work."""
Fact = str | float | int | list[str]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stage that ended, in seconds from the run's start."""

    name: str
    outcome: str
    began: float
    seconds: float
    row: int
    """Of those at work at the same time, the place that it had."""
    facts: Mapping[str, Fact]


class Events:
    """The events of one run; a run with nothing to do leaves none."""

    def __init__(self, folder: Path) -> None:
        self._runs = folder
        self._file: Path | None = None
        self.any = False
        """Whether the run had something to do."""
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._started: dict[str, tuple[float, int]] = {}
        self.spans: list[Span] = []
        """What ended so far."""
        self.time = ""
        """When the run started, as ISO 8601 writes it."""

    def begin(self, *, jobs: int, stages: int) -> None:
        """A run that has something to do starts, or goes on with more."""
        if self._file is not None:
            self._write("more", stages=stages)
            return
        self._began, self.any = time.monotonic(), True
        self._runs.mkdir(parents=True, exist_ok=True)
        over = sorted(one for one in self._runs.iterdir() if (one / TRACE).exists())
        for old in over[:-KEPT]:  # another run may be at the same
            shutil.rmtree(old, ignore_errors=True)
        when = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        folder = Path(tempfile.mkdtemp(prefix=f"{when}-", dir=self._runs))
        self._file = folder / "events.jsonl"
        self.time = datetime.now(UTC).isoformat()
        self._write("run", jobs=jobs, stages=stages, time=self.time)

    def started(self, stage: str, after: list[str]) -> None:
        """A stage starts; `after` are those it waited for."""
        with self._lock:
            row = next(row for row in range(len(self._started) + 1) if row not in self._rows())
            self._started[stage] = self._now(), row
        self._write("started", stage=stage, after=after)

    def ended(self, stage: str, outcome: str, **facts: Fact) -> None:
        """A stage ends: `built`, `checked`, `found` or `failed`."""
        with self._lock:
            began, row = self._started.pop(stage)
            self.spans.append(
                Span(
                    name=stage,
                    outcome=outcome,
                    began=began,
                    seconds=self._now() - began,
                    row=row,
                    facts=facts,
                )
            )
        self._write("ended", stage=stage, outcome=outcome, **facts)

    def close(self) -> None:
        """The run is over, well or not; stages that were cut off are in the trace too."""
        if self._file is None:
            return
        for stage in list(self._started):
            self.ended(stage, "stopped")
        self._write("over")
        path, self._file = self._file, None
        trace = [_traced(span) for span in self.spans]
        text = json.dumps({"traceEvents": trace, "displayTimeUnit": "ms"})
        path.with_name(TRACE).write_text(text, encoding="utf-8")

    def _rows(self) -> set[int]:
        return {row for _, row in self._started.values()}

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _write(self, event: str, **facts: Fact) -> None:
        with self._lock:
            if self._file is not None:
                line = json.dumps({"at": round(self._now(), 3), "event": event, **facts})
                with self._file.open("a") as file:  # whole at any moment, and open at none
                    file.write(f"{line}\n")


def _traced(span: Span) -> dict[str, object]:
    micro = 1_000_000
    return {
        "name": span.name,
        "cat": span.outcome,
        "ph": "X",
        "ts": round(span.began * micro),
        "dur": round(span.seconds * micro),
        "pid": 1,
        "tid": span.row,
        "args": dict(span.facts),
    }
