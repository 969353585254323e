"""How a run fills `dist/`: one run after the other, and its user is told what is there now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from muslin.dist import publish
from muslin.dist.artifacts import Artifact, every
from muslin.dist.publish import Listed
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report, size
from muslin.errors import PipelineError
from muslin.models.board import Board
from muslin.models.target import Target


@dataclass(frozen=True, kw_only=True)
class Output:
    """The `dist/` of a checkout."""

    folder: Path
    store: Store
    report: Report
    targets: Mapping[str, Target]
    services: tuple[str, ...]
    """All that are declared, whatever the run is about."""
    boards: Mapping[str, Board]

    @contextmanager
    def may_be_old(self) -> Iterator[None]:
        """Say so where a run fails that was to fill it."""
        try:
            yield
        except (PipelineError, OSError):
            if (self.folder / "manifest.json").exists():
                self.report.note("dist/ still holds what earlier runs made")
            raise

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Wait for another run that fills it, and keep others waiting."""
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:20]
        with self.store.lock(f"dist-{name}", lambda: self.report.waits("dist")):
            yield

    def publish(
        self, artifacts: Iterable[Artifact], entries: Mapping[str, Entry], *, source_set: str
    ) -> list[Path]:
        """Bring the artifacts whose stages were built, and show them; reports alone are shown where
        nothing else came. The paths of all that this run answers for."""
        built = [artifact for artifact in artifacts if artifact.stage in entries]
        possible = every(self.targets, self.services, self.boards.values())
        placed = publish.publish(
            self.folder,
            built,
            entries,
            possible=[artifact.destination for artifact in possible],
            store=self.store,
            source_set=source_set,
        )
        products = [listed for listed in placed if not publish.is_report(listed)]
        reports = [listed for listed in placed if publish.is_report(listed)]
        texts = [listed for listed in reports if listed.path.endswith(".txt")]
        self._show(products or texts)
        if products and texts:
            self.report.say(f"what was verified of it: {len(texts)} reports in dist/reports/")
        paths = (*(artifact.destination for artifact in built), publish.LISTING, publish.SUMS)
        return [self.folder / path for path in paths]

    def link_toolchains(self, targets: Iterable[Target], entries: Mapping[str, Entry]) -> None:
        """Toolchains for use by hand stay in the cache; how to take one is said."""
        for one in targets:
            if (sdk := entries.get(f"sdk-{one.name}")) is not None:
                path = publish.link_toolchain(self.folder, one, sdk)
                self.report.say(f"{one.name}: . {path}/env.sh")

    def _show(self, artefacts: Sequence[Listed]) -> None:
        rows = [
            (one.path, size(one.bytes), one.sha256[:16], one.made(self.folder)) for one in artefacts
        ]
        self.report.table("", ("artefact in dist/", "size", "SHA-256", "made"), rows)
