"""Add up the size of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.filesystem import walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check


@dataclass(frozen=True, kw_only=True)
class Size(Check):
    """The folder's files together have at most this many bytes."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    at_most: int

    @property
    def title(self) -> str:
        """What must be true."""
        return f"at most {self.at_most} bytes"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        root = sandbox.path(self.root)
        total = sum(
            entry.stat(follow_symlinks=False).st_size
            for entry in walk.entries(root)
            if not entry.is_dir(follow_symlinks=False)
        )
        if total > self.at_most:
            yield f"it has {total} bytes, {total - self.at_most} too many"
