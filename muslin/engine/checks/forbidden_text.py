"""Search files for texts that must not be there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine.filesystem import content, walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check


@dataclass(frozen=True, kw_only=True)
class ForbiddenText(Check):
    """No file below the folder holds any of these texts, and no link points to them."""

    key_name: ClassVar[str] = "Free"
    revision: ClassVar[int] = 1
    root: str = "${out}"
    texts: tuple[str, ...]

    @property
    def title(self) -> str:
        """What must be true."""
        return "no trace of the build's place"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        root = sandbox.path(self.root)
        needles = [sandbox.inside(text).encode() for text in self.texts]
        for entry in walk.entries(root):
            path = Path(entry.path)
            if entry.is_symlink():
                target = os.fsencode(path.readlink())
                hits = [needle for needle in needles if needle in target]
            elif entry.is_file():
                hits = content.occurring(path, needles)
            else:
                continue
            for needle in hits:
                yield f"{path.relative_to(root)} holds {needle.decode()}"
