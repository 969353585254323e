"""Replace a path in text files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import content, walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Rebase(Step):
    """Replace a path in every text file below a folder, whose times stay: make sees no change.
    Finding it nowhere is an error, and so is one in a file that is no text."""

    revision: ClassVar[int] = 1
    root: str
    old: str
    new: str

    def perform(self, sandbox: Sandbox) -> None:
        root = sandbox.own(self.root)
        old, new = sandbox.inside(self.old).encode(), sandbox.inside(self.new).encode()
        found = [path for path in walk.files(root) if content.occurring(path, [old])]
        if not found:
            why = f"{self.old!r} is nowhere below {root}"
            raise errors.StepFailed(sandbox.stage, "rebase", why, sandbox.log)
        programs = [str(path) for path in found if content.occurring(path, [b"\0"])]
        if programs:
            why = f"{self.old!r} is in what is no text and cannot be moved: {', '.join(programs)}"
            raise errors.StepFailed(sandbox.stage, "rebase", why, sandbox.log)
        for path in found:
            content.rewrite(path, old, new)
