"""Take the texts of licences out of a folder of sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.filesystem import patterns
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step
from muslin.engine.steps.copy import copy_file


@dataclass(frozen=True, kw_only=True)
class Notices(Step):
    """Copy the files at the top of a folder whose names match; there may be none."""

    revision: ClassVar[int] = 1
    root: str
    names: tuple[str, ...]
    """Glob patterns of names in small letters; case does not count."""
    to: str

    def perform(self, sandbox: Sandbox) -> None:
        to = sandbox.own(self.to)
        to.mkdir(parents=True, exist_ok=True)
        for path in sorted(sandbox.path(self.root).iterdir()):
            is_file = path.is_file() and not path.is_symlink()
            if is_file and patterns.matches_text(path.name.lower(), self.names):
                copy_file(str(path), str(to / path.name))
