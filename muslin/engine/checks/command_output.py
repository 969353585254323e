"""Run a command and look at its end and output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from muslin.engine.checks import program
from muslin.engine.process import errors
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Check
from muslin.engine.steps.run import Run


@dataclass(frozen=True, kw_only=True)
class CommandOutput(Check):
    """A command ends with a code, 0 by default, and what it prints holds a text."""

    key_name: ClassVar[str] = "Does"
    revision: ClassVar[int] = 1
    run: Run
    expect: str = ""
    code: int = 0
    upon_sigill: str = field(default="", metadata=UNKEYED)
    """Words of the session `verify` that tells more where an illegal instruction ends it; so with
    `Serves`."""

    @property
    def title(self) -> str:
        """What must be true."""
        return "it runs"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        code = 0
        try:
            text = program.printed(self.run, sandbox)
        except errors.CommandFailed as error:
            program.raise_if_died(self.run, error.code, self.upon_sigill, sandbox)
            if self.code == 0 or error.code < 0:
                raise
            text, code = program.kept(sandbox), error.code
        with sandbox.log.open("a", encoding="utf-8") as log:
            log.write(text)
        command = " ".join(Path(sandbox.expand(word)).name or word for word in self.run.argv)
        if code != self.code:
            yield f"`{command}` ended with code {code}, not {self.code}"
        if sandbox.expand(self.expect) not in text:
            yield f"`{command}` printed no {self.expect!r} but:"
            yield from (line[: program.ANSWER_SHOWN] for line in text.splitlines())
