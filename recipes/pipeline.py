"""What a session does: from names on a command line to artefacts in `dist/`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from recipes import (
    arguments,
    cleaning,
    config_mak,
    dist,
    doctor,
    errors,
    joint,
    lock,
    plan,
    service,
    settings,
    source_sets,
    stopping,
    target,
)
from recipes.catalog import Catalog
from recipes.engine.apt import Apt
from recipes.engine.build import Builder, Planned, State, sources
from recipes.engine.fetch import Fetcher
from recipes.engine.history import History
from recipes.engine.key import Keys
from recipes.engine.report import Report, duration, size
from recipes.engine.runner import Runner
from recipes.engine.stage import Stage
from recipes.engine.store import Store
from recipes.settings import Settings
from recipes.source import Pins
from recipes.stages import sdk
from recipes.target import Target

CHOICES = ("--driver", "--service", "--sources")
"""Options that choose what a run is about, in every session that builds or plans."""
Goal = Literal["toolchain", "openssl", "rust-std", "services", "package", "sdk"]


class Pipeline:
    """One run: declarations read, the cache opened, the graph at hand."""

    def __init__(self, project: Path, report: Report) -> None:
        self.report = report
        self.settings: Settings = settings.load(project)
        self.targets = target.load(project / "toolchains")
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

    def _choose(self, options: Mapping[str, str]) -> None:
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
            missing_tools=doctor.missing_tools(),
            services=self.services,
            driver=source_sets.driver(self._said_driver or self.settings.driver, self.pins),
        )

    def goals(self, goal: Goal, targets: tuple[Target, ...]) -> list[Stage]:
        """The stages that a session asks for, without the joint images."""
        catalog = self.catalog()
        services = self.services.values()
        match goal:
            case "toolchain":
                return [catalog.toolchain(one) for one in targets]
            case "openssl":
                return [catalog.library("openssl", one) for one in targets]
            case "rust-std":
                return [catalog.rust_std(one) for one in targets]
            case "services":
                return [catalog.program(each, one) for one in targets for each in services]
            case "package":
                return [catalog.image(each, one) for one in targets for each in services]
            case "sdk":
                return [
                    stage
                    for one in targets
                    for stage in (catalog.sdk(one), catalog.sdk_archive(one))
                ]

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
            logs=self.settings.cache / "logs",
            provenance=doctor.provenance(),
        )

    def run(self, goal: Goal, words: Sequence[str]) -> None:
        """Build what a session stands for; `package` and `sdk` also fill `dist/`."""
        names, options = arguments.split(goal, words, flags=(), valued=CHOICES)
        self._choose(options)
        targets = self.chosen(names)
        doctor.insist()
        if goal in ("package", "sdk"):
            dist.insist_on_writable(self.settings.dist)
        started = time.monotonic()
        with self._at_work():
            builder = self.builder()
            stages = self.goals(goal, targets)
            while self._settle(builder.plan(stages).values()):
                stages = self.goals(goal, targets)
            with ThreadPoolExecutor(self.settings.jobs, thread_name_prefix="stage") as executor:
                entries = builder.build(stages, executor)
                if goal == "package":
                    with self._dist():
                        entries |= builder.build(self._joint(builder, targets), executor)
                        self._publish(dist.images(targets, self.services, entries))
                elif goal == "sdk":
                    with self._dist():
                        self._publish(dist.archives(targets, entries))
                        for one in targets:
                            sdk = entries[f"sdk-{one.name}"]
                            path = dist.link_toolchain(self.settings.dist, one, sdk)
                            self.report.say(f"{one.name}: . {path}/env.sh")
        self.report.say(f"{goal}: done in {duration(time.monotonic() - started)}")

    @contextmanager
    def _dist(self) -> Iterator[None]:
        """One run of a checkout fills `dist/` after the other."""
        place = hashlib.sha256(str(self.settings.dist).encode()).hexdigest()[:20]
        with self.store.lock(f"dist-{place}", lambda: self.report.waits("dist")):
            yield

    def _publish(self, wanted: Iterable[dist.Wanted]) -> None:
        artefacts = dist.publish(
            self.settings.dist,
            wanted,
            services=self._declared,
            source_set=self.pins.name,
            known=tuple(self.targets),
        )
        self._show(artefacts)

    def _joint(
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
        with self._at_work():
            builder, stage = self.builder(), self.catalog().sdk(one)
            while self._settle(builder.plan([stage]).values()):
                stage = self.catalog().sdk(one)
            with ThreadPoolExecutor(self.settings.jobs, thread_name_prefix="stage") as executor:
                entry = builder.build([stage], executor)[stage.name]
        rust = entry.tree / "rust" / "bin"
        environment = {**dict(sdk.environment(one, str(entry.tree))), "RUSTC": str(rust / "rustc")}
        return str(rust / "cargo"), list(words[1:]), environment

    def fetch(self, words: Sequence[str]) -> None:
        """Download every source and crate that the targets need, built or not."""
        names, options = arguments.split("fetch", words, flags=(), valued=CHOICES)
        self._choose(options)
        with self._at_work():
            targets, builder = self.chosen(names), self.builder()
            while self._settle(self._everything(targets)):
                pass
            for one in sources(self._everything(targets)).values():
                with self.report.busy(one.name):
                    path = self.fetcher.fetch(one)
                self.report.stage_line(one.name, "fetched", f" {size(path.stat().st_size)}")
            with ThreadPoolExecutor(self.settings.jobs) as executor:
                builder.build(self.catalog().crates(), executor)

    def plan(self, words: Sequence[str]) -> None:
        """Show every stage, whether it is found or to be built, and what that will take."""
        valued = ("--why", *CHOICES)
        names, options = arguments.split("plan", words, flags=("--json",), valued=valued)
        self._choose(options)
        if "--json" in options:
            self.report.divert()
        builder = self.builder()
        targets = self.chosen(names)
        if "--why" in options:
            self._explain(builder, options["--why"], targets)
            return
        with self.store.in_use():
            planned = self._planned(builder, targets)
        if "--json" in options:
            self.report.data(plan.as_data(planned))
            return
        self.report.table("", plan.HEAD, plan.rows(planned.values()))
        seconds = sum(one.cpu_seconds for one in planned.values())
        if seconds:
            jobs = self.settings.jobs
            self.report.say(f"about {duration(seconds / jobs)} on {jobs} cores, if they are idle")
        for line in self.pins.notes:
            self.report.note(line)

    def _planned(self, builder: Builder, targets: tuple[Target, ...]) -> dict[str, Planned]:
        """Every stage, those too that a run would not look at, dependencies first."""
        indexes = self._joint(builder, targets)
        planned = builder.plan([*self.goals("package", targets), *indexes])
        every = dict[str, Planned]()
        for one in self._everything(targets, indexes):
            key = builder.keys.of(one.stage)
            if key in planned:
                every[key] = planned[key]
            else:
                state: State = "found" if builder.has(one.stage) else "not needed"
                every[key] = replace(one, key=key, state=state)
        return every

    def _explain(self, builder: Builder, name: str, targets: tuple[Target, ...]) -> None:
        every = self._everything(targets, self._joint(builder, targets, quiet=True))
        stages = {one.stage.name: one.stage for one in every}
        if name not in stages:
            raise errors.Unknown("stage", name, stages)
        stage, last = stages[name], self.history.last(name)
        if builder.has(stage):
            self.report.say(f"{name} is found: it is in the cache as it is wanted, checks passed")
            return
        if self.store.find(builder.keys.of(stage)) is not None:
            self.report.say(f"{name} is in the cache as it is wanted; new checks of it are to run")
            return
        if last is None:
            self.report.say(f"{name}: this cache knows of no earlier build")
            return
        aliases = {alias: need.name for alias, need in stage.needs}
        lines = plan.differences(last, builder.keys.document(stage), aliases)
        if not lines:
            self.report.say(f"{name}: nothing differs from its last build; it has left the cache")
            return
        self.report.say(f"{name} differs from its last build in {len(lines)} field(s):")
        for line in lines:
            self.report.say(f"  {line}")

    def update(self, words: Sequence[str]) -> None:
        """Move the repository's pins, or the named ones, to what the archive has now."""
        names, _ = arguments.split("update", words, flags=())
        folder = self.settings.project / "recipes" / "pins"
        with self._at_work(), self.report.busy("archive", self.apt.log):
            new = lock.relock(folder, self.apt, host=self.apt.host, names=names)
        for name in new:
            self.report.say(f"{name} has a pin now; write its licence where it says NOASSERTION")
        self.report.say("done; `git diff recipes/pins` shows what moved")

    def import_(self, words: Sequence[str], folder: Path) -> None:
        """Turn a `config.mak` of musl-cross-make into a target file; `folder` is where the caller
        stands. Raises `NotImported`."""
        names, _ = arguments.split("import", words, flags=())
        path = folder / (names[0] if names else "config.mak")
        if not path.is_file():
            raise errors.NotImported(path, "there is no such file")
        made = config_mak.imported(path, self.targets)
        self.report.table("", (path.name, "what became of it"), made.account)
        name = names[1] if len(names) > 1 else config_mak.name_for(made.triple)
        there = [one.name for one in self.targets.values() if name in one.names]
        there += [one.name for one in self.targets.values() if made.triple == one.triple]
        file = self.settings.project / "toolchains" / f"{name}.toml"
        if there:
            raise errors.TargetThere(there[0], made.text)
        file.write_text(made.text)
        self.report.say(
            f"toolchains/{name}.toml is written; rust, qemu, openssl and image are those of "
            f"{made.model}: look at them, then nox -s plan -- {name}"
        )

    def examine(self) -> None:
        """Say what this machine has and lacks; raises `HostProgramMissing` in the end."""
        rows = [
            (one.subject, one.state, one.detail) for one in doctor.findings(self.settings.cache)
        ]
        self.report.table("", ("what", "state", "where"), rows)
        doctor.insist()

    def collect(self, words: Sequence[str]) -> None:
        """Shrink the store to a size, or verify every file in it."""
        cleaning.collect(self.store, self.report, words)

    def _everything(self, targets: tuple[Target, ...], more: Iterable[Stage] = ()) -> list[Planned]:
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

    def _settle(self, planned: Iterable[Planned]) -> bool:
        """See that the archive still has what is to be fetched; whether a pin had to move."""
        missing = [one for one in sources(planned).values() if not self.fetcher.has(one)]
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
    def _at_work(self) -> Iterator[None]:
        """For what uses the cache: it can be stopped, and no clean-up comes in between."""
        with stopping.stoppable(self.report, self.runner, self.settings.cache), ExitStack() as use:
            with self.report.busy("clean-up of the cache by another run"):
                use.enter_context(self.store.in_use())
            yield
