"""How processes are ended: with all that they started, now or by the next run."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from recipes import errors

GRACE = 3.0
"""Seconds that a process has to end by itself."""
LAST_MOMENTS = 10.0
"""Seconds in which a process that was killed must be gone."""
MARK = "MUSLIN_WORK"
"""Set in every process of a stage: a later run finds by it what a killed run left behind."""


class Leader(Protocol):
    """The first process of a group, as whoever started it has it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self) -> int: ...


def signal_group(group: int, number: signal.Signals) -> bool:
    """Whether the group still had a process to signal."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def end_group(process: Leader, grace: float) -> None:
    """No process of the group outlives its first one: wait `grace` seconds, then kill."""
    if not signal_group(process.pid, signal.SIGTERM):
        process.poll()
        return
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        if process.poll() is not None and not signal_group(process.pid, signal.SIGTERM):
            return
        time.sleep(0.02)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def end_leftovers(work: Path) -> int:
    """End the processes that a killed run left at work in this folder; how many there were.

    Looks until none is seen: one may have started another while it was being ended. Raises
    `LeftoverAlive` where one outlives that, as a process does that waits for a dead disk.
    """
    ended = set[int]()
    deadline = time.monotonic() + LAST_MOMENTS
    while found := _at_work_in(work):
        if time.monotonic() > deadline:
            raise errors.LeftoverAlive(work, found)
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                ended.add(process)
        time.sleep(0.02)
    return len(ended)


def _at_work_in(work: Path) -> list[int]:
    """Processes that carry the folder in their environment; those that are ending do no more."""
    wanted = f"{MARK}={work}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
        except OSError:  # gone meanwhile, or another user's
            continue
    return found
