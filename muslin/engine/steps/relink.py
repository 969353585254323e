"""Make absolute links relative."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine.filesystem import walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Relink(Step):
    """Make absolute symbolic links below `root` relative, with `root` taken for `/`."""

    revision: ClassVar[int] = 1
    root: str

    def perform(self, sandbox: Sandbox) -> None:
        root = sandbox.own(self.root)
        for entry in walk.entries(root):
            if entry.is_symlink():
                path = Path(entry.path)
                target = os.readlink(entry.path)  # noqa: PTH115  # a Path would keep a second slash
                if target.startswith("/"):
                    path.unlink()
                    path.symlink_to(os.path.relpath(root / target.lstrip("/"), path.parent))
