"""Plan a run: what of a graph is in the store, and what has to be built or checked."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from muslin.engine import errors
from muslin.engine.cache.history import History
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report
from muslin.engine.key import Keys
from muslin.engine.scheduler import Planned, State
from muslin.engine.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What is looked at to plan a run."""

    store: Store
    report: Report
    history: History
    keys: Keys

    def plan(self, goals: Iterable[Stage]) -> dict[str, Planned]:
        """Key -> what is to be done, dependencies first. Asks the store alone, which drops
        what is damaged.

        Raises `NameTaken` where two different stages have one name.
        """
        planned: dict[str, Planned] = {}
        goals = tuple(goals)
        condemned = self._condemned(goals)
        for goal in goals:
            self._plan(goal, planned, condemned)
        names: dict[str, str] = {}
        for key, one in planned.items():
            if names.setdefault(one.stage.name, key) != key:
                raise errors.NameTaken(one.stage.name)
        return planned

    def has(self, stage: Stage) -> bool:
        """Whether a stage is in the store with its checks passed, whole."""
        damaged = functools.partial(self.report.damaged, stage.name)
        entry = self.store.find(self.keys.of(stage), damaged)
        return entry is not None and self.is_proved(stage, entry)

    def _condemned(self, goals: Iterable[Stage]) -> set[str]:
        """Keys of what a stage that blames it has refused, by the same rules as today."""
        found, seen, left = set[str](), set[int](), list(goals)
        while left:
            if id(stage := left.pop()) in seen:
                continue
            seen.add(id(stage))
            left += (other for _, other in (*stage.needs, *stage.judges, *stage.tools))
            for blamed in stage.blames:
                if self.store.marks(self.keys.of(blamed)).refused(self.keys.of(stage)):
                    found.add(self.keys.of(blamed))
        return found

    def _plan(self, stage: Stage, planned: dict[str, Planned], condemned: set[str]) -> None:
        key = self.keys.of(stage)
        if key in planned:
            return
        entry = self.store.find(key, lambda fault: self.report.damaged(stage.name, fault))
        state: State = "build"
        refused = key in condemned or (
            entry is not None and self.store.marks(key).refused(self.keys.checks_of(stage))
        )
        if entry is not None and not refused:
            state = "found" if self.is_proved(stage, entry) else "check"
        judged = (*stage.needs, *stage.judges)
        wanted = {"build": (*judged, *stage.tools), "check": judged}.get(state, ())
        if state == "check" and self.store.marks(key).vouched(self.keys.proof_of(stage)):
            wanted = stage.judges  # what it was made from was checked where it was built
        for _, other in wanted:
            self._plan(other, planned, condemned)
        after = tuple(self.keys.of(other) for _, other in wanted)
        last = self.history.last(stage.name) if state == "build" else None
        guess = stage.guess if state == "build" else 0.0
        planned[key] = Planned(
            stage=stage,
            key=key,
            state=state,
            after=after,
            cpu_seconds=last.cpu_seconds if last else guess,
            wall_seconds=last.wall_seconds if last else 0.0,
            memory=last.memory if last and last.memory else stage.memory,
            entry=entry,
            condemned=key in condemned,
        )

    def is_proved(self, stage: Stage, entry: Entry) -> bool:
        """Whether an entry has passed the checks of its stage and of all that it was made from."""
        return self.store.marks(entry.key).passed(self.keys.proof_of(stage))
