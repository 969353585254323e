"""Where one stage runs: its folders, its environment, and what its placeholders stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muslin.engine import errors, template
from muslin.engine.filesystem import walk
from muslin.engine.process.host_root import Seal
from muslin.engine.process.runner import Runner


@dataclass(kw_only=True)
class Sandbox:
    """The folders and environment of one running stage.

    `expand` turns its placeholders into this machine's paths.
    """

    stage: str
    work: Path
    log: Path
    runner: Runner
    values: Mapping[str, str]
    environment: Mapping[str, str]
    writable: tuple[Path, ...] = ()
    """Folders below which its programs can write; `work` is one of them."""
    readable: tuple[Path, ...] = ()
    """What its programs see beside those: needs, tools, sources."""
    network: bool = False
    """Whether its programs reach the network."""
    cpu_seconds: float = field(default=0.0)
    memory: int = field(default=0)
    """Bytes of the largest process so far."""

    def expand(self, text: str) -> str:
        """The text with every placeholder expanded; raises `UnknownPlaceholder`."""
        try:
            return template.expanded(text, self.values)
        except KeyError as error:
            raise errors.UnknownPlaceholder(self.stage, error.args[0], self.values) from None

    def inside(self, text: str) -> str:
        """The same, with paths as the stage's programs see them: for what is written into files."""
        expanded, root = self.expand(text), self.runner.root
        return expanded if root is None else root.inside(expanded)

    def seal(self, *, native: bool = False, network: bool | None = None) -> Seal:
        """What a program of the stage may see and reach; `native` for one of Muslin's own."""
        return Seal(
            readable=self.readable,
            writable=self.writable,
            network=self.network if network is None else network,
            native=native,
        )

    def path(self, text: str) -> Path:
        """The same, as a path; a relative one is below the work folder."""
        return self.work / self.expand(text)

    def own(self, text: str) -> Path:
        """The same, of something that is written to. Raises `Unfit` if what the stage has run left
        something else than a file or folder there, or a link that leads to what is not its own."""
        path = self.path(text)
        self.insist_own(path)
        if path.exists() and not path.is_dir():
            walk.insist_file(path)
        return path

    def insist_own(self, path: Path) -> None:
        """Raise `LeadsOut` unless a path lies in the stage's own folders, wherever links lead."""
        place = walk.real(path)
        folders = map(walk.real, (self.work, *self.writable))
        if not any(place.is_relative_to(folder) for folder in folders):
            raise errors.LeadsOut(path, place)
