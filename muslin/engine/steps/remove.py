"""Remove files and folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.filesystem import patterns, removal
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Remove(Step):
    """Remove files and folders by glob pattern, relative to `root`; absent ones are no error."""

    revision: ClassVar[int] = 1
    root: str
    patterns: tuple[str, ...]

    def perform(self, sandbox: Sandbox) -> None:
        root = sandbox.own(self.root)
        for pattern in self.patterns:
            for path in patterns.find(root, sandbox.expand(pattern)):
                sandbox.insist_own(path.parent)
                if path.is_dir() and not path.is_symlink():
                    removal.remove_tree(path)
                else:
                    path.unlink(missing_ok=True)
