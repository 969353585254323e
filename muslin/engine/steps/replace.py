"""Replace a text in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import content, patterns
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Replace(Step):
    """Replace a text in every file the pattern matches, whose times stay: make sees no change.
    Finding none at all is an error."""

    revision: ClassVar[int] = 2
    root: str
    pattern: str
    old: str
    new: str
    may_lack: bool = field(default=False, metadata=UNKEYED)
    """Whether it is no error that no file has it. In no key: no byte depends on it."""

    def perform(self, sandbox: Sandbox) -> None:
        root, old, new = sandbox.path(self.root), sandbox.inside(self.old), sandbox.inside(self.new)
        found = 0
        for path in patterns.find(root, self.pattern):
            if path.is_file() and not path.is_symlink() and content.occurring(path, [old.encode()]):
                sandbox.insist_own(path)
                content.rewrite(path, old.encode(), new.encode())
                found += 1
        if not found and not self.may_lack:
            why = f"{old!r} is nowhere in {self.pattern} below {root}"
            raise errors.StepFailed(sandbox.stage, "replace", why, sandbox.log)
