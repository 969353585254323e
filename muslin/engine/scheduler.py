"""Which stages start next, and beside which others: the longest way first, within the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from muslin.engine.cache.store import Entry
from muslin.engine.stage import Stage

State = Literal["found", "check", "build", "not needed"]
SHARE = 0.8
"""Of the machine's memory that a run takes by default; the rest is for everything else."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A stage and what is to be done about it."""

    stage: Stage
    key: str
    state: State
    after: tuple[str, ...]
    """Keys of the stages that must be there first."""
    cpu_seconds: float = 0.0
    """What is to be expected: of the last build here, or else a guess."""
    wall_seconds: float = 0.0
    """The same by the clock, if there was a last build here."""
    memory: int = 0
    """Bytes of its largest process: of the last build here, or else a guess."""
    entry: Entry | None = None
    """What is in the store already, whole."""
    condemned: bool = False
    """Whether a verification refused that entry: it is built again."""


def ways(planned: Mapping[str, Planned]) -> dict[str, float]:
    """Key -> CPU seconds from a stage's start to the end of the last that waits for it, by the
    longest way. `planned` has dependencies first."""
    behind = dict.fromkeys(planned, 0.0)
    for key, one in reversed(list(planned.items())):
        own = behind[key] + one.cpu_seconds
        behind[key] = own
        for other in one.after:
            if other in behind:
                behind[other] = max(behind[other], own)
    return behind


@dataclass(kw_only=True)
class Schedule:
    """A run's stages: those that wait, those at work, and those that will never start."""

    waiting: dict[str, Planned]
    jobs: int
    limit: int
    """Bytes of memory for all processes together; 0 for no limit."""

    def __post_init__(self) -> None:
        self._ways = ways(self.waiting)
        self._busy: dict[str, Planned] = {}

    def start(self) -> Iterator[Planned]:
        """Take the next stages that can start now."""
        ready = [key for key, one in self.waiting.items() if not self._is_blocked(one)]
        for key in sorted(ready, key=lambda key: -self._ways[key]):
            # Who finds no room is waited for: others would start before it for ever.
            if len(self._busy) == self.jobs or not self._has_room(self.waiting[key]):
                return
            self._busy[key] = self.waiting.pop(key)
            yield self._busy[key]

    def done(self, key: str) -> None:
        """A stage has ended well."""
        del self._busy[key]

    def failed(self, key: str) -> list[Planned]:
        """A stage has failed; those that will not start because of it."""
        del self._busy[key]
        gone, dropped = {key}, list[Planned]()
        for other, one in list(self.waiting.items()):  # dependencies come first
            if gone & set(one.after):
                gone.add(other)
                dropped.append(self.waiting.pop(other))
        return dropped

    def again(self, key: str, planned: Mapping[str, Planned]) -> int:
        """A stage that was at work is to be done in another way: with what is planned now; how many
        stages more that is."""
        del self._busy[key]
        more = {
            other: one
            for other, one in planned.items()
            if one.state != "found" and other not in self.waiting and other not in self._busy
        }
        self.waiting = {**more, **self.waiting}  # dependencies come first
        self._ways = ways({**self._busy, **self.waiting})
        return len(more) - 1

    def held_back(self, one: Planned) -> int:
        """Slots that nobody may use while a stage runs, so that its processes fit the memory."""
        return self.jobs - self._at_once(one)

    def _at_once(self, one: Planned) -> int:
        if not self.limit or not one.memory:
            return self.jobs
        return min(self.jobs, max(1, self.limit // one.memory))

    def _has_room(self, one: Planned) -> bool:
        """All processes share the slots, so there are never more than those, whatever stages they
        belong to: who needs fewer of them runs alone."""
        beside = self._busy.values()
        return not beside or not any(self.held_back(other) for other in (one, *beside))

    def _is_blocked(self, one: Planned) -> bool:
        return any(key in self.waiting or key in self._busy for key in one.after)
