"""Start a server and send it a request."""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from muslin.engine.checks import program
from muslin.engine.process import errors, loopback
from muslin.engine.process.supervisor import Process
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Check
from muslin.engine.steps.run import Run

END_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Serves(Check):
    """A server, started with `PORT` set, answers a request on loopback and ends on SIGTERM."""

    revision: ClassVar[int] = 1
    run: Run
    scheme: Literal["http", "https"]
    path: str
    expect: str
    upon_sigill: str = field(default="", metadata=UNKEYED)

    @property
    def title(self) -> str:
        """What must be true."""
        return "it serves"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        port = loopback.free_port()
        argv = [sandbox.expand(word) for word in self.run.argv]
        env = {**sandbox.environment, **{name: sandbox.expand(text) for name, text in self.run.env}}
        with sandbox.runner.server(
            argv,
            what=sandbox.stage,
            cwd=sandbox.work,
            env={**env, "PORT": str(port)},
            log=sandbox.log,
            seal=sandbox.seal(network=True),  # it is asked from here
        ) as process:
            fine, answer = self._first_answer(port, process, sandbox)
            code = process.poll()
            program.raise_if_died(self.run, code, self.upon_sigill, sandbox)
            if not fine or self.expect not in answer:
                wanted = f"instead of 200 with {self.expect!r}"
                yield f"{self.scheme} {self.path} answered {_shown(answer)} {wanted}"
            elif code is not None:
                yield (
                    f"ended with code {code} after it was started, and something answered: it went "
                    "into the background. As process 1 of a container it would take the container "
                    "with it; most servers have an option to stay in the foreground"
                )
            if code is None:
                yield from _ends(process)

    def _first_answer(self, port: int, process: Process, sandbox: Sandbox) -> tuple[bool, str]:
        """What the server says once it accepts connections, and whether with status 200; the fault
        in words otherwise. Raises `AnswerUnending`."""
        allowance = sandbox.runner.limits.check(self.run.seconds, self.run.printed)
        began, seconds = time.monotonic(), allowance.seconds
        while True:
            left = max(1.0, began + seconds - time.monotonic())
            try:
                return loopback.answer(
                    self.scheme, port, self.path, seconds=left, most=allowance.printed
                )
            except loopback.Unending as error:
                request = f"{self.scheme} {self.path}"
                more = f"{allowance.more_time} or {allowance.more_room}"
                raise errors.AnswerUnending(
                    sandbox.stage, request, str(error), more, sandbox.log
                ) from error
            except (OSError, http.client.HTTPException) as error:
                if (code := process.poll()) is not None:
                    return False, f"(nothing: it ended with code {code})"
                if time.monotonic() > began + seconds:
                    said = f"(nothing in {seconds:.0f} s, which {allowance.more_time} can change"
                    return False, f"{said}: {error}; {_where_else(process.pid, port)})"
                time.sleep(0.1)


def _ends(process: Process) -> Iterator[str]:
    """What is wrong with how a server ends that is told to."""
    process.signal(signal.SIGTERM)
    code = process.wait(END_SECONDS)
    if code is None:
        yield f"still runs {END_SECONDS:.0f} s after SIGTERM"
    elif code == -signal.SIGTERM:
        yield (
            "does nothing about SIGTERM: as process 1 of a container it would go on, and "
            "be killed 10 s after `docker stop` with all that it was at. It ends with code "
            "0 where it handles the signal"
        )
    elif code != 0:
        yield f"ended with code {code} on SIGTERM"


def _shown(answer: str) -> str:
    """An answer in a message, its beginning if it is long."""
    more = len(answer) - program.ANSWER_SHOWN
    return repr(answer[: program.ANSWER_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _where_else(process: int, port: int) -> str:
    """What a server that is not on its port does instead."""
    wanted = f"the environment variable PORT says {port}"
    try:
        others = loopback.listening(process)
    except OSError:  # what /proc says of one that is no more
        return f"{wanted}, and it has just ended"
    where = ", ".join(map(str, sorted(others)))
    return f"{wanted}, and it listens on {where or 'no port of TCP'}"
