"""Write a file for later checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check
from muslin.engine.steps.write import Write


@dataclass(frozen=True, kw_only=True)
class InputFile(Check):
    """Write a text file."""

    key_name: ClassVar[str] = "Write"
    revision: ClassVar[int] = 1
    path: str
    text: str
    executable: bool = False

    @property
    def title(self) -> str:
        """What must be true."""
        return "a file was written"

    def examine(self, sandbox: Sandbox) -> Iterable[str]:
        Write(path=self.path, text=self.text, executable=self.executable).perform(sandbox)
        return ()
