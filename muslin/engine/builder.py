"""Walk the graph: find what is there, run what is not, as much side by side as it allows."""

# Long: its class.
from __future__ import annotations

import dataclasses
import functools
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from muslin.engine import errors as engine_errors
from muslin.engine import work_directory
from muslin.engine.cache.history import Build, History
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Entry, Store
from muslin.engine.console import Report
from muslin.engine.events import Events, Fact
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.filesystem import atomic
from muslin.engine.key import Keys
from muslin.engine.planner import Planner
from muslin.engine.process import errors as process_errors
from muslin.engine.process import host_root
from muslin.engine.process.host_root import HostRoot
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.scheduler import Planned, Schedule
from muslin.engine.sharing import Sharing
from muslin.engine.source import Source
from muslin.engine.stage import Stage
from muslin.errors import PipelineError

Fault = tuple[Exception, list[str]]
"""What failed, and the names of the stages that could not be built without it."""


def _no_root() -> None:
    """Programs run on the machine itself."""


# Long: building, checking and refusing a stage share its locks, marks and log.
@dataclass(frozen=True, kw_only=True)
class Builder:
    """Everything that building a stage takes; one class, since most methods need most of it."""

    store: Store
    runner: Runner
    fetcher: Fetcher
    report: Report
    history: History
    keys: Keys
    events: Events
    logs: Path
    memory: int
    """Bytes that all processes together may take; 0 for no limit."""
    provenance: Mapping[str, str]
    sharing: Sharing | None = None
    """A shared store, if one is used."""
    root: Callable[[], Stage | None] = _no_root
    """The host root's stage, if programs run in one."""

    @functools.cached_property
    def planner(self) -> Planner:
        """What plans the runs of this builder."""
        return Planner(store=self.store, report=self.report, history=self.history, keys=self.keys)

    def plan(self, goals: Iterable[Stage]) -> dict[str, Planned]:
        """As `Planner.plan`."""
        return self.planner.plan(goals)

    def obtained(self, goals: Iterable[Stage]) -> dict[str, Planned]:
        """As `plan`, once what is to be built was asked for in the shared store, if there is one:
        goals first, and what they are made from only where they are not there."""
        goals = tuple(goals)
        planned = self.plan(goals)
        if self.sharing is None:
            return planned
        keys = [self.keys.of(goal) for goal in goals]
        while wanted := self.sharing.wanted(planned, keys):
            self.sharing.take(wanted, self.keys)
            self.runner.raise_if_stopping(wanted[0].stage.name)
            planned = self.plan(goals)
        if any(one.state == "build" for one in planned.values()):
            self.sharing.prepare()
        return planned

    def has(self, stage: Stage) -> bool:
        """As `Planner.has`."""
        return self.planner.has(stage)

    def build(
        self, goals: Sequence[Stage], executor: Executor, *, faults: list[Fault] | None = None
    ) -> dict[str, Entry]:
        """Make every goal be in the store; name -> entry of the goals.

        The first failure ends everything that runs and is raised. Where there is a list for
        `faults`, it is put there, all that does not depend on it is finished, and goals that were
        not made are missing in the answer.
        """
        planned = self.obtained(goals)
        self.report.planned(
            found=sum(one.state == "found" for one in planned.values()),
            all_=len(planned),
            seconds=sum(one.cpu_seconds for one in planned.values()) / self.runner.jobs,
        )
        self._insist_on_room(planned.values())
        for one in planned.values():
            if one.state == "found":
                self.report.found(one.stage.name)
        waiting = {key: one for key, one in planned.items() if one.state != "found"}
        schedule = Schedule(waiting=waiting, jobs=self.runner.jobs, limit=self.memory)
        if waiting:
            self.events.begin(jobs=self.runner.jobs, stages=len(waiting))
            self._enter_root(executor)
        with self.pushing():
            self._work_off(schedule, executor, faults)
        made = {}
        for goal in goals:
            one = planned[self.keys.of(goal)]
            if one.state == "found" and one.entry is not None:
                made[goal.name] = one.entry
            elif not faults or self.has(goal):
                made[goal.name] = self._entry(goal)
        return made

    def _work_off(self, schedule: Schedule, executor: Executor, faults: list[Fault] | None) -> None:
        """Run everything that a schedule has."""
        running: dict[Future[None], Planned] = {}
        try:
            while schedule.waiting or running:
                for one in schedule.start():
                    running[executor.submit(self._make, one, schedule.held_back(one))] = one
                done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    one = running.pop(future)
                    try:
                        future.result()
                    except engine_errors.RestoredRefused as error:
                        self._build_instead(one, schedule, error)
                    except PipelineError as error:
                        error.stage = one.stage.name
                        if faults is None or self.runner.stopping.is_set():
                            raise
                        dropped = [other.stage.name for other in schedule.failed(one.key)]
                        faults.append((error, dropped))
                        self.report.failed(one.stage.name, str(error), len(dropped))
                    else:
                        schedule.done(one.key)
        except BaseException:
            for future in running:
                future.cancel()
            self.runner.stop()
            wait(running)
            raise

    @contextmanager
    def pushing(self) -> Iterator[None]:
        """Finish what is being given to a shared store; stages that fail do not keep others from
        it."""
        try:
            yield
        except PipelineError:
            if self.sharing is not None:
                self.sharing.finish()
            raise
        except BaseException:
            if self.sharing is not None:
                self.sharing.abandon()
            raise
        if self.sharing is not None:
            self.sharing.finish()

    def _build_instead(self, one: Planned, schedule: Schedule, error: Exception) -> None:
        """Plan a stage again whose restored entry was refused: it is built here."""
        self.report.aside(str(error).splitlines()[0])
        self.store.drop(one.key)
        self.report.added(schedule.again(one.key, self.obtained([one.stage])))

    def _enter_root(self, executor: Executor) -> None:
        """Let programs run in the host root from now on, if there is one; it is made first.

        Raises `NoWayIn`.
        """
        stage = self.root()
        if stage is None or self.runner.root is not None:
            return
        way = next(host_root.ways(self.runner.works), None)
        if way is None:
            raise process_errors.NoWayIn
        made = dataclasses.replace(self, root=_no_root).build([stage], executor)
        root = HostRoot(tree=made[stage.name].tree, cache=self.store.cache, way=way)
        root.prepare()
        self.runner.root = root
        self.report.say(f"stages run in the host root, entered by {way}")

    def _insist_on_room(self, planned: Iterable[Planned]) -> None:
        """Raise `DiskTooSmall` if the disk has no room for what is to be built: what stays of
        every stage, the work of the largest that run side by side, and downloads."""
        builds = [one for one in planned if one.state == "build"]
        if not builds:
            return
        peaks = sorted((one.stage.peak for one in builds), reverse=True)
        downloads = [one for one in sources(builds).values() if not self.fetcher.has(one)]
        needed = (
            sum(peaks[: self.runner.jobs])
            + sum(one.stage.kept for one in builds)
            + sum(one.size for one in downloads)
        )
        free = shutil.disk_usage(self.store.cache).free
        if free < needed:
            raise engine_errors.DiskTooSmall(self.store.cache, free=free, needed=needed)

    def _entry(self, stage: Stage) -> Entry:
        entry = self.store.find(self.keys.of(stage))
        if entry is None:
            raise engine_errors.NeedLost(stage.name)
        return entry

    def _make(self, planned: Planned, held_back: int) -> None:
        """Build or check one stage, under the lock of its key, while nobody uses some slots."""
        stage, key = planned.stage, planned.key
        log = self.logs / (stage.target or "host") / f"{stage.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        before = (*stage.needs, *stage.judges, *stage.tools)
        self.events.started(stage.name, [other.name for _, other in before])
        outcome, facts = "failed", dict[str, Fact]()
        try:
            with (
                self.report.stage(
                    stage.name,
                    log,
                    planned.wall_seconds,
                    functools.partial(_reached, stage, self._work_of(key)),
                ),
                self._alone(key, stage),
                self.runner.held_back(held_back),
            ):
                outcome, facts = self._made(planned, log)
        except engine_errors.Unfit as error:
            raise engine_errors.LeftUnfit(stage.name, error, log) from error
        except OSError as error:
            if engine_errors.LeftOdd.is_meant_by(error, self.store.work):
                raise engine_errors.LeftOdd(stage.name, error, log) from error
            raise
        finally:
            self.events.ended(stage.name, outcome, **facts)

    def _made(self, planned: Planned, log: Path) -> tuple[str, dict[str, Fact]]:
        """What became of a stage: the outcome, and what it took."""
        stage, key, started = planned.stage, planned.key, time.monotonic()
        entry = self.store.find(key, lambda fault: self.report.damaged(stage.name, fault))
        if entry is not None and self.planner.is_proved(stage, entry) and not planned.condemned:
            self.report.found(stage.name)
            return "found", {}
        atomic.write(log, f"{stage.name}, key {key}\n")
        if entry is not None:
            entry = self._unless_refused(planned, entry, log)
        built = entry is None
        if entry is None:
            entry = self._build_one(stage, key, log)
        checking = self._check_made(stage, entry, log)
        self.store.marks(key).pass_(self.keys.proof_of(stage))
        record = entry.record
        if built:
            if self.sharing is not None:
                self.sharing.push(stage, entry, self.keys)
            seconds = time.monotonic() - started  # as the lines before said that it was running
            self.report.built(stage.name, seconds, record.cpu_seconds, checking)
            return "built", {"cpu_seconds": record.cpu_seconds, "check_seconds": round(checking, 2)}
        if checking:
            self.report.checked(stage.name, checking)
            return "checked", {"check_seconds": round(checking, 2)}
        self.report.found(stage.name)
        return "found", {}

    def _unless_refused(self, planned: Planned, entry: Entry, log: Path) -> Entry | None:
        """The entry if it may stay. One whose checks failed in an earlier run gets a second chance:
        the disk may have been full."""
        stage, key = planned.stage, planned.key
        if planned.condemned and self.store.marks(key).any_refused():
            self._set_aside(stage, "a verification refused it in an earlier run")
            return None
        if self.store.marks(key).refused(self.keys.checks_of(stage)):
            try:
                self._check_one(stage, entry, log)
            except PipelineError as error:
                if not error.refuses:
                    raise
                self._set_aside(stage, "its checks failed, in an earlier run and again now")
                return None
            self.store.marks(key).clear_refusals()
        return entry

    def _build_one(self, stage: Stage, key: str, log: Path) -> Entry:
        started = time.monotonic()
        sources = {alias: self.fetcher.fetch(source) for alias, source in stage.sources}
        # A stage that fetches may have the user's credentials in it.
        kept = work_directory.emptied(self._work_of(key), keep=not stage.network)
        with self._scratch(stage) as scratch, kept as work:
            values = {
                **self._trees("need", stage.needs),
                **self._trees("tool", stage.tools),
                **{f"source.{alias}": str(path) for alias, path in sources.items()},
                "out": str(work / "out"),
                "scratch": str(scratch),
            }
            for alias, tree in stage.trees:
                values[f"tree.{alias}"] = str(work_directory.lay_out(tree, work / "tree" / alias))
            (work / "out").mkdir()
            sandbox = self._sandbox(stage, work, log, values)
            with self.runner.slot(), self._blaming(stage):
                for step in stage.steps:
                    self.runner.raise_if_stopping(stage.name)
                    step.perform(sandbox)
            self._insist_untouched(stage, log)
            record = Record(
                name=stage.name,
                document=self.keys.document(stage),
                wall_seconds=round(time.monotonic() - started, 2),
                cpu_seconds=round(sandbox.cpu_seconds, 2),
                memory=sandbox.memory,
                built_with=dict(self.provenance),
            )
            entry = self.store.commit(key, work / "out", record, stage.most)
        build = Build(
            key=key,
            document=record.document,
            wall_seconds=record.wall_seconds,
            cpu_seconds=record.cpu_seconds,
            memory=record.memory,
        )
        self.history.remember(stage.name, build)
        return entry

    def _check_made(self, stage: Stage, entry: Entry, log: Path) -> float:
        """As `_check_one`; raises `RestoredRefused` for an entry of a shared store."""
        try:
            return self._check_one(stage, entry, log)
        except PipelineError as error:
            if error.refuses and (place := entry.record.restored_from):
                raise engine_errors.RestoredRefused(stage.name, place, error) from error
            raise

    def _check_one(self, stage: Stage, entry: Entry, log: Path) -> float:
        """Run the checks upon a published output, those of its needs have passed; seconds.
        Nobody uses it until they passed."""
        marks, checks_key = self.store.marks(entry.key), self.keys.checks_of(stage)
        if not stage.checks or marks.passed(checks_key):
            return 0.0
        started = time.monotonic()
        # A check sees what it is told of, not what the stage was built with.
        bare = dataclasses.replace(stage, path=(), tools=(), env=(), scratch=())
        with work_directory.emptied(self.store.work / f"{entry.key[:20]}-check") as work:
            values = {**self._trees("judge", stage.judges), "out": str(entry.tree)}
            sandbox = self._sandbox(bare, work, log, values)
            try:
                with self.runner.slot():
                    for check in stage.checks:
                        check.insist(sandbox)
            except PipelineError as error:
                if error.refuses:
                    self._refuse(stage, entry, checks_key)
                raise
        marks.pass_(checks_key)
        return time.monotonic() - started

    @contextmanager
    def _blaming(self, stage: Stage) -> Iterator[None]:
        """Mark what the stage blames if a step of it refuses the product: the next run builds that
        again, unless it was built again already with the same result."""
        try:
            yield
        except process_errors.SaidNo:
            for blamed in stage.blames:
                if (entry := self.store.find(self.keys.of(blamed))) is not None:
                    self._refuse(blamed, entry, self.keys.of(stage))
            raise

    def _refuse(self, stage: Stage, entry: Entry, by: str) -> None:
        if self.store.is_as_before(entry):
            self.report.note(
                f"{stage.name} was built twice with the same result: it is no accident"
            )
        else:
            self.store.marks(entry.key).refuse(by)

    def _set_aside(self, stage: Stage, why: str) -> None:
        if (aside := self.store.set_aside(self.keys.of(stage))) is not None:
            self.report.note(f"{stage.name} is built again: {why}; it was moved to {aside}")

    def _insist_untouched(self, stage: Stage, log: Path) -> None:
        for alias, need in stage.needs:
            if self.store.find(self.keys.of(need)) is None:
                why = (
                    f"a step wrote into the need {alias!r}, which other stages use too (of this "
                    "stage, or of one beside it that has the same need)"
                )
                raise engine_errors.StepFailed(stage.name, "build", why, log)

    def _work_of(self, key: str) -> Path:
        return self.store.work / key[:20]

    def _trees(self, prefix: str, stages: Iterable[tuple[str, Stage]]) -> dict[str, str]:
        """Placeholder -> folder in the store, every file of which was read once in this run:
        a changed bit that kept size and time would get into what is built from it.

        Raises `NeedLost`.
        """
        found = {}
        for alias, stage in stages:
            damaged = functools.partial(self.report.damaged, stage.name)
            entry = self.store.find(self.keys.of(stage), damaged, digests=True)
            if entry is None:
                raise engine_errors.NeedLost(stage.name)
            found[f"{prefix}.{alias}"] = str(entry.tree)
        return found

    def _sandbox(self, stage: Stage, work: Path, log: Path, values: Mapping[str, str]) -> Sandbox:
        values = {"cache": str(self.store.cache), **values}
        return work_directory.sandbox(stage, work=work, log=log, runner=self.runner, values=values)

    @contextmanager
    def _scratch(self, stage: Stage) -> Iterator[Path]:
        """A folder kept between runs, this run's own for as long as the stage takes."""
        name = f"{stage.name}-{self.keys.scratch_of(stage)[:20]}"
        folder = self.store.scratch / name
        if not stage.scratch:
            yield folder
            return
        with self._alone(f"scratch-{name}", stage):
            work_directory.keep_if_past(folder)
            yield folder

    @contextmanager
    def _alone(self, key: str, stage: Stage) -> Iterator[None]:
        """One run at a time; says that it waits, and can be stopped while it does."""
        with self.store.lock(
            key,
            lambda: self.report.waits(stage.name),
            lambda: self.runner.raise_if_stopping(stage.name),
        ):
            yield


def _reached(stage: Stage, work: Path) -> str:
    """The last of a stage's milestones that are there."""
    passed = (words for pattern, words in reversed(stage.milestones) if any(work.glob(pattern)))
    return next(passed, "")


def sources(planned: Iterable[Planned]) -> dict[str, Source]:
    """Digest -> source of everything that is to be built."""
    return {
        source.sha256: source
        for one in planned
        if one.state == "build"
        for _, source in one.stage.sources
    }
