"""How processes are ended: with all that they started, now or by the next run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muslin.engine.process import errors

GRACE = 3.0
"""Seconds that a process has to end by itself."""
LAST_MOMENTS = 10.0
"""Seconds in which a process that was killed must be gone."""
BETWEEN = 1.0
"""Seconds that a process may take from one program to the next."""
POLL = 0.02
MARK = "MUSLIN_WORK"
"""Set in every process of a stage: a later run finds by it what a killed run left behind."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the kernel says of a process."""

    parent: int
    session: int
    alive: bool


def table() -> dict[int, Row]:
    """Every process of this machine by its number; proc(5), /proc/PID/stat."""
    rows = {}
    for name in os.listdir("/proc"):  # noqa: PTH208  # for every command: as quick as can be
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
                text = file.read(1024)
        except OSError:  # gone meanwhile
            continue
        # What precedes is the program's name, which may hold anything.
        state, parent, _, session, *rest = text[text.rindex(b")") + 2 :].split()
        # One whose first thread has ended is a zombie with others.
        alive = state not in b"ZX" or int(rest[13]) > 1
        rows[int(name)] = Row(parent=int(parent), session=int(session), alive=alive)
    return rows


def below(roots: Collection[int], rows: dict[int, Row]) -> set[int]:
    """The processes that came of some, and are alive."""
    children: dict[int, list[int]] = {}
    for process, row in rows.items():
        children.setdefault(row.parent, []).append(process)
    found, left = set[int](), list(roots)
    while left:
        new = [process for process in children.get(left.pop(), ()) if process not in found]
        found.update(new)
        left += new
    return {process for process in found if rows[process].alive}


def kill(processes: Collection[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to each that is still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def end_leftovers(work: Path) -> int:
    """End the processes that a killed run left at work in this folder; how many there were.

    Looks until none is seen: one may have started another while it was being ended. Raises
    `LeftoverAlive` where one outlives that, as a process does that waits for a dead disk.
    """
    ended = set[int]()
    deadline = time.monotonic() + LAST_MOMENTS
    while marked := set(_at_work_in(work)):
        if time.monotonic() > deadline:
            raise errors.LeftoverAlive(f"an earlier run in {work}", sorted(marked))
        # Those without the mark are known by their ancestors alone, which adopt what they leave:
        # so ancestors come last, and start nothing meanwhile.
        kill(marked, signal.SIGSTOP)
        victims = below(marked, table()) - marked or marked
        kill(victims)
        ended |= victims
        time.sleep(POLL)
    return len(ended)


def _at_work_in(work: Path) -> Iterator[int]:
    """Processes that carry the folder in their environment; those that are ending do no more."""
    wanted = f"{MARK}={work}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if wanted in _environment(environ).split(b"\0"):
                yield int(environ.parent.name)


def _environment(environ: Path) -> bytes:
    """A process's environment; of one between two programs, the next one's."""
    deadline = time.monotonic() + BETWEEN
    while not (held := environ.read_bytes()) and _becomes_another(environ.parent):
        if time.monotonic() > deadline:
            break
        time.sleep(POLL / 10)
    return held


def _becomes_another(process: Path) -> bool:
    """Whether an environment that was read as empty is not: between two programs a process has
    that of neither (execve(2)). proc(5), /proc/PID/stat, fields 50 and 51: where it starts and
    ends, 0 before there is one.
    """
    (process / "exe").readlink()  # the kernel's own threads have no program
    start, end = (process / "stat").read_bytes().rpartition(b")")[2].split()[47:49]
    return end == b"0" or start != end
