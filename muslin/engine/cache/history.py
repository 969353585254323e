"""What the last build of each stage was made from and what it took; outlives clean-ups.

<cache>/history/<stage>.json    one small file, written at each build
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import Bytes, DamagedError, Seconds, Text
from muslin.engine.formats.canonical_json import Document, digest


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build of a stage that ended well."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    key: Text
    document: Document
    wall_seconds: Seconds
    cpu_seconds: Seconds
    memory: Bytes = 0
    """Bytes of the largest process."""


BUILD = TypeAdapter(Build)


class History:
    """The last build of every stage, by the stage's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, name: str) -> Build | None:
        """The last build of a stage here; None if there was none, or its file is damaged: it only
        serves estimates and explanations, and the next build writes it again."""
        path = self._path(name)
        try:
            build = atomic.parsed(atomic.read(path), BUILD, path.name)
        except (OSError, DamagedError):
            return None
        return build if digest(build.document) == build.key else None

    def remember(self, name: str, build: Build) -> None:
        """This one is the last now."""
        self._folder.mkdir(exist_ok=True)
        atomic.write(self._path(name), json.dumps(asdict(build)))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
