"""Run the program that a check looks at."""

from __future__ import annotations

import dataclasses
import signal

from muslin.engine.filesystem import walk
from muslin.engine.process import errors
from muslin.engine.sandbox import Sandbox
from muslin.engine.steps.run import Run
from muslin.invocation import spelled

PRINTED = "printed"
ANSWER_SHOWN = 500
"""Characters of an answer that a message has."""


def printed(run: Run, sandbox: Sandbox) -> str:
    """What a program prints; raises `CommandFailed` if it fails, and as `Runner.run`."""
    allowance = sandbox.runner.limits.check(run.seconds, run.printed)
    dataclasses.replace(run, output=str(sandbox.work / PRINTED)).perform(sandbox, allowance)
    return kept(sandbox)


def kept(sandbox: Sandbox) -> str:
    """What the last program printed."""
    path = sandbox.work / PRINTED
    walk.insist_file(path)  # the program may have put something else there
    return path.read_text(encoding="utf-8", errors="replace")


def raise_if_died(run: Run, code: int | None, upon_sigill: str, sandbox: Sandbox) -> None:
    """Name what tells more of a program that an illegal instruction or a bad address ended."""
    if code == -signal.SIGSEGV and upon_sigill:
        raise errors.Crashed(
            sandbox.stage, [sandbox.expand(word) for word in run.argv], sandbox.log
        )
    if code == -signal.SIGILL and upon_sigill:
        argv = [sandbox.expand(word) for word in run.argv]
        remedy = spelled("verify", sandbox.expand(upon_sigill))
        raise errors.IllegalInstruction(sandbox.stage, argv, remedy, sandbox.log)
