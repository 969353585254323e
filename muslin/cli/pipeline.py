"""What a session does: from names on a command line to artefacts in `dist/`."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Literal

from muslin import errors
from muslin.cli import interrupt
from muslin.cli import options as arguments
from muslin.cli.up_to_date import Found
from muslin.dist import publish, reports
from muslin.dist.output import Output
from muslin.engine import host as doctor
from muslin.engine.builder import Builder, Fault, sources
from muslin.engine.cache import layout
from muslin.engine.cache.history import History
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report, duration, size
from muslin.engine.events import Events
from muslin.engine.fetch.apt.client import Apt
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.key import Keys
from muslin.engine.process.runner import Runner
from muslin.engine.scheduler import Planned
from muslin.engine.source import ArchiveFile
from muslin.engine.stage import Stage
from muslin.graph import joint_images
from muslin.graph.catalog import Catalog, allowed_code
from muslin.models import board, declaration, service, settings, target, target_aliases
from muslin.models.pins import Component, Pins, PinSet
from muslin.models.service import Service
from muslin.models.settings import Settings
from muslin.models.target import Target
from muslin.sources import advisories, changelog_index, relock, source_sets
from muslin.sources.upstream import UpstreamPins
from recipes import boot

CHOICES = ("--driver", "--service", "--sources")
"""Options that choose what a run is about, in every session that builds or plans."""
Goal = Literal["toolchain", "openssl", "rust-std", "services", "verify", "package", "boot", "sdk"]


class Pipeline:
    """One run: declarations read, the cache opened, the graph at hand."""

    def __init__(self, project: Path, report: Report) -> None:
        self.report = report
        self.settings: Settings = settings.load(project)
        self.targets = target.load(project / "toolchains")
        self.boards = board.load(project / "boards", self.targets)
        self._declared = service.named(self.settings.services)
        self._chosen = tuple(self._declared)
        self.store = Store(self.settings.cache)
        self.history = History(self.settings.cache / layout.HISTORY)
        self.runner = Runner(self.settings.jobs, self.settings.limits)
        self.apt = Apt(self.settings.cache / layout.APT, self.runner)
        self.fetcher = Fetcher(
            self.settings.cache / layout.DOWNLOADS,
            apt=self.apt,
            progress=report,
            cancelled=self.runner.stopping,
        )
        self.events = Events(self.settings.cache / layout.RUNS)
        self._pins: Pins | None = None
        self._catalog: Catalog | None = None
        self._said_sources = self._said_driver = ""

    @cached_property
    def services(self) -> dict[str, Service]:
        """Those that this run is about, by name: a fault in another one does not stop it."""
        found = service.load(self._declared[name] for name in self._chosen)
        roots = [one.root for one in found.values()]
        settings.insist_apart(self.settings.cache, self.settings.project, roots)
        return found

    @property
    def pins(self) -> Pins:
        """The pins in force; asks the host's archive where no lock knows this host."""
        if self._pins is None:
            pins = source_sets.load(
                self._said_sources or self.settings.sources,
                self.settings,
                self.apt,
                self.report,
            )
            with self.report.busy("archive", self.apt.log):
                self._pins = relock.complete(pins, self.apt, self.report.note)
        return self._pins

    def chosen(self, names: Sequence[str]) -> tuple[Target, ...]:
        """The targets on the command line, or the default ones; raises `NoSuchTarget`."""
        known = {name for one in self.targets.values() for name in one.names}
        for name in names:
            if name not in known:
                raise errors.NoSuchTarget(
                    name,
                    meant=target_aliases.meant(name, self.targets.values()),
                    known=list(self.targets),
                    what=self._otherwise(name),
                )
        return target.choose(self.targets, tuple(names)) if names else self.defaults

    def _otherwise(self, name: str) -> str:
        """What a name is, if it is that of something else."""
        if name in self._declared:
            return f"; {name} is a service: `--service {name}`"
        return ""

    @property
    def defaults(self) -> tuple[Target, ...]:
        """The targets of `[tool.muslin]`; raises `BadDeclaration` for a name of none."""
        try:
            return target.choose(self.targets, self.settings.targets)
        except (errors.Unknown, errors.SharedTriple) as error:
            fault = f"tool.muslin.targets: {error}"
            raise errors.BadDeclaration(self.settings.declared, [fault]) from error

    def choose(self, options: Mapping[str, str]) -> None:
        """Take a source set and a driver, and be about some services alone, by their names with
        commas between them, where a command line says so."""
        self._said_sources = options.get("--sources", "")
        self._said_driver = options.get("--driver", "")
        self._catalog = None
        said = options.get("--service", "")
        for name in said.split(",") if said else ():
            if name not in self._declared:
                raise errors.NoService(name, self._declared)
        if said:
            self._chosen = tuple(said.split(","))
            vars(self).pop("services", None)  # those read for another choice

    def catalog(self) -> Catalog:
        """The graph with the pins as they are now; services are read once in a run."""
        known, services = self._catalog, self.services  # a fault in one is said at once
        if known is None or known.pins is not self.pins or known.services is not services:
            known = self._catalog = Catalog(
                host=doctor.host(),
                pins=self.pins,
                targets=self.targets,
                missing_tools=doctor.missing_tools(),
                services=services,
                driver=source_sets.driver(self._said_driver or self.settings.driver, self.pins),
            )
        return known

    def goals(self, goal: Goal, targets: tuple[Target, ...]) -> list[Stage]:
        """The stages that a session asks for, without the joint images."""
        catalog = self.catalog()
        pairs = [(each, one) for one in targets for each in self.services.values()]
        made: dict[Goal, Callable[[], list[Stage]]] = {
            "toolchain": lambda: [catalog.toolchain(one) for one in targets],
            "openssl": lambda: [catalog.library("openssl", one) for one in targets],
            "rust-std": lambda: [catalog.rust_std(one) for one in targets],
            "services": lambda: [catalog.program(each, one) for each, one in pairs],
            "verify": lambda: list(self.proofs(catalog, targets).values()),
            "package": lambda: [
                *self.proofs(catalog, targets).values(),
                *(catalog.image(each, one) for each, one in pairs),
            ],
            "boot": lambda: self._starts(catalog, targets),
            "sdk": lambda: [
                *(stage for one in targets for stage in catalog.proofs_of_sdk(one).values()),
                *(catalog.sdk(one) for one in targets),
                *(catalog.sdk_archive(one) for one in targets),
            ],
        }
        return made[goal]()

    def proofs(self, catalog: Catalog, targets: Iterable[Target]) -> dict[tuple[str, str], Stage]:
        """The verifications of services and what they are linked with, by target and subject."""
        return {
            (one.name, subject): stage
            for one in targets
            for each in self.services.values()
            for subject, stage in catalog.proofs(each, one).items()
        }

    def _starts(self, catalog: Catalog, targets: Iterable[Target]) -> list[Stage]:
        """Every service on every board of the targets; raises `NoBoard` where there is none."""
        told = [each for each in self.services.values() if boot.tells(each)]
        found = [
            catalog.boot(each, one, on)
            for one in targets
            for on in self.boards.values()
            if one.name in on.targets
            for each in told
        ]
        if not found:
            known = {one.name: one.targets for one in self.boards.values()}
            raise errors.NoBoard([one.name for one in targets], known)
        return found

    def builder(self) -> Builder:
        """The engine, with everything it works with."""
        host = doctor.host()
        return Builder(
            store=self.store,
            runner=self.runner,
            fetcher=self.fetcher,
            report=self.report,
            history=self.history,
            keys=Keys(host),
            events=self.events,
            logs=self.settings.cache / layout.LOGS,
            memory=self.settings.memory,
            provenance=doctor.provenance(),
        )

    def run(self, goal: Goal, words: Sequence[str], session: str = "") -> Found | None:
        """Build what a session stands for, called otherwise than its goal perhaps; `verify`,
        `package`, `boot` and `sdk` also fill `dist/`. Where there was nothing to build, what was
        found."""
        flags = ("--keep-going",)
        names, options = arguments.split(session or goal, words, flags=flags, valued=CHOICES)
        self.choose(options)
        targets = self.chosen(names)
        doctor.insist()
        fills = goal in ("verify", "package", "boot", "sdk")
        if fills:
            publish.insist_on_writable(self.settings.dist, self._places(targets))
            self._warn_of_baselines(targets)
        output, started = self.output(), time.monotonic()
        brought: list[Path] = []
        with self.at_work(), output.may_be_old() if fills else nullcontext():
            builder, faults = self.builder(), list[Fault]() if "--keep-going" in options else None
            stages = self.settled(builder, lambda: self.goals(goal, targets))
            with ThreadPoolExecutor(self.settings.jobs, thread_name_prefix="stage") as executor:
                entries = builder.build(stages, executor, faults=faults)
                if fills:
                    with output.mine():
                        if goal == "package" and not faults:  # a joint image needs all of them
                            entries |= builder.build(self.joint(builder, targets), executor)
                        brought = self._fill(output, goal, targets, entries)
            if fills and self.events.any:
                self._warn_of_fixes(goal)
        if faults:
            raise errors.SeveralFailed(faults)
        lines = list(self.report.lines)
        self.report.say(f"{goal}: done in {duration(time.monotonic() - started)}")
        if (
            self.events.any or self.runner.started or goal == "sdk"
        ):  # whose links are not remembered
            return None
        others = [one for one in self.defaults if goal == "package" and one not in targets]
        return Found(
            lines=lines,
            entries=[one.folder for one in entries.values()],
            asked=[*self._images(builder, others)],
            brought=brought,
        )

    def _places(self, targets: Iterable[Target]) -> Iterator[str]:
        """Where a run can put something in `dist/`."""
        names, boards = [one.name for one in targets], self.boards.values()
        yield from publish.paths(names, self._chosen)
        for report in reports.possible(names, self._chosen, boards):
            yield from report.paths

    def _warn_of_baselines(self, targets: Iterable[Target]) -> None:
        """Say before an hour of building what verification would say after it."""
        known = {name for entry in allowed_code() for name in entry.baselines}
        for one in targets:
            if one.baseline and one.baseline not in known:
                self.report.note(
                    f"{one.name}: muslin/audit/allowed.toml has no entry for {one.baseline}: code "
                    "of musl, libgcc or OpenSSL that looks at the processor first will be refused "
                    "in the end, with the entries to write"
                )

    def _images(self, builder: Builder, targets: Iterable[Target]) -> Iterator[Path]:
        """What says in the store whether a joint image can hold these targets too."""
        for one in targets:
            for each in self.services.values():
                image = self.catalog().image(each, one)
                folder = self.store.root / builder.keys.of(image)
                yield folder
                yield folder / "checks" / builder.keys.proof_of(image)

    def _contained(self) -> dict[str, tuple[Component, ...]]:
        """What each service's program and image hold, by its name."""
        catalog = self.catalog()
        return {name: catalog.components(each) for name, each in self.services.items()}

    def _fill(
        self, output: Output, goal: Goal, targets: tuple[Target, ...], entries: Mapping[str, Entry]
    ) -> list[Path]:
        """Bring what was built to `dist/`; the paths."""
        wanted: dict[Goal, Callable[[], list[publish.Wanted]]] = {
            "verify": list,
            "boot": list,
            "package": lambda: [*publish.images(targets, self._contained(), entries)],
            "sdk": lambda: [
                *publish.archives(targets, entries, self.catalog().components_of_sdk())
            ],
        }
        reports = output.reports(targets, self.services, entries)
        done = output.publish([*wanted[goal](), *reports], source_set=self.pins.name)
        if goal == "sdk":
            output.link_toolchains(targets, entries)
        return done

    def output(self) -> Output:
        """The checkout's `dist/`."""
        return Output(
            folder=self.settings.dist,
            store=self.store,
            report=self.report,
            targets=self.targets,
            services=tuple(self._declared),
            boards=self.boards,
        )

    def joint(
        self, builder: Builder, targets: tuple[Target, ...], *, quiet: bool = False
    ) -> list[Stage]:
        return joint_images.stages(
            targets,
            defaults=self.defaults,
            catalog=self.catalog(),
            builder=builder,
            note=(lambda _: None) if quiet else self.report.note,
        )

    def lacking_fixes(self, *, offline: bool = False) -> advisories.Found:
        """Which fixes the pins lack. The archive is asked, unless it is to be `offline`.

        Raises `ArchiveUnreachable`, `ArchiveUnusable`, `NotInArchive`, `NoAdvisories`, `NotAsked`.
        """
        known, every = changelog_index.load(self.settings.cache), self._pinned()
        if not offline:
            for suite in {one.suite for one in every}:
                if why := self.apt.lacks(suite):
                    raise errors.NoAdvisories(why)
            with self.report.busy("archive", self.apt.log):
                known = changelog_index.ask(every, self.apt, before=known, now=time.time())
            changelog_index.save(self.settings.cache, known)
        if known is None:
            raise errors.NotAsked([one.component for one in every])
        rules = advisories.policy(self.settings.project / "recipes" / "pins")
        today = datetime.datetime.now(datetime.UTC).date()
        is_newer = self.apt.is_newer
        return advisories.Found(
            asked=known.asked,
            pinned=every,
            lacking=advisories.lacking(
                every, known, rules.accepted, is_newer=is_newer, today=today
            ),
            ended=advisories.ended(every, rules.support, today=today),
            beyond=advisories.beyond(every, known, is_newer=is_newer),
        )

    def _pinned(self) -> list[changelog_index.Pinned]:
        """What is built, in the terms of Debian's packages."""
        if not isinstance(self.pins, UpstreamPins):
            return changelog_index.pinned(self.pins)
        folder = self.settings.project / "recipes" / "pins"
        debian = declaration.read(folder / "debian.toml", PinSet)
        components = map(self.pins.component, self.pins.upstream.pins)
        versions = {one.name: (one.version, one.fixes) for one in components}
        return changelog_index.released(versions, debian.pins, debian.suite)

    def _shipped(self, goal: Goal) -> set[str]:
        """The components that get into what a session fills `dist/` with."""
        parts = (
            [self.catalog().components_of_sdk()] if goal == "sdk" else self._contained().values()
        )
        return {"rust", *(one.name for each in parts for one in each)}

    def _warn_of_fixes(self, goal: Goal) -> None:
        """Say which fixes what was shipped lacks. The archive is asked at most once a day, and what
        it said before serves where it cannot be."""
        cache, now = self.settings.cache, time.time()
        try:
            known, every = changelog_index.load(cache), self._pinned()
            fresh = changelog_index.is_fresh(known, every, now)
            if not fresh and not changelog_index.failed_lately(cache, now):
                try:
                    self.lacking_fixes()
                except errors.Interrupted:
                    raise
                except (errors.PipelineError, OSError) as error:
                    changelog_index.remember_failure(cache)
                    why = str(error).splitlines()[0]
                    self.report.note(f"security fixes were not looked for today: {why}")
            found = self.lacking_fixes(offline=True).among(self._shipped(goal))
        except errors.NotAsked:
            return
        for line in (found.summary, found.accepted):
            if line:
                self.report.note(f"{line}; nox -s advisories")

    def fetch(self, words: Sequence[str]) -> None:
        """Download every source and crate that the targets need, built or not."""
        names, options = arguments.split("fetch", words, flags=(), valued=CHOICES)
        self.choose(options)
        with self.at_work():
            targets, builder = self.chosen(names), self.builder()
            while self.settle(self.everything(targets)):
                pass
            for one in sources(self.everything(targets)).values():
                with self.report.busy(one.name):
                    path = self.fetcher.fetch(one)
                self.report.stage_line(one.name, "fetched", f" {size(path.stat().st_size)}")
            with ThreadPoolExecutor(self.settings.jobs) as executor:
                builder.build(self.catalog().crates(), executor)

    def everything(self, targets: tuple[Target, ...], more: Iterable[Stage] = ()) -> list[Planned]:
        """All that the targets' images are made of and proved with, dependencies first."""
        every: dict[int, Stage] = {}

        def visit(stage: Stage) -> None:
            if id(stage) not in every:
                for _, other in (*stage.needs, *stage.tools, *stage.judges):
                    visit(other)
                every[id(stage)] = stage

        for stage in (*self.goals("package", targets), *more):
            visit(stage)
        return [Planned(stage=stage, key="", state="build", after=()) for stage in every.values()]

    def settled(self, builder: Builder, goals: Callable[[], list[Stage]]) -> list[Stage]:
        """The stages, whose files the archive still has."""
        stages = goals()
        while self.settle(builder.plan(stages).values()):
            stages = goals()
        return stages

    def settle(self, planned: Iterable[Planned]) -> bool:
        """See that the archive still has what is to be fetched; whether a pin had to move."""
        missing = [
            one
            for one in sources(planned).values()
            if not self.fetcher.has(one)
            and any(isinstance(origin, ArchiveFile) for origin in one.origins)
        ]
        if not missing:
            return False
        self.report.say(f"asking the archive for {len(missing)} files")
        before = self.pins
        with self.report.busy("archive", self.apt.log):
            self._pins = relock.settle(
                before, missing, self.apt, self.report.note, obtain=self.fetcher.fetch
            )
        return self._pins != before

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For what uses the cache: it can be stopped, and no clean-up comes in between."""
        with interrupt.stoppable(self.report, self.runner), ExitStack() as use:
            with self.report.busy("clean-up of the cache by another run"):
                use.enter_context(self.store.in_use())
            use.callback(self.events.close)
            yield
