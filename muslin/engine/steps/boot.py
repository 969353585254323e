"""Start an emulated machine and follow its console: what came, and when."""

from __future__ import annotations

import http.client
import json
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from muslin.engine import errors
from muslin.engine.process import logs, loopback
from muslin.engine.process.supervisor import Process
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Step
from muslin.engine.steps.run import Run

KERNELS = re.compile(r"\[ *\d+\.\d+\]")
"""How a line of Linux's own begins."""
PANIC = "Kernel panic"
LAST = 12
"""Lines of a console that a failure shows."""
POLL = 0.05


@dataclass(frozen=True, kw_only=True)
class Request:
    """A question to a server and what its answer must hold."""

    scheme: Literal["http", "https"]
    path: str
    expect: str


@dataclass(frozen=True, kw_only=True)
class Boot(Step):
    """Start a machine and follow its console until all was seen; then it is switched off.

    Writes `console.log`, `report.txt` and `report.json` into `to`. Lines that start with `own` are
    the machine's, those of Linux are known by their times, all others after `start` are the
    program's. In `run`, `${port}` stands for a free port of this machine.
    """

    revision: ClassVar[int] = 1
    run: Run
    to: str
    subject: str
    """What starts where, for people."""
    own: str
    start: str
    """How the machine's line begins that says that the program starts."""
    marks: tuple[str, ...]
    """How lines of the machine begin that must come."""
    over: str
    """How the machine's line begins that says how the program ended: `code 0`, `signal 4`."""
    expect: str = ""
    """What a program says that then ends by itself, with code 0; a server does not end."""
    network: str = ""
    """How the line begins by which the machine says that `${port}` leads to it."""
    requests: tuple[Request, ...] = ()
    """Made once all marks were seen, where there is a network."""
    limit: float = field(default=60.0, metadata=UNKEYED)
    """Seconds until all must have been seen, and for each answer."""

    def perform(self, sandbox: Sandbox) -> None:
        """Start the machine and write its reports; raises `BoardFailed` with what was not seen."""
        folder = sandbox.own(self.to)
        folder.mkdir(parents=True, exist_ok=True)
        console, port = folder / "console.log", loopback.free_port()
        with (
            sandbox.runner.slot(),
            sandbox.runner.server(
                [sandbox.expand(word.replace("${port}", str(port))) for word in self.run.argv],
                what=sandbox.stage,
                cwd=sandbox.path(self.run.cwd),
                env={
                    **sandbox.environment,
                    **{name: sandbox.expand(text) for name, text in self.run.env},
                },
                log=sandbox.log,
                output=console,
                seal=sandbox.seal(network=True),  # it is asked from here
                printed=self.run.printed,
            ) as process,
        ):
            most = sandbox.runner.limits.check(printed=self.run.printed).printed
            start = _Start(boot=self, console=console, process=process, port=port, most=most)
            try:
                while not start.seen():
                    sandbox.runner.raise_if_stopping(sandbox.stage)
                    time.sleep(POLL)
                start.ask()
            except _Amiss as fault:
                shown = _text(console).splitlines() or logs.tail(sandbox.log)
                _keep(console, sandbox.log)
                raise errors.BoardFailed(
                    self.subject, str(fault), shown[-LAST:], sandbox.log
                ) from fault
        start.write(folder)


class _Amiss(Exception):
    """Something that should have been seen was not."""


@dataclass(kw_only=True)
class _Start:
    """A machine on its way, and what was seen of it, with the seconds since it began."""

    boot: Boot
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
        missing = [repr(mark) for mark in self.boot.marks if mark not in self.marks]
        if self.boot.expect:
            missing += [repr(self.boot.expect)] if self.expected is None else []
            missing += [] if self.over else ["its end"]
        if self.over and (missing or self.over != "code 0" or not self.boot.expect):
            also = f", and {missing[0]} was not seen" if missing else ""
            raise _Amiss(f"the program {_how(self.over)}{also}")
        if not missing:
            return True
        if PANIC in text:
            raise _Amiss(f"the kernel gave up before {missing[0]} was seen")
        if code is not None:
            raise _Amiss(f"the emulator ended with code {code} before {missing[0]} was seen")
        if now > self.boot.limit:
            more = "`seconds` of the board, in boards/, gives it more time"
            raise _Amiss(f"{missing[0]} was not seen in {self.boot.limit:.0f} s; {more}")
        return False

    def _look(self, text: str, now: float) -> None:
        boot, started = self.boot, False
        # The last line may be half written.
        for line in text[: text.rfind("\n") + 1].splitlines():
            if line.startswith(boot.own):
                for mark in boot.marks:
                    if line.startswith(mark):
                        self.marks.setdefault(mark, now)
                if line.startswith(boot.over):
                    self.over = self.over or line.removeprefix(boot.over)
                self.networked |= bool(boot.network) and line.startswith(boot.network)
                started |= line.startswith(boot.start)
            elif started and line.strip() and not KERNELS.match(line):
                self.greeting = self.greeting or (line, now)
                if boot.expect and boot.expect in line and self.expected is None:
                    self.expected = now

    def ask(self) -> None:
        """Make the requests, where the machine has a network; raises `_Amiss`."""
        for request in self.boot.requests if self.networked else ():
            try:
                fine, text = loopback.answer(
                    request.scheme, self.port, request.path, seconds=self.boot.limit, most=self.most
                )
            except loopback.Unending as error:
                raise _Amiss(f"{request.scheme} {request.path}: {error}") from error
            except (OSError, http.client.HTTPException) as error:
                self.seen()  # it may have died of the request
                raise _Amiss(
                    f"{request.scheme} {request.path} was not answered: {error}"
                ) from error
            if not fine or request.expect not in text:
                raise _Amiss(
                    f"{request.scheme} {request.path} answered {text!r}, not {request.expect!r}"
                )
            words = (
                f"{request.scheme} {request.path} answered through its network: {request.expect!r}"
            )
            self.answers[words] = time.monotonic() - self.began

    def write(self, folder: Path) -> None:
        """The reports."""
        rows = [*self.marks.items(), *self.answers.items()]
        if self.greeting is not None:
            rows.append((f"greeting: {self.greeting[0]}", self.greeting[1]))
        if self.expected is not None:
            rows.append((f"it said {self.boot.expect!r} and ended with code 0", self.expected))
        rows.sort(key=lambda row: row[1])
        lines = [f"{self.boot.subject}: came up"]
        lines += [f"{seconds:6.1f} s  {text}" for text, seconds in rows]
        if self.boot.requests and not self.networked:
            lines.append("this board has no network: nothing was asked from outside")
        (folder / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        table = {
            "subject": self.boot.subject,
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
