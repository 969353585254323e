"""The only place that prints: a line per stage, live progress, the summary.

On a terminal one line at the bottom is alive; elsewhere plain lines, and a stage that takes long
is heard of at least every half minute.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Never, TextIO

from tqdm import tqdm

from muslin.engine.redaction import hidden
from muslin.engine.workflow_commands import inert

HEARTBEAT = 30.0
"""Seconds between two signs of life of one stage where there is no terminal."""
REFRESH = 0.5
WORTH_A_LINE = 5_000_000
"""Bytes from which a download is announced where there is no terminal."""
WIDTH = 28
WELL = ("found", "built", "checked", "running", "fetching", "waits")
"""What is said of a stage or a download that goes well."""
LONG = 10.0
"""Seconds from which it is worth saying how long a run will take."""


Level = Literal["quiet", "normal", "verbose"]
"""How much is said: with `quiet` no line and no progress of a stage that went well, with `verbose`
the log of each that begins."""
Reached = Callable[[], str]
"""How far something has come, in a word or two; empty if that is not known."""


# Long: every line that a run prints.
class Report:
    """Tells a person what happens."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.RLock()
        self._terminal = self._stream.isatty()
        self._running: dict[str, _Watched] = {}
        self._downloads: dict[str, tqdm[Never]] = {}
        self._ticker: threading.Thread | None = None
        self._status: tqdm[Never] | None = None
        self._ended = threading.Event()
        self._left = 0
        self.level: Level = "normal"
        self.lines: list[str] = []
        """What was said, in order."""

    def divert(self) -> None:
        """Speak on standard error from now on: the output is for a machine."""
        with self._lock:
            self._stream, self._terminal = sys.stderr, sys.stderr.isatty()

    def data(self, text: str) -> None:
        """What is for a machine, on standard output, whatever else is said where."""
        sys.stdout.write(text)

    # --- lines ---

    def say(self, text: str) -> None:
        """One line, above whatever is alive."""
        text = inert(hidden(text))
        with self._lock:
            self.lines.append(text)
            tqdm.write(text, file=self._stream)
            self._stream.flush()

    def stage_line(self, name: str, what: str, detail: str = "") -> None:
        """The line of a stage."""
        if self.level == "quiet" and what in WELL:
            return
        self.say(f"  {name:<{WIDTH}} {what:<9}{detail}".rstrip())

    def planned(self, *, found: int, all_: int, seconds: float) -> None:
        """What a run will do, and how long that will take if nothing else keeps the machine."""
        with self._lock:
            self._left = all_ - found
        if self._left:
            about = f", about {duration(seconds)} on an idle machine" if seconds >= LONG else ""
            self.say(f"{all_} stages: {found} found, {self._left} to do{about}")

    def found(self, name: str) -> None:
        """A stage that was in the cache, its checks passed."""
        self._outcome(name, "found")

    def built(self, name: str, seconds: float, cpu: float, checking: float) -> None:
        """A stage that was built and checked: seconds of all, of the CPU, and of the checks."""
        checked = f", checks {duration(checking)}" if checking else ""
        self._outcome(name, "built", f"{duration(seconds):>12}  (CPU {duration(cpu)}{checked})")

    def checked(self, name: str, seconds: float) -> None:
        """A stage from the cache whose product passed checks that it had not passed before."""
        self._outcome(name, "checked", f"{duration(seconds):>12}")

    def failed(self, name: str, why: str, dropped: int) -> None:
        """A stage that failed while others go on; so many cannot start without it."""
        with self._lock:
            self._left -= 1 + dropped
        also = f"; {dropped} stage(s) will not be built without it" if dropped else ""
        self._outcome(name, "failed", f": {why.splitlines()[0]}{also}")

    def _outcome(self, name: str, what: str, detail: str = "") -> None:
        """The line of a stage whose outcome is known: from here on it is not among the running."""
        with self._lock:
            self._running.pop(name, None)
            self.stage_line(name, what, detail)

    def damaged(self, name: str, fault: str) -> None:
        """A cache entry that is not what it was."""
        self.say(f"  {name:<{WIDTH}} damaged: {fault}; it was removed and is built anew")

    def waits(self, name: str) -> None:
        """Another run has the stage in hand."""
        self.stage_line(name, "waits", " for another run that builds it")

    def note(self, text: str) -> None:
        """Something that a person should know and that stops nothing."""
        self.say(f"  note: {text}")

    def aside(self, text: str) -> None:
        """One line on standard error: something did not go as it should, and the run goes on."""
        with self._lock:
            tqdm.write(f"  note: {hidden(text)}", file=sys.stderr)
            sys.stderr.flush()

    def added(self, count: int) -> None:
        """So many stages more are to be done than was said."""
        with self._lock:
            self._left += count

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns, as wide as their widest cell."""
        widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
        self.say(title)
        for row in [head, *rows]:
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self.say("  " + "  ".join(cells).rstrip())

    # --- long stages ---

    @contextmanager
    def busy(self, name: str, log: Path | None = None, expected: float = 0.0) -> Iterator[None]:
        """Keeps a person informed while something takes its time, `expected` seconds if known."""
        with self._lock:
            self._running[name] = _Watched(log, expected)
            self._start_ticker()
            if log is not None and self.level == "verbose":
                self.stage_line(name, "begins", f" log: {log}")
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(name, None)  # a stage may have said its outcome already

    @contextmanager
    def stage(
        self, name: str, log: Path, expected: float = 0.0, reached: Reached = lambda: ""
    ) -> Iterator[None]:
        """The same for a stage, of which there is one less to do afterwards; `reached` says how
        far it has come."""
        with self.busy(name, log, expected):
            self._running[name].reached = reached
            yield
        with self._lock:
            self._left -= 1

    def running(self) -> list[str]:
        """Names of the stages that run now."""
        with self._lock:
            return sorted(self._running)

    def _start_ticker(self) -> None:
        if self._ticker is None and self.level != "quiet":
            if self._terminal:
                self._status = tqdm(total=0, bar_format="{desc}", file=self._stream, leave=False)
            self._ticker = threading.Thread(target=self._tick, daemon=True, name="report")
            self._ticker.start()

    def _tick(self) -> None:
        while not self._ended.wait(REFRESH):
            with self._lock:
                if self._status is not None:
                    self._status.set_description_str(self._now())
                else:
                    for name, watched in self._running.items():
                        if watched.is_due():
                            self.stage_line(name, "running", watched.now())

    def _now(self) -> str:
        stages = "  ".join(f"{name} {watched.now()}" for name, watched in self._running.items())
        line = f"{self._left} left: {stages}" if self._left else stages
        return line[: (self._status.ncols or 100) if self._status else 100]

    # --- downloads ---

    def start(self, name: str, total_bytes: int) -> None:
        """A download begins."""
        with self._lock:
            if not self._terminal and total_bytes > WORTH_A_LINE:
                self.stage_line(name, "fetching", f" {size(total_bytes)}")
            self._downloads[name] = tqdm(
                total=total_bytes,
                desc=f"  {name[:WIDTH]}",
                unit="B",
                unit_scale=True,
                leave=False,
                disable=not self._terminal or self.level == "quiet",
                file=self._stream,
            )

    def advance(self, name: str, bytes_: int) -> None:
        """So many bytes more."""
        with self._lock:
            self._downloads[name].update(bytes_)

    def done(self, name: str) -> None:
        """A download has ended, well or not."""
        with self._lock:
            self._downloads.pop(name).close()

    def close(self) -> None:
        """Nothing is alive any more."""
        self._ended.set()
        if self._ticker is not None:
            self._ticker.join()
        with self._lock:
            if self._status is not None:
                self._status.close()


class _Watched:
    """A running stage and its log."""

    def __init__(self, log: Path | None, expected: float) -> None:
        self.log, self.expected = log, expected
        self.reached: Reached = lambda: ""
        self.started = self.heard = time.monotonic()

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self.heard < HEARTBEAT:
            return False
        self.heard = now
        return True

    def now(self) -> str:
        """For how long, of how long if that is known, and how much its log has grown."""
        ago = duration(time.monotonic() - self.started)
        if self.expected >= LONG:
            ago += f" of about {duration(self.expected)}"
        if words := self.reached():
            ago += f", {words}"
        if self.log is None:
            return ago
        kilobytes = self.log.stat().st_size / 1000 if self.log.exists() else 0
        return f"{ago}, log {kilobytes:.0f} kB"


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def size(bytes_: int) -> str:
    """Bytes for people: `950 B`, `12.3 kB`, `1.2 MB`, in powers of 1000."""
    amount = float(bytes_)
    for unit in ("B", "kB", "MB"):
        if amount < (1000 if unit == "B" else 999.95):
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
