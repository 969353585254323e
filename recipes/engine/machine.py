"""An emulated machine that starts: what came on its console, and when."""

from __future__ import annotations

import http.client
import json
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from recipes import errors
from recipes.engine import asking, runner
from recipes.engine.site import Site
from recipes.engine.stage import Boot

KERNELS = re.compile(r"\[ *\d+\.\d+\]")
ENDED = re.compile(r"Attempted to kill init! exitcode=0x(?P<code>[0-9a-f]{8})")
"""How Linux says that process 1 ended, with the status that wait(2) would give."""
LAST = 12
"""Lines of a console that a failure shows."""
POLL = 0.05


class _Amiss(Exception):
    """Something that should have been seen was not."""


def boot(what: Boot, site: Site) -> None:
    """Start the machine and write its reports; raises `BoardFailed` with what was not seen."""
    folder = site.path(what.to)
    folder.mkdir(parents=True, exist_ok=True)
    console, port = folder / "console.log", asking.free_port()
    with (
        site.runner.slot(),
        site.runner.server(
            [site.expand(word.replace("${port}", str(port))) for word in what.run.argv],
            what=site.stage,
            cwd=site.work,
            env=site.environment,
            log=site.log,
            output=console,
        ) as process,
    ):
        start = _Start(what=what, console=console, process=process, port=port)
        try:
            while not start.seen():
                site.runner.raise_if_stopping(site.stage)
                time.sleep(POLL)
            start.ask()
        except _Amiss as fault:
            _keep(console, site.log)
            raise errors.BoardFailed(what.subject, str(fault), _last(console), site.log) from fault
    start.write(folder)


@dataclass(kw_only=True)
class _Start:
    """A machine on its way, and what was seen of it, with the seconds since it began."""

    what: Boot
    console: Path
    process: runner.Process
    port: int
    began: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)
    greeting: tuple[str, float] | None = None
    networked: bool = False
    answers: dict[str, float] = field(default_factory=dict)

    def seen(self) -> bool:
        """Whether every mark was; raises `_Amiss` once one cannot be any more."""
        ended = self.process.poll() is not None  # asked first: all it said is on the console then
        text, now = _text(self.console), time.monotonic() - self.began
        self._look(text, now)
        missing = [mark for mark in self.what.marks if mark not in self.marks]
        if not missing:
            return True
        if (end := ENDED.search(text)) is not None:
            raise _Amiss(f"{_why(int(end['code'], 16))}, and {missing[0]!r} was not seen")
        if ended:
            code = self.process.returncode
            raise _Amiss(f"the emulator ended with code {code} before {missing[0]!r} was seen")
        if now > self.what.limit:
            raise _Amiss(f"{missing[0]!r} was not seen in {self.what.limit:.0f} s")
        return False

    def _look(self, text: str, now: float) -> None:
        what, lines = self.what, text.splitlines()
        for mark in what.marks:
            if mark in text:
                self.marks.setdefault(mark, now)
        self.networked = bool(what.network) and what.network in text
        began = next((at for at, line in enumerate(lines) if line.startswith(what.own)), len(lines))
        for line in lines[began:]:
            if self.greeting is None and not line.startswith(what.own) and not KERNELS.match(line):
                self.greeting = line, now

    def ask(self) -> None:
        """Make the requests, where the machine has a network; raises `_Amiss`."""
        for one in self.what.requests if self.networked else ():
            try:
                fine, text = asking.answer(one.scheme, self.port, one.path)
            except (OSError, http.client.HTTPException) as error:
                raise _Amiss(f"{one.scheme} {one.path} was not answered: {error}") from error
            if not fine or one.expect not in text:
                raise _Amiss(f"{one.scheme} {one.path} answered {text!r}, not {one.expect!r}")
            words = f"{one.scheme} {one.path} answered through its network: {one.expect!r}"
            self.answers[words] = time.monotonic() - self.began

    def write(self, folder: Path) -> None:
        """The reports."""
        said = (
            [] if self.greeting is None else [(f"greeting: {self.greeting[0]}", self.greeting[1])]
        )
        rows = sorted((*self.marks.items(), *said, *self.answers.items()), key=lambda row: row[1])
        lines = [f"{self.what.subject}: came up"]
        lines += [f"{seconds:6.1f} s  {text}" for text, seconds in rows]
        if self.what.requests and not self.networked:
            lines.append("no network was found on this board: nothing was asked from outside")
        (folder / "report.txt").write_text("\n".join(lines) + "\n")
        table = {
            "subject": self.what.subject,
            "network": self.networked,
            "seen": [{"what": text, "seconds": round(seconds, 2)} for text, seconds in rows],
        }
        (folder / "report.json").write_text(json.dumps(table, indent=1) + "\n")
        self.console.write_text(_text(self.console))


def _why(status: int) -> str:
    """A status of wait(2) in words."""
    number = status & 0x7F
    if not number:
        return f"the program ended with code {status >> 8}"
    reason = f"the program died of {signal.Signals(number).name}"
    if number == signal.SIGILL:
        return f"{reason}: it has an instruction that this processor lacks"
    return reason


def _text(console: Path) -> str:
    return console.read_text(errors="replace").replace("\r", "")


def _last(console: Path) -> list[str]:
    return _text(console).splitlines()[-LAST:]


def _keep(console: Path, log: Path) -> None:
    """The work folder goes with a failed stage, the log stays."""
    with log.open("a") as text:
        text.write(_text(console))
