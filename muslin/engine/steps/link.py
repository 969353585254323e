"""Make a symbolic link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Link(Step):
    """Make a symbolic link."""

    revision: ClassVar[int] = 1
    path: str
    target: str

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.path(self.path)
        sandbox.insist_own(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(sandbox.inside(self.target))
