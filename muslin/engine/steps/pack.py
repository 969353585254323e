"""Pack a folder as a .tar.gz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.formats import tar_writer
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Pack(Step):
    """Pack what a folder holds as a `.tar.gz` whose members lie below `prefix`."""

    revision: ClassVar[int] = 1
    path: str
    root: str
    prefix: str

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        tar_writer.pack_compressed(
            sandbox.path(self.root),
            path,
            prefix=self.prefix,
            before_each=lambda: sandbox.runner.raise_if_stopping(sandbox.stage),
        )
