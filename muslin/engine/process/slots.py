"""Which of a run's threads may work: all share the slots of one jobserver with make and cargo."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from muslin.engine.process.jobserver import Jobserver


class Slots:
    """The jobserver's slots, as threads take and return them."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.stopping = threading.Event()
        """Set once the run is to end; nobody gets a slot afterwards."""
        self._jobserver: Jobserver | None = None
        self._lock = threading.Lock()
        self._mine = threading.local()

    @property
    def jobserver(self) -> Jobserver:
        """Made at its first use: a run that starts nothing needs none."""
        with self._lock:
            if self._jobserver is None:
                self._jobserver = Jobserver(self.jobs)
            return self._jobserver

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the jobserver's slots in this thread; once, however often it is asked for.

        A stage holds its own from its first step to its last. Between two steps a cargo beside it
        would take the slot and keep it for as long as it has crates to compile.
        """
        if getattr(self._mine, "held", False):
            yield
            return
        with self.jobserver.slot(self.stopping):
            self._mine.held = True
            try:
                yield
            finally:
                self._mine.held = False

    @contextmanager
    def held_back(self, slots: int) -> Iterator[None]:
        """Keep slots from everybody, for a stage whose processes take much memory each."""
        with ExitStack() as held:
            for _ in range(slots):
                held.enter_context(self.jobserver.slot(self.stopping))
            yield

    def close(self) -> None:
        """Nothing is started any more."""
        with self._lock:
            if self._jobserver is not None:
                self._jobserver.close()
                self._jobserver = None
