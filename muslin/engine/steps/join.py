"""Join text files to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import patterns, walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Join(Step):
    """Join the files that a pattern matches, in the order of their names, to one text file."""

    revision: ClassVar[int] = 1
    root: str
    pattern: str
    to: str

    def perform(self, sandbox: Sandbox) -> None:
        parts = patterns.find(sandbox.path(self.root), self.pattern)
        if not parts:
            why = f"nothing matches {self.pattern} below {sandbox.path(self.root)}"
            raise errors.StepFailed(sandbox.stage, "join", why, sandbox.log)
        to = sandbox.own(self.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(b"".join(walk.text(part).rstrip(b"\n") + b"\n" for part in parts))
