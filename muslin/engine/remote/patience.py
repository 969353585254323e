"""How long a run waits for a server in vain: a few seconds altogether, then it does without."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from muslin.engine.fetch.failures import Fault

SECONDS = 3.0
SLOWEST = 250_000
"""Bytes a second at which a transfer costs nothing."""


class Patience:
    """The time that a server may cost, shared by all of a run's requests.

    Time passes while a request is under way. What bytes take that moved meanwhile, in either
    direction, at `SLOWEST`, does not count; nor do bytes save time for later.
    """

    def __init__(
        self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._requests = 0
        self._last = self._waited = 0.0
        self._moved = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request is under way."""
        with self._lock:
            if not self._requests:
                self._last, self._moved = self._clock(), 0
            self._requests += 1
        try:
            yield
        finally:
            with self._lock:
                self._pass()
                self._requests -= 1

    def moved(self, count: int) -> None:
        """So many bytes were sent or received."""
        with self._lock:
            self._moved += count

    def check(self) -> None:
        """Raise `Fault` where the time is over."""
        with self._lock:
            self._pass()
            if self._waited >= self._seconds:
                raise Fault(f"did not answer for {self._seconds:.0f} s", passing=False)

    def renew(self) -> None:
        """The server was worth waiting for: what it cost so far is forgotten."""
        with self._lock:
            self._pass()
            self._waited = 0.0

    def _pass(self) -> None:
        if self._requests:
            now = self._clock()
            self._waited += max(0.0, now - self._last - self._moved / SLOWEST)
            self._last, self._moved = now, 0
