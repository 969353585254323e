"""What the last build of each stage was made from and what it took; outlives clean-ups.

<cache>/history/<stage>.json    one small file, written at each build
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recipes.engine.key import Document


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build of a stage that ended well."""

    key: str
    document: Document
    wall_seconds: float
    cpu_seconds: float
    memory: int = 0
    """Bytes of the largest process."""


class History:
    """The last build of every stage, by the stage's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, name: str) -> Build | None:
        """The last build of a stage here; None if there was none or it cannot be read."""
        try:
            return Build(**json.loads(self._path(name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # it only serves estimates and explanations
            return None

    def remember(self, name: str, build: Build) -> None:
        """This one is the last now."""
        path = self._path(name)
        path.parent.mkdir(exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(json.dumps(asdict(build)), encoding="utf-8")
        aside.replace(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
