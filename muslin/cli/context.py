"""A project and its cache, opened for one session."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from muslin import installation
from muslin.cli import errors as cli_errors
from muslin.cli import interrupt
from muslin.cli.selection import Selection
from muslin.dist.output import Output
from muslin.engine import errors as engine_errors
from muslin.engine import host
from muslin.engine.builder import Builder
from muslin.engine.cache import layout
from muslin.engine.cache.history import History
from muslin.engine.cache.store import Store
from muslin.engine.console import Report
from muslin.engine.events import Events
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.package_index import PackageIndex
from muslin.engine.key import Keys
from muslin.engine.process.runner import Runner
from muslin.engine.sharing import Sharing
from muslin.engine.stage import Host, Stage
from muslin.models import (
    board,
    cache_folder,
    cargo_program,
    service,
    service_places,
    settings,
    target,
    target_aliases,
)
from muslin.models import errors as model_errors
from muslin.models.service import Service
from muslin.models.service_places import Place
from muslin.models.settings import Settings
from muslin.models.target import Target
from muslin.sources import debian_archive


# Long: what every session works with, made once.
class Context:
    """What every session works with. Raises `BadDeclaration` for a fault in the project's files."""

    def __init__(self, project: Path, report: Report) -> None:
        self.report = report
        self.settings: Settings = settings.load(project)
        self.targets = target.load(*installation.overlay(project, "toolchains"))
        boards = installation.overlay(project, "boards")
        self.boards = board.load(*boards, targets=self.targets)
        self.declared = service_places.named(self.settings.services)
        """Where services are, by name; none of them is read yet."""
        self._told = set[str]()
        self.store = Store(self.settings.cache)
        self.history = History(self.settings.cache / layout.HISTORY)
        self.runner = Runner(self.settings.jobs, self.settings.limits)
        self.archive = debian_archive.opened(self.settings, cancelled=self.runner.stopping)
        self.index = PackageIndex(self.runner)
        self.fetcher = Fetcher(
            self.settings.cache / layout.DOWNLOADS,
            archive=self.archive,
            progress=report,
            cancelled=self.runner.stopping,
            index=self.index,
        )
        self.events = Events(self.settings.cache / layout.RUNS)

    @property
    def pins(self) -> Path:
        """The directory of the pins."""
        return installation.pins(self.settings.project)

    def select(
        self,
        targets: Sequence[str] = (),
        *,
        services: Sequence[str] = (),
        sources: str = "",
        driver: str = "",
    ) -> Selection:
        """Find what names on a command line mean; the settings say the rest.

        Raises `NoSuchTarget`, `NoService`, `BadDeclaration` for a fault in a selected service.
        """
        for name in services:
            if name not in self.declared:
                raise cli_errors.NoService(name, self.declared, self.settings.declared)
        chosen = self.targets_of(targets)
        places = {name: self.declared[name] for name in services or self.declared}
        found = service.read(places)
        roots = [one.root for name, one in found.items() if not places[name].release]
        cache_folder.insist_apart(self.settings.cache, self.settings.project, roots)
        for one in found.values():
            self._tell_if_inferred(one, places[one.name])
        return Selection(
            targets=chosen,
            services=found,
            sources=sources or self.settings.sources,
            driver=driver or self.settings.driver,
        )

    def _tell_if_inferred(self, found: Service, place: Place) -> None:
        """Say, once, what was taken from the files of a service that nobody declared."""
        if found.name in self._told or not place.program:
            return
        self._told.add(found.name)
        needs = f", with {', '.join(found.needs)}" if found.needs else ""
        runs = " and ".join(" ".join(run.arguments) for run in found.run)
        check = f", checked by {runs}" if runs else ", not started as a check"
        package = f"release {place.release}" if place.release else str(found.declared)
        self.report.say(f"{found.name}: the program {found.binary} of {package}{needs}{check}")
        for program, lacking in cargo_program.left_out(place.folder).items():
            if (line := f"{program} of {package}") not in self._told:
                self._told.add(line)
                self.report.say(f"{line} is left out: it requires the features {lacking}")

    def selected(self, options: argparse.Namespace) -> Selection:
        """The selection of a command line with `Parser.add_selection`; raises as `select`."""
        return self.select(
            options.targets,
            services=options.service,
            sources=options.sources,
            driver=options.driver,
        )

    def targets_of(self, names: Sequence[str]) -> tuple[Target, ...]:
        """The targets of these names, or the default ones; raises `NoSuchTarget`."""
        known = {name for target in self.targets.values() for name in target.names}
        for name in names:
            if name not in known:
                raise cli_errors.NoSuchTarget(
                    name,
                    meant=target_aliases.meant(name, self.targets.values()),
                    known=list(self.targets),
                    what=f"; {name} is a service: `--service {name}`"
                    if name in self.declared
                    else "",
                )
        return target.choose(self.targets, tuple(names)) if names else self.defaults

    @property
    def defaults(self) -> tuple[Target, ...]:
        """The targets of `[tool.muslin]`; raises `BadDeclaration` for a name of none."""
        try:
            return target.choose(self.targets, self.settings.targets)
        except (model_errors.Unknown, model_errors.SharedTriple) as error:
            key = f"{self.settings.table}.targets".lstrip(".")
            fault = f"{key}: {error}"
            raise engine_errors.BadDeclaration(self.settings.declared, [fault]) from error

    def builder(
        self, machine: Host, root: Callable[[], Stage | None], *, shares: bool = False
    ) -> Builder:
        """The engine, with everything it works with, the host root's stage, if it uses one, and the
        shared store if it `shares` and the settings name one."""
        return Builder(
            store=self.store,
            runner=self.runner,
            fetcher=self.fetcher,
            report=self.report,
            history=self.history,
            keys=Keys(machine),
            events=self.events,
            logs=self.settings.cache / layout.LOGS,
            memory=self.settings.memory,
            provenance=host.provenance()
            if self.settings.host == "native"
            else {"host": machine.libc},
            sharing=self._sharing() if shares else None,
            root=root,
        )

    def _sharing(self) -> Sharing | None:
        if (terms := self.settings.store) is None:
            return None
        return Sharing(
            terms=terms,
            store=self.store,
            report=self.report,
            places=host.places(self.settings.project),
            version=installation.version(),
        )

    def output(self) -> Output:
        """The checkout's `dist/`."""
        return Output(
            folder=self.settings.dist,
            store=self.store,
            report=self.report,
            targets=self.targets,
            services=tuple(self.declared),
            boards=self.boards,
        )

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For what uses the cache: it can be stopped, and no clean-up comes in between."""
        with interrupt.stoppable(self.report, self.runner), ExitStack() as use:
            with self.report.busy("clean-up of the cache by another run"):
                use.enter_context(self.store.in_use())
            use.callback(self.events.close)
            use.callback(self.index.close)
            yield
