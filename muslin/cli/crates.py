"""Programs of the crates registry as services of a run: fetched, before anything else is known."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.cli.selection import Selection
from muslin.engine.builder import Builder
from muslin.engine.cache.store import Entry
from muslin.engine.cargo import config
from muslin.engine.filesystem import atomic
from muslin.engine.formats import documents
from muslin.engine.stage import Stage
from muslin.models import cargo_program, errors, published, service_places, source_trees
from muslin.models.cargo_manifest import LOCK
from muslin.models.published import Release, Request
from recipes.rust import published as recipe


def selected(context: Context, options: argparse.Namespace) -> Selection:
    """The selection of a command line with `Parser.add_selection`; the crates that it names are
    its services, beside those of `--service`.

    Raises as `Context.select`, `BadCrate`, `NoPrograms`, and what a build raises.
    """
    if not options.crate:
        return context.selected(options)
    requests = [published.parse(text) for text in options.crate]
    context.targets_of(options.targets)  # a wrong name is said before anything is fetched
    nothing = Selection(
        targets=(),
        services={},
        sources=options.sources or context.settings.sources,
        driver=options.driver or context.settings.driver,
    )
    with context.at_work():
        crates = _Crates(context, Pipeline(context, nothing))
        found = [name for request in requests for name in crates.services(request)]
    return context.select(
        options.targets,
        services=[*options.service, *found],
        sources=options.sources,
        driver=options.driver,
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A release with its sources in the store."""

    release: Release
    crate: Stage
    folder: Path


class _Crates:
    """Makes services of crates, by stages of their own."""

    def __init__(self, context: Context, pipeline: Pipeline) -> None:
        self._context, self._pipeline = context, pipeline
        self._builder: Builder = pipeline.builder()
        self._now = datetime.now(UTC).isoformat()

    def services(self, request: Request) -> Iterator[str]:
        """Fetch a crate and declare a service for each of its programs; their names."""
        release = self._release(request)
        asked = self._sources(release)
        folder = asked.folder
        if not documents.is_file(folder / LOCK):
            folder = self._with_lock(asked)
        lacking = cargo_program.left_out(folder)
        places = dict(service_places.packaged(folder, release=release.version))
        if not places:
            raise errors.NoPrograms(release.folder, lacking)
        declared, more = self._context.declared, self._context.settings.crates
        for name, found in places.items():
            place = replace(found, said=more.get(name, {}), said_in=self._context.settings.declared)
            service_places.insist_on_name(place, name, declared)
            declared[name] = place
        yield from places

    def _release(self, request: Request) -> Release:
        asked = config.sources_digest() if request.exact else self._now
        stage = self._made(lambda: recipe.release(request, rust=self._rust, asked=asked))
        return published.chosen(stage.tree / LOCK, request)

    def _sources(self, release: Release) -> _Asked:
        crate = recipe.sources(release, rust=self._rust)
        entry = self._made(lambda: crate)
        return _Asked(release=release, crate=crate, folder=entry.tree / release.folder)

    def _with_lock(self, asked: _Asked) -> Path:
        """The sources with the lock that the project keeps of them; it is made if it is missing."""
        project, release = self._context.settings.project, asked.release
        path = project / release.lock
        if not documents.is_file(path):
            made = self._made(
                lambda: recipe.lock(release, crate=asked.crate, rust=self._rust, asked=self._now)
            )
            path.parent.mkdir(exist_ok=True)
            atomic.write(path, documents.text(made.tree / LOCK))
            self._context.report.note(
                f"{release.folder} was published without a {LOCK}: its dependencies are resolved "
                f"as of today and kept in {path}; commit it"
            )
        tree = source_trees.named(project, [release.lock])
        stage = self._made(
            lambda: recipe.locked(release, crate=asked.crate, project=tree, file=tree.files[0])
        )
        return stage.tree / release.folder

    @property
    def _rust(self) -> Stage:
        return self._pipeline.catalog().tools.rust()

    def _made(self, stage: Callable[[], Stage]) -> Entry:
        """One stage, built if it is not there."""
        (settled,) = self._pipeline.settled(self._builder, lambda: [stage()])
        return self._built([settled])[settled.name]

    def _built(self, stages: Sequence[Stage]) -> dict[str, Entry]:
        jobs = self._context.settings.jobs
        with ThreadPoolExecutor(jobs, thread_name_prefix="stage") as executor:
            return self._builder.build(stages, executor)
