"""Write a text file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Write(Step):
    """Write a text file."""

    revision: ClassVar[int] = 1
    path: str
    text: str
    executable: bool = False

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sandbox.inside(self.text), encoding="utf-8")
        path.chmod(0o755 if self.executable else 0o644)
