"""Look whether files exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check


@dataclass(frozen=True, kw_only=True)
class Present(Check):
    """These paths exist and are not empty."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    paths: tuple[str, ...]

    @property
    def title(self) -> str:
        """What must be true."""
        return "all files are there"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        root = sandbox.path(self.root)
        for name in self.paths:
            path = root / sandbox.expand(name)
            if not path.exists():
                yield f"{name} is missing"
            elif path.is_file() and path.stat().st_size == 0:
                yield f"{name} is empty"
