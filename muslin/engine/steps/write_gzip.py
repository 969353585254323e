"""Write a text file in the format of gzip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.formats import deb
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class WriteGzip(Step):
    """Write a text file in the format of gzip, its content stored: the same bytes by every zlib."""

    revision: ClassVar[int] = 1
    path: str
    text: str

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(deb.gzipped(sandbox.inside(self.text).encode()))
        path.chmod(0o644)
