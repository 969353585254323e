"""Write an initramfs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.formats import cpio
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Initramfs(Step):
    """Write what a folder holds as a cpio archive, the file system that Linux starts with; it has
    `/dev/console` too, which no folder can hold without root."""

    revision: ClassVar[int] = 1
    path: str
    root: str

    def perform(self, sandbox: Sandbox) -> None:
        cpio.write(sandbox.path(self.root), sandbox.own(self.path))
