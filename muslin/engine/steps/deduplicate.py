"""Make equal files links."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine.filesystem.content import file_digest
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Deduplicate(Step):
    """Make files with the same content relative links to the first of them, folder by folder."""

    revision: ClassVar[int] = 1
    folders: tuple[str, ...]

    def perform(self, sandbox: Sandbox) -> None:
        first: dict[str, Path] = {}
        for folder in [sandbox.own(folder) for folder in self.folders]:
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.is_symlink():
                    kept = first.setdefault(file_digest(path), path)
                    if kept != path:
                        path.unlink()
                        path.symlink_to(os.path.relpath(kept, path.parent))
