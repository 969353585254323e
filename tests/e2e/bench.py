"""A workbench: the whole engine on a cache of its own, with the host's real programs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from muslin.engine.builder import Builder, Fault
from muslin.engine.cache.history import History
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report
from muslin.engine.events import Events
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.key import Keys
from muslin.engine.process.limits import Limits
from muslin.engine.process.runner import Runner
from muslin.engine.remote.patience import Patience
from muslin.engine.remote.terms import Terms
from muslin.engine.sharing import Sharing
from muslin.engine.stage import Check, Host, Stage, Step
from muslin.engine.vocabulary import Run, Write
from tests.archive import archive

HOST = Host(machine="x86_64", libc="glibc 2.36")
PROJECT = Path(__file__).resolve().parents[2]
LONGER = (1.0, 10.0, 100.0)
"""Seconds, tried in turn where a program must get somewhere first: the machine may be busy."""


@dataclass(kw_only=True)
class Bench:
    """Runs the engine as often as a test likes; each run opens the cache anew."""

    cache: Path
    jobs: int = 2
    memory: int = 0
    """Bytes; 0 for no limit."""
    limits: Limits = field(default_factory=Limits)
    root: Stage | None = None
    """The host root, if programs run in one."""
    terms: Terms | None = None
    """The shared store, if there is one."""
    patience: float = 30.0
    """Seconds that its server may cost."""
    text: str = field(default="", init=False)
    """What the last run told its user."""

    @property
    def store(self) -> Store:
        """The cache's store."""
        return Store(self.cache)

    @contextmanager
    def builder(self) -> Iterator[Builder]:
        """The engine, made as a session makes it."""
        stream = io.StringIO()
        report, runner = Report(stream), Runner(self.jobs, self.limits)
        events = Events(self.cache / "runs")
        try:
            yield Builder(
                store=self.store,
                runner=runner,
                fetcher=Fetcher(
                    self.cache / "downloads",
                    archive=archive(self.cache / "archive"),
                    progress=report,
                    cancelled=runner.stopping,
                ),
                report=report,
                history=History(self.cache / "history"),
                keys=Keys(HOST),
                events=events,
                logs=self.cache / "logs",
                memory=self.memory,
                provenance={},
                sharing=None if self.terms is None else self._sharing(self.terms, report),
                root=lambda: self.root,
            )
        finally:
            events.close()
            report.close()
            runner.close()
            self.text = stream.getvalue()

    def _sharing(self, terms: Terms, report: Report) -> Sharing:
        return Sharing(
            terms=terms,
            store=self.store,
            report=report,
            places=("/a/home/",),
            version="0",
            patience=Patience(self.patience),
        )

    def build(self, *goals: Stage, faults: list[Fault] | None = None) -> dict[str, Entry]:
        """Build the goals; the entries by name."""
        with self.builder() as builder, self.store.in_use():
            with ThreadPoolExecutor(self.jobs) as executor:
                return builder.build(goals, executor, faults=faults)

    def said(self, what: str) -> set[str]:
        """Names of the stages that the last run called `built`, `found` or `checked`."""
        rows = [line.split() for line in self.text.splitlines() if line.startswith("  ")]
        return {row[0] for row in rows if len(row) > 1 and row[1] == what}

    def log(self, name: str) -> str:
        """A stage's log."""
        return (self.cache / "logs" / "host" / f"{name}.log").read_text()


def shell(script: str, **env: str) -> Run:
    """A step that runs a shell script in which `$` is the shell's own."""
    return Run(argv=("sh", "-euc", script), env=tuple(env.items()))


def stage(
    name: str,
    *steps: Step,
    needs: tuple[Stage, ...] = (),
    checks: tuple[Check, ...] = (),
    scratch: tuple[str, ...] = (),
) -> Stage:
    """A stage whose needs have their own names for aliases."""
    return Stage(
        name=name,
        steps=steps,
        needs=tuple((need.name, need) for need in needs),
        checks=checks,
        scratch=scratch,
        runs_on="host",
    )


def text(name: str, content: str = "text", *, needs: tuple[Stage, ...] = ()) -> Stage:
    """A stage that starts no process: it writes the file `text`."""
    return stage(name, Write(path="${out}/text", text=content), needs=needs)
