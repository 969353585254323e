"""Attempts: how many, with which pauses, and how long a registry is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from muslin.dist.registry import errors
from muslin.dist.registry.answer import Busy
from muslin.engine.fetch.failures import Fault
from muslin.engine.process import errors as process_errors

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a registry is given, in seconds unless it says otherwise."""

    tries: int = 5
    pause: float = 1.0
    """Before the second try; doubled before each further one."""
    longest_pause: float = 120.0
    """What a registry may ask to wait for (`Retry-After`)."""
    connect: float = 15.0
    silence: float = 120.0
    """Until an answer: a registry reads all that it was sent once more."""
    patience: float = 180.0
    """For a request and its answer, plus the time that its bytes take at `slowest`."""
    slowest: int = 20_000
    """Bytes a second."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """What a run does about faults."""

    limits: Limits
    stopping: threading.Event
    """Ends a wait, and the run."""

    def run(self, what: str, place: str, action: Callable[[], Result]) -> Result:
        """Do something until it works, with pauses.

        Raises `RegistryFailed` with the last fault, `Interrupted`, and what the action raises.
        """
        pause = self.limits.pause
        for left in reversed(range(self.limits.tries)):
            if self.stopping.is_set():
                raise process_errors.Interrupted("the end of the run", [what])
            try:
                return action()
            except Fault as fault:
                wait = max(pause, fault.after) if isinstance(fault, Busy) else pause
                if wait > self.limits.longest_pause:
                    why = f"{fault}, and asks to wait {wait:.0f} s"
                    raise errors.RegistryFailed(place, what, why) from fault
                if left == 0 or not fault.passing:
                    raise errors.RegistryFailed(place, what, str(fault)) from fault
            self.stopping.wait(wait)
            pause *= 2
        raise AssertionError(what)  # the last try has returned or raised
