"""Make a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Folder(Step):
    """Make an empty folder."""

    revision: ClassVar[int] = 1
    path: str

    def perform(self, sandbox: Sandbox) -> None:
        sandbox.own(self.path).mkdir(parents=True)
