"""Set the time of a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Touch(Step):
    """Set a file's modification time, seconds since 1970; creates it if absent."""

    revision: ClassVar[int] = 1
    path: str
    time: int

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.touch()
        os.utime(path, (self.time, self.time))
