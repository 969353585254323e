"""The graph of a selection, made of pins that the archive still has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from muslin.cli.context import Context
from muslin.cli.selection import Selection
from muslin.engine import host
from muslin.engine.builder import Builder, sources
from muslin.engine.scheduler import Planned
from muslin.engine.source import ArchiveFile, IndexFile
from muslin.engine.stage import Host, Stage
from muslin.graph import goals, joint_images
from muslin.graph.catalog import Catalog
from muslin.graph.goals import Goal
from muslin.models.pin_files import HOST_ROOT
from muslin.models.pins import Component, Pins
from muslin.models.target import Target
from muslin.sources import relock, source_sets


class Pipeline:
    """From a selection to stages. The pins move only where the archive dropped a file."""

    def __init__(self, context: Context, selection: Selection) -> None:
        self.context, self.selection = context, selection
        self._pins: Pins | None = None
        self._catalog: Catalog | None = None

    @property
    def pins(self) -> Pins:
        """The pins in force; asks the host's archive where no lock knows this host."""
        if self._pins is None:
            context = self.context
            pins = source_sets.load(
                self.selection.sources, context.settings, context.archive, context.report.note
            )
            with context.report.busy("archive"):
                self._pins = relock.complete(pins, context.archive, context.report.note)
        return self._pins

    @property
    def host(self) -> Host:
        """What of this machine can change an output: its libc, or the host root."""
        if self.context.settings.host == "native":
            return host.host()
        return host.in_root(self.pins.groups[self._root_group].digest)

    @property
    def _root_group(self) -> str:
        return f"{HOST_ROOT}-{self.context.archive.architecture}"

    def root(self) -> Stage | None:
        """The host root's stage, if programs run in one."""
        if self.context.settings.host == "native":
            return None
        return self.catalog().tools.host_root(self._root_group)

    def builder(self, *, shares: bool = False) -> Builder:
        """The engine, with everything it works with, and the shared store if it `shares`."""
        return self.context.builder(self.host, self.root, shares=shares)

    def catalog(self) -> Catalog:
        """The graph with the pins as they are now."""
        if self._catalog is None or self._catalog.pins is not self.pins:
            self._catalog = Catalog(
                host=self.host,
                pins=self.pins,
                targets=self.context.targets,
                missing_tools=self.context.settings.host == "native" and host.missing_tools(),
                services=self.selection.services,
                driver=source_sets.driver(self.selection.driver, self.pins),
                mirror=self.context.settings.mirror,
            )
        return self._catalog

    def goals(self, goal: Goal) -> list[Stage]:
        """The stages of a goal, without the joint images; raises `NoBoard`."""
        return goals.stages(
            goal, self.catalog(), self.selection.targets, self.context.boards.values()
        )

    def joint(self, builder: Builder, *, quiet: bool = False) -> list[Stage]:
        """The images of several platforms."""
        return joint_images.stages(
            self.selection.targets,
            defaults=self.context.defaults,
            catalog=self.catalog(),
            builder=builder,
            note=(lambda _: None) if quiet else self.context.report.note,
        )

    def images(self, builder: Builder, targets: Iterable[Target]) -> Iterator[Path]:
        """The paths in the store which say whether a joint image can hold these targets."""
        for target in targets:
            for service in self.selection.services.values():
                image = self.catalog().images.image(service, target)
                entry = self.context.store.root / builder.keys.of(image)
                yield entry
                yield entry / "checks" / builder.keys.proof_of(image)

    def contents(self) -> dict[str, tuple[Component, ...]]:
        """The components in each service's program and image, by its name."""
        catalog = self.catalog()
        return {
            name: catalog.verifications.components(service)
            for name, service in self.selection.services.items()
        }

    def linked(self) -> dict[str, tuple[Component, ...]]:
        """The components in each service's program, by its name."""
        catalog = self.catalog()
        return {
            name: catalog.verifications.linked(service)
            for name, service in self.selection.services.items()
        }

    def everything(self, more: Iterable[Stage] = ()) -> list[Planned]:
        """Every stage that the images are made of and proved with, dependencies first."""
        every: dict[int, Stage] = {}

        def visit(stage: Stage) -> None:
            if id(stage) not in every:
                for _, other in (*stage.needs, *stage.tools, *stage.judges):
                    visit(other)
                every[id(stage)] = stage

        root = self.root()
        for stage in (*((root,) if root else ()), *self.goals("package"), *more):
            visit(stage)
        return [Planned(stage=stage, key="", state="build", after=()) for stage in every.values()]

    def settled(self, builder: Builder, stages: Callable[[], list[Stage]]) -> list[Stage]:
        """The stages, once the archive has every file that is to be fetched."""
        while True:
            found = stages()
            planned = builder.obtained(found)
            root = self.root()
            if root is not None and any(one.state != "found" for one in planned.values()):
                planned |= builder.plan([root])
            if not self.settle(planned.values()):
                return found
            builder.keys.host = self.host  # another root is another host

    def settle(self, planned: Iterable[Planned]) -> bool:
        """Ask the archive for the files that are to be fetched; whether a pin had to move."""
        context = self.context
        has = context.fetcher.has
        absent = [source for source in sources(planned).values() if not has(source)]
        pips = {
            origin.pip
            for source in absent
            for origin in source.origins
            if isinstance(origin, IndexFile) and not has(origin.pip)
        }
        missing = [
            source
            for source in (*absent, *pips)
            if any(isinstance(origin, ArchiveFile) for origin in source.origins)
        ]
        if not missing:
            return False
        context.report.say(f"asking the archive for {len(missing)} files")
        before = self.pins
        with context.report.busy("archive"):
            self._pins = relock.settle(
                before, missing, context.archive, context.report.note, obtain=context.fetcher.fetch
            )
        return self._pins != before
