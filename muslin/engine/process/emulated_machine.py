"""An emulated machine that starts: what came on its console, and when."""

from __future__ import annotations

import http.client
import json
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from muslin import errors
from muslin.engine.process import logs, loopback
from muslin.engine.process.supervisor import Process
from muslin.engine.sandbox import Site
from muslin.engine.stage import Boot

KERNELS = re.compile(r"\[ *\d+\.\d+\]")
"""How a line of Linux's own begins."""
PANIC = "Kernel panic"
LAST = 12
"""Lines of a console that a failure shows."""
POLL = 0.05


class _Amiss(Exception):
    """Something that should have been seen was not."""


def boot(what: Boot, site: Site) -> None:
    """Start the machine and write its reports; raises `BoardFailed` with what was not seen."""
    folder = site.own(what.to)
    folder.mkdir(parents=True, exist_ok=True)
    console, port = folder / "console.log", loopback.free_port()
    with (
        site.runner.slot(),
        site.runner.server(
            [site.expand(word.replace("${port}", str(port))) for word in what.run.argv],
            what=site.stage,
            cwd=site.path(what.run.cwd),
            env={**site.environment, **{name: site.expand(text) for name, text in what.run.env}},
            log=site.log,
            output=console,
            writable=site.writable,
            printed=what.run.printed,
        ) as process,
    ):
        most = site.runner.limits.check(printed=what.run.printed).printed
        start = _Start(what=what, console=console, process=process, port=port, most=most)
        try:
            while not start.seen():
                site.runner.raise_if_stopping(site.stage)
                time.sleep(POLL)
            start.ask()
        except _Amiss as fault:
            shown = _text(console).splitlines() or logs.tail(site.log)
            _keep(console, site.log)
            raise errors.BoardFailed(what.subject, str(fault), shown[-LAST:], site.log) from fault
    start.write(folder)


@dataclass(kw_only=True)
class _Start:
    """A machine on its way, and what was seen of it, with the seconds since it began."""

    what: Boot
    console: Path
    process: Process
    port: int
    most: int
    """Bytes that an answer may have."""
    began: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)
    greeting: tuple[str, float] | None = None
    expected: float | None = None
    over: str = ""
    networked: bool = False
    answers: dict[str, float] = field(default_factory=dict)

    def seen(self) -> bool:
        """Whether all was; raises `_Amiss` once it cannot be any more."""
        code = self.process.poll()  # asked first: all it said is on the console then
        text, now = _text(self.console), time.monotonic() - self.began
        self._look(text, now)
        missing = [repr(mark) for mark in self.what.marks if mark not in self.marks]
        if self.what.expect:
            missing += [repr(self.what.expect)] if self.expected is None else []
            missing += [] if self.over else ["its end"]
        if self.over and (missing or self.over != "code 0" or not self.what.expect):
            also = f", and {missing[0]} was not seen" if missing else ""
            raise _Amiss(f"the program {_how(self.over)}{also}")
        if not missing:
            return True
        if PANIC in text:
            raise _Amiss(f"the kernel gave up before {missing[0]} was seen")
        if code is not None:
            raise _Amiss(f"the emulator ended with code {code} before {missing[0]} was seen")
        if now > self.what.limit:
            more = "`seconds` of the board, in boards/, gives it more time"
            raise _Amiss(f"{missing[0]} was not seen in {self.what.limit:.0f} s; {more}")
        return False

    def _look(self, text: str, now: float) -> None:
        what, started = self.what, False
        # The last line may be half written.
        for line in text[: text.rfind("\n") + 1].splitlines():
            if line.startswith(what.own):
                for mark in what.marks:
                    if line.startswith(mark):
                        self.marks.setdefault(mark, now)
                if line.startswith(what.over):
                    self.over = self.over or line.removeprefix(what.over)
                self.networked |= bool(what.network) and line.startswith(what.network)
                started |= line.startswith(what.start)
            elif started and line.strip() and not KERNELS.match(line):
                self.greeting = self.greeting or (line, now)
                if what.expect and what.expect in line and self.expected is None:
                    self.expected = now

    def ask(self) -> None:
        """Make the requests, where the machine has a network; raises `_Amiss`."""
        for one in self.what.requests if self.networked else ():
            try:
                fine, text = loopback.answer(
                    one.scheme, self.port, one.path, seconds=self.what.limit, most=self.most
                )
            except loopback.Unending as error:
                raise _Amiss(f"{one.scheme} {one.path}: {error}") from error
            except (OSError, http.client.HTTPException) as error:
                self.seen()  # it may have died of the request
                raise _Amiss(f"{one.scheme} {one.path} was not answered: {error}") from error
            if not fine or one.expect not in text:
                raise _Amiss(f"{one.scheme} {one.path} answered {text!r}, not {one.expect!r}")
            words = f"{one.scheme} {one.path} answered through its network: {one.expect!r}"
            self.answers[words] = time.monotonic() - self.began

    def write(self, folder: Path) -> None:
        """The reports."""
        rows = [*self.marks.items(), *self.answers.items()]
        if self.greeting is not None:
            rows.append((f"greeting: {self.greeting[0]}", self.greeting[1]))
        if self.expected is not None:
            rows.append((f"it said {self.what.expect!r} and ended with code 0", self.expected))
        rows.sort(key=lambda row: row[1])
        lines = [f"{self.what.subject}: came up"]
        lines += [f"{seconds:6.1f} s  {text}" for text, seconds in rows]
        if self.what.requests and not self.networked:
            lines.append("this board has no network: nothing was asked from outside")
        (folder / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        table = {
            "subject": self.what.subject,
            "network": self.networked,
            "seen": [{"what": text, "seconds": round(seconds, 2)} for text, seconds in rows],
        }
        (folder / "report.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        self.console.write_text(_text(self.console), encoding="utf-8")


def _how(over: str) -> str:
    """How a program ended, in words."""
    kind, _, number = over.partition(" ")
    if kind == "code":
        return f"ended with {over}"
    if kind != "signal" or not number.isdecimal():
        return f"was not started: {over}"
    reason = f"died of {signal.Signals(int(number)).name}"
    if int(number) == signal.SIGILL:
        return f"{reason}: it has an instruction that this processor lacks"
    return reason


def _text(console: Path) -> str:
    return console.read_text(encoding="utf-8", errors="replace").replace("\r", "")


def _keep(console: Path, log: Path) -> None:
    """The work folder goes with a failed stage, the log stays."""
    with log.open("a", encoding="utf-8") as text:
        text.write(_text(console))
