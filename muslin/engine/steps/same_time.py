"""Give all files of a folder one time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.filesystem import walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class SameTime(Step):
    """Give everything below a folder one modification time (seconds since 1970): make then takes no
    generated file for older than the patched file it was made from."""

    revision: ClassVar[int] = 1
    root: str
    time: int

    def perform(self, sandbox: Sandbox) -> None:
        for entry in walk.entries(sandbox.own(self.root)):
            os.utime(entry.path, (self.time, self.time), follow_symlinks=False)
