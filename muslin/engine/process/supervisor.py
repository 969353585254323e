"""The only place that starts a process: a program, and all that comes of it, which does not outlive
its use.

This process adopts orphans, and so does every program that is started (`confinement`). So what a
program leaves behind is below it for as long as it runs, whatever session or environment that made
itself, and comes to us when the program has ended. A child of ours that we did not start is what a
program that has ended left, and never of another that still runs beside it.

A program is reaped when all of it has ended: until then its number is nobody else's, and no signal
can reach a stranger.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from muslin.engine.process import errors, landlock, termination
from muslin.engine.process.limits import Fault

UMASK = 0o022
"""Every process gets it, whatever the user's own is."""
LOOK = 0.1
"""Seconds between two looks at what a program has taken and printed."""
_LOCK = threading.RLock()
"""Held where processes are started or reaped, and where the children of this one are looked at."""
_STARTED = set[int]()


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a process and all it waited for took."""

    cpu_seconds: float
    memory: int
    """Bytes of the largest of them; 0 where it is not known, being less than this process took."""


class Process:
    """The first process of a program, as whoever started it has it."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        stdin: IO[bytes] | None,
        out: IO[bytes],
        err: IO[bytes],
        descriptors: tuple[int, ...],
    ) -> None:
        """Start it; raises `OSError`."""
        self._what = what
        with _LOCK:
            landlock.adopt()
            self._popen = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=stdin or subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=descriptors,
                umask=UMASK,
            )
            self.pid = self._popen.pid
            _STARTED.add(self.pid)
        self.usage = Usage(cpu_seconds=0.0, memory=0)
        """Known once it was ended."""
        self.fault: errors.BeyondLimit | None = None
        """Why it was ended before its time."""
        self._ending = threading.Lock()
        self._over = threading.Event()
        self._watch: threading.Thread | None = None

    def poll(self) -> int | None:
        """The code that it ended with, negative for a signal; None while it runs."""
        return self._waited(os.WNOHANG)

    def wait(self, seconds: float | None = None) -> int | None:
        """The same, once it has ended; None if it has not in so many seconds."""
        if seconds is None:
            return self._waited(0)
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(termination.POLL)
        return code

    def _waited(self, options: int) -> int | None:
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | options)
        except ChildProcessError:  # it was reaped, or is just being
            with _LOCK:
                return self._popen.returncode
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send it, or all of its group, a signal, if it was not reaped."""
        with _LOCK, suppress(ProcessLookupError):
            if self._popen.returncode is None:
                (os.killpg if group else os.kill)(self.pid, number)

    def kill(self) -> None:
        """Kill it, or what it left, with all that came of it; `end` sees to what is new."""
        with _LOCK:
            if self._popen.returncode is None:
                termination.kill(self._left())

    def watch(self, fault: Fault) -> None:
        """Ask again and again, until it is ended, whether something is amiss, and kill it then."""

        def look() -> None:
            while not self._over.wait(LOOK):
                if (found := fault(runs=True)) is not None and self.poll() is None:
                    self.fault = found
                    self.kill()
                    return

        self._watch = threading.Thread(target=look, daemon=True, name=f"watch {self.pid}")
        self._watch.start()

    def end(self, grace: float) -> None:
        """End what is left of it, politely for `grace` seconds, then for good, and reap it.

        Raises `LeftoverAlive` where something outlives that.
        """
        self._over.set()
        if self._watch is not None:
            self._watch.join()  # what it looks at is closed next
        with self._ending:
            if self._popen.returncode is not None:
                return
            told, began = set[int](), time.monotonic()
            while left := self._left():
                now = time.monotonic() - began
                if now > grace + termination.LAST_MOMENTS:
                    raise errors.LeftoverAlive(self._what, sorted(left))
                if now < grace:
                    termination.kill(left - told, signal.SIGTERM)
                    told |= left
                else:
                    termination.kill(left)
                time.sleep(termination.POLL)
            self._reap()

    def _left(self) -> set[int]:
        """What of it is alive. Orphans are anybody's who has ended: whoever sees them ends them."""
        with _LOCK:
            runs = self.poll() is None  # asked first: once it has ended, what it left is with us
            rows = termination.table()
            if runs:
                return {self.pid, *termination.below({self.pid}, rows)}
            ours, session = os.getpid(), os.getsid(0)
            orphans = {
                process
                for process, row in rows.items()
                if row.parent == ours and row.session != session and process not in _STARTED
            }
            for process in orphans:
                if not rows[process].alive:
                    with suppress(ChildProcessError):
                        os.waitpid(process, os.WNOHANG)
            alive = {process for process in orphans if rows[process].alive}
            return alive | termination.below(orphans, rows)

    def _reap(self) -> None:
        with _LOCK:
            _, status, usage = os.wait4(self.pid, 0)  # Popen would throw away what it took
            self._popen.returncode = os.waitstatus_to_exitcode(status)
            _STARTED.discard(self.pid)
        # A child starts with our own peak (vfork shares our memory until it runs its program): what
        # is not above that says nothing of it.
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory = usage.ru_maxrss * 1024 if usage.ru_maxrss > own else 0
        self.usage = Usage(cpu_seconds=usage.ru_utime + usage.ru_stime, memory=memory)
