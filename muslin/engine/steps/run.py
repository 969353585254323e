"""Run a program."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from muslin.engine.process import errors
from muslin.engine.process.limits import Allowance
from muslin.engine.process.logs import last_said
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Step

PYTHON = "${python}"
"""As the first word: a program of Muslin's own, which runs on the machine itself."""
REFUSED = 3
"""The exit code by which a program refuses a product."""


@dataclass(frozen=True, kw_only=True)
class Run(Step):
    """Run a program; its output goes to the stage's log."""

    revision: ClassVar[int] = 1
    argv: tuple[str, ...]
    cwd: str = "${work}"
    env: tuple[tuple[str, str], ...] = ()
    input: str = ""
    """A text that it reads from standard input; nothing by default."""
    output: str = ""
    """Where standard output goes instead of the log."""
    errors_too: bool = False
    """Standard error goes to `output` with it."""
    hint: str = field(default="", metadata=UNKEYED)
    """What a person can do where it fails because it may not write somewhere."""
    remedies: tuple[tuple[str, str], ...] = field(default=(), metadata=UNKEYED)
    """What a person can do where it fails and a regular expression is found in what it said."""
    seconds: float = field(default=0.0, metadata=UNKEYED)
    """In which it must end; 0 for what the run allows. Of a server, in which it must answer."""
    printed: int = field(default=0, metadata=UNKEYED)
    """Bytes that it may print or answer; 0 for what the run allows."""
    says_why: bool = field(default=False, metadata=UNKEYED)
    """With exit code 3 it refuses a product, and what it prints behind its last empty line says to
    a reader why."""

    def perform(self, sandbox: Sandbox, allowance: Allowance | None = None) -> None:
        """Start the program with the stage's environment and wait for its end."""
        cwd, stdin = sandbox.path(self.cwd), Path(os.devnull)
        cwd.mkdir(parents=True, exist_ok=True)
        if self.input:
            stdin = sandbox.own(".input")
            stdin.write_text(sandbox.inside(self.input), encoding="utf-8")
        try:
            used = sandbox.runner.run(
                [sandbox.expand(word) for word in self.argv],
                what=sandbox.stage,
                cwd=cwd,
                env={
                    **sandbox.environment,
                    **{name: sandbox.expand(value) for name, value in self.env},
                },
                log=sandbox.log,
                output=sandbox.own(self.output) if self.output else None,
                errors_too=self.errors_too,
                stdin=stdin,
                seal=sandbox.seal(native=self.argv[0] == PYTHON),
                allowance=allowance,
            )
        except errors.CommandFailed as error:
            if (
                self.hint
                and sandbox.runner.confines
                and "Permission denied" in "\n".join(error.tail)
            ):
                raise errors.WroteOutside(
                    sandbox.stage, error.tail, self.hint, sandbox.log
                ) from error
            said = last_said(sandbox.log)
            error.ends_with(says for pattern, says in self.remedies if re.search(pattern, said))
            _, empty_line, why = said.rstrip().rpartition("\n\n")
            if not (self.says_why and error.code == REFUSED and empty_line):
                raise
            raise errors.SaidNo(sandbox.stage, why.splitlines(), sandbox.log) from error
        sandbox.cpu_seconds += used.cpu_seconds
        sandbox.memory = max(sandbox.memory, used.memory)
