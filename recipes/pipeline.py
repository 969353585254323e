"""What a session does: from names on a command line to artefacts in `dist/`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from recipes import (
    arguments,
    board,
    dist,
    doctor,
    errors,
    joint,
    lock,
    reports,
    service,
    settings,
    source_sets,
    stopping,
    target,
)
from recipes.catalog import Catalog
from recipes.engine.apt import Apt
from recipes.engine.build import Builder, Fault, sources
from recipes.engine.events import Events
from recipes.engine.fetch import Fetcher
from recipes.engine.history import History
from recipes.engine.key import Keys
from recipes.engine.report import Report, duration, size
from recipes.engine.runner import Runner
from recipes.engine.schedule import Planned
from recipes.engine.stage import ArchiveFile, Stage
from recipes.engine.store import Entry, Store
from recipes.errors import PipelineError
from recipes.settings import Settings
from recipes.source import Pins
from recipes.stages import boot, sdk
from recipes.target import Target

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
        self.services = service.load(self.settings.services)
        """Those that this run is about."""
        self._declared = tuple(self.services)
        self.store = Store(self.settings.cache)
        self.history = History(self.settings.cache / "history")
        self.runner = Runner(self.settings.jobs)
        self.apt = Apt(self.settings.cache / "apt", self.runner)
        self.fetcher = Fetcher(
            self.settings.cache / "downloads",
            apt=self.apt,
            progress=report,
            cancelled=self.runner.stopping,
        )
        self.events = Events(self.settings.cache / "runs")
        self._pins: Pins | None = None
        self._said_sources = self._said_driver = ""

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
                self._pins = lock.complete(pins, self.apt, self.report.note)
        return self._pins

    def chosen(self, names: Sequence[str]) -> tuple[Target, ...]:
        """The targets on the command line, or the default ones."""
        return target.choose(self.targets, tuple(names)) if names else self.defaults

    @property
    def defaults(self) -> tuple[Target, ...]:
        """The targets of `[tool.muslin]`."""
        return target.choose(self.targets, self.settings.targets)

    def choose(self, options: Mapping[str, str]) -> None:
        """Take a source set and a driver, and be about some services alone, by their names with
        commas between them, where a command line says so."""
        self._said_sources = options.get("--sources", "")
        self._said_driver = options.get("--driver", "")
        said = options.get("--service", "")
        for name in said.split(",") if said else ():
            if name not in self._declared:
                raise errors.NoService(name, self._declared)
        if said:
            chosen = said.split(",")
            self.services = {name: self.services[name] for name in chosen}

    def catalog(self) -> Catalog:
        """The graph with the pins as they are now."""
        return Catalog(
            host=doctor.host(),
            pins=self.pins,
            targets=self.targets,
            missing_tools=doctor.missing_tools(),
            services=self.services,
            driver=source_sets.driver(self._said_driver or self.settings.driver, self.pins),
        )

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
                stage for one in targets for stage in (catalog.sdk(one), catalog.sdk_archive(one))
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
            logs=self.settings.cache / "logs",
            memory=self.settings.memory,
            provenance=doctor.provenance(),
        )

    def run(self, goal: Goal, words: Sequence[str]) -> None:
        """Build what a session stands for; `verify`, `package`, `boot` and `sdk` also fill
        `dist/`."""
        flags = ("--keep-going",)
        names, options = arguments.split(goal, words, flags=flags, valued=CHOICES)
        self.choose(options)
        targets = self.chosen(names)
        doctor.insist()
        if goal in ("verify", "package", "boot", "sdk"):
            dist.insist_on_writable(self.settings.dist)
        started = time.monotonic()
        with self.at_work(), self._dist_may_be_old(goal):
            builder = self.builder()
            stages = self.goals(goal, targets)
            while self.settle(builder.plan(stages).values()):
                stages = self.goals(goal, targets)
            with ThreadPoolExecutor(self.settings.jobs, thread_name_prefix="stage") as executor:
                faults: list[Fault] | None = [] if "--keep-going" in options else None
                entries = builder.build(stages, executor, faults=faults)
                if goal in ("verify", "boot"):
                    with self._dist():
                        self._publish(self._reports(targets, entries))
                elif goal == "package":
                    with self._dist():
                        if not faults:  # an image of several platforms needs all of them
                            entries |= builder.build(self.joint(builder, targets), executor)
                        images = dist.images(targets, self.services, entries)
                        self._publish([*images, *self._reports(targets, entries)])
                elif goal == "sdk":
                    with self._dist():
                        self._publish(dist.archives(targets, entries))
                        for one in [one for one in targets if f"sdk-{one.name}" in entries]:
                            sdk = entries[f"sdk-{one.name}"]
                            path = dist.link_toolchain(self.settings.dist, one, sdk)
                            self.report.say(f"{one.name}: . {path}/env.sh")
        if faults:
            raise errors.SeveralFailed(faults)
        self.report.say(f"{goal}: done in {duration(time.monotonic() - started)}")

    def _reports(
        self, targets: Iterable[Target], entries: Mapping[str, Entry]
    ) -> Iterator[dist.Wanted]:
        """Those that the run's own stages bring."""
        names = [one.name for one in targets]
        there = reports.possible(names, tuple(self.services), self.boards.values())
        yield from dist.reports([one for one in there if one.stage in entries], entries)

    @contextmanager
    def _dist_may_be_old(self, goal: Goal) -> Iterator[None]:
        """Say so where a run fails that was to fill `dist/`."""
        try:
            yield
        except PipelineError:
            there = (self.settings.dist / "manifest.json").exists()
            if there and goal in ("verify", "package", "boot", "sdk"):
                self.report.note(
                    "dist/ still holds what earlier runs made, and nothing of this one"
                )
            raise

    @contextmanager
    def _dist(self) -> Iterator[None]:
        """One run of a checkout fills `dist/` after the other."""
        place = hashlib.sha256(str(self.settings.dist).encode()).hexdigest()[:20]
        with self.store.lock(f"dist-{place}", lambda: self.report.waits("dist")):
            yield

    def _publish(self, wanted: Iterable[dist.Wanted]) -> None:
        there = reports.possible(self.targets, self._declared, self.boards.values())
        artefacts = dist.publish(
            self.settings.dist,
            wanted,
            possible=[
                *dist.paths(tuple(self.targets), self._declared),
                *(path for one in there for path in one.paths),
            ],
            source_set=self.pins.name,
        )
        products = [one for one in artefacts if not dist.is_report(one)]
        texts = [one for one in artefacts if one.path.endswith(".txt")]
        self._show(products or texts)
        if products and texts:
            self.report.say(f"what was verified of it: {len(texts)} reports in dist/reports/")

    def joint(
        self, builder: Builder, targets: tuple[Target, ...], *, quiet: bool = False
    ) -> list[Stage]:
        return joint.stages(
            targets,
            defaults=self.defaults,
            catalog=self.catalog(),
            builder=builder,
            note=(lambda _: None) if quiet else self.report.note,
        )

    def cargo(self, words: Sequence[str]) -> tuple[str, list[str], dict[str, str]]:
        """Program, arguments and environment of a cargo for one target, built if it is not there.

        Raises `NoTarget` without a target.
        """
        if not words:
            raise errors.NoTarget("cargo", self.targets)
        (one,) = self.chosen(words[:1])
        with self.at_work():
            builder, stage = self.builder(), self.catalog().sdk(one)
            while self.settle(builder.plan([stage]).values()):
                stage = self.catalog().sdk(one)
            with ThreadPoolExecutor(self.settings.jobs, thread_name_prefix="stage") as executor:
                entry = builder.build([stage], executor)[stage.name]
        rust = entry.tree / "rust" / "bin"
        environment = {**dict(sdk.environment(one, str(entry.tree))), "RUSTC": str(rust / "rustc")}
        return str(rust / "cargo"), list(words[1:]), environment

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
            self._pins = lock.settle(before, missing, self.apt, self.report.note)
        return self._pins != before

    def _show(self, artefacts: Sequence[dist.Artefact]) -> None:
        rows = [
            (one.path, size(one.bytes), one.sha256[:16], one.made(self.settings.dist))
            for one in artefacts
        ]
        self.report.table("", ("artefact in dist/", "size", "SHA-256", "made"), rows)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For what uses the cache: it can be stopped, and no clean-up comes in between."""
        with stopping.stoppable(self.report, self.runner, self.settings.cache), ExitStack() as use:
            with self.report.busy("clean-up of the cache by another run"):
                use.enter_context(self.store.in_use())
            use.callback(self.events.close)
            yield
