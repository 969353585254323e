"""How a run ends before its time: every process with it, finished stages kept, one line said."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from muslin.engine.console import Report
from muslin.engine.process import errors
from muslin.engine.process.runner import Runner

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite kill, and a terminal that was closed."""


@contextmanager
def stoppable(report: Report, runner: Runner) -> Iterator[None]:
    """Ctrl-C and SIGTERM end every process, then the run, as `PipelineError`."""
    stopped: list[signal.Signals] = []
    running: list[str] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not stopped:
            stopped.append(signal.Signals(number))
            running.extend(report.running())  # now: they are gone when the run has ended
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, stop)
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup, or a script's background
    }
    try:
        yield
    except KeyboardInterrupt:
        runner.stop()
        raise errors.Interrupted(stopped[0].name if stopped else "Ctrl-C", running) from None
    finally:
        report.close()
        runner.close()
        for number, handler in before.items():
            signal.signal(number, handler)
