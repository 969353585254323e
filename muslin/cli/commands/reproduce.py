"""Build stages a second time, in another place and other circumstances, and compare the products.

`python -m muslin.cli.commands.reproduce GOAL TARGETS STAGES`, names with commas between, builds
there: as another user where that is possible, with another umask, directory, home, locale and time
zone, and another number of jobs. Only downloads and what the stages are made from are shared.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import get_args

from muslin import errors
from muslin.cli import options as arguments
from muslin.cli.pipeline import CHOICES, Goal, Pipeline
from muslin.dist import stage_digests
from muslin.engine import host
from muslin.engine.cache import layout
from muslin.engine.cache.store import Store, remove
from muslin.engine.console import Report, duration
from muslin.engine.key import Keys
from muslin.engine.process import limits
from muslin.engine.process.runner import BASE_ENVIRONMENT, HOST_PATH
from muslin.engine.stage import Stage
from muslin.models.target import Target

NOBODY = 65534
"""The user `nobody` of Debian and most others; base-passwd(8)."""
MASK = "027"
ELSEWHERE: Mapping[str, str] = {
    "HOME": "/nowhere",
    "LANG": "tr_TR.UTF-8",  # where i is no I
    "LC_ALL": "tr_TR.UTF-8",
    "LOGNAME": "somebody",
    "TZ": "Pacific/Kiritimati",  # 14 hours ahead
    "USER": "somebody",
}
ROOM = Path("/var/tmp")  # noqa: S108  # a folder of its own is made in it
RECORDS = ("stage.json", "manifest.json")
SHOWN = 10
"""Paths that are named of a stage that differs."""
BUSY = "while :; do :; done"


def run(pipeline: Pipeline, words: Sequence[str]) -> None:
    """The session: build, build again elsewhere, compare. With `--recorded` nothing is built again,
    and what is here is held to what was recorded; `--record` records it.

    Raises `NotReproduced` or `NotAsRecorded` with the stages that differ.
    """
    flags, valued = ("--load", "--record", "--recorded"), ("--goal", "--stages", "--jobs", *CHOICES)
    names, options = arguments.split("reproduce", words, flags=flags, valued=valued)
    pipeline.choose(options)
    targets, started = pipeline.chosen(names), time.monotonic()
    goal = _goal(options.get("--goal", "package"))
    stages = _chosen(_all_of(pipeline, targets, goal), options.get("--stages", ""))
    jobs = options.get("--jobs", str(4 * pipeline.settings.jobs))
    with pipeline.at_work(), ExitStack() as stack:
        builder = pipeline.builder()
        with ThreadPoolExecutor(pipeline.settings.jobs) as executor:
            builder.build(stages, executor)
        if "--record" in options or "--recorded" in options:
            _hold_to_record(pipeline, stages, builder.keys, anew="--record" in options)
            return
        # Not in /tmp, which may lie in memory.
        above = tempfile.mkdtemp(prefix="muslin-reproduce-", dir=ROOM if ROOM.is_dir() else None)
        place = Path(above, "another", "place")
        stack.push(functools.partial(_removed_unless_differing, place))
        _prepare(pipeline, place, stages, builder.keys)
        for _ in range(pipeline.settings.jobs if "--load" in options else 0):
            stack.enter_context(_busy(pipeline))
        about = (goal, ",".join(target.name for target in targets))
        _build_there(pipeline, place, about, stages, jobs)
        found = dict(_differences(pipeline, place, stages, builder.keys))
        for name, paths in found.items():
            pipeline.report.say(f"{name} differs in {len(paths)} path(s):")
            for path in paths[:SHOWN]:
                pipeline.report.say(f"  {path}")
        if found:
            raise errors.NotReproduced(list(found), place)
    took = duration(time.monotonic() - started)
    pipeline.report.say(f"reproduce: {len(stages)} stage(s) built twice are the same; {took}")


def _hold_to_record(pipeline: Pipeline, stages: Sequence[Stage], keys: Keys, *, anew: bool) -> None:
    """Compare what the cache has with `recipes/digests/`, or write it there."""
    path = pipeline.settings.project / "recipes" / "digests" / f"{pipeline.pins.name}.json"
    compiler = host.compiler()
    given = {
        stage.name: stage_digests.Given(
            entry=pipeline.store.root / keys.of(stage),
            compiler=compiler if stage.runs_on == "host" else "",
        )
        for stage in stages
    }
    if anew:
        stage_digests.write(path, given)
        pipeline.report.say(f"reproduce: {len(given)} stage(s) recorded in {path}")
        return
    found = stage_digests.compare(stage_digests.load(path), given)
    if found.differing:
        raise errors.NotAsRecorded(found.differing, path)
    if found.unknown:
        pipeline.report.note(
            f"{len(found.unknown)} stage(s) not compared, recorded for no such key (another host, "
            f"its compiler, or a recipe that changed since): {', '.join(found.unknown)}"
        )
    pipeline.report.say(f"reproduce: {len(found.same)} stage(s) are as recorded")


def _removed_unless_differing(
    place: Path,
    kind: type[BaseException] | None,
    _error: BaseException | None,
    _trace: TracebackType | None,
) -> bool:
    """Remove the other place, but for somebody who is to look at what differs in it."""
    if kind is None or not issubclass(kind, errors.NotReproduced):
        remove(place.parents[1])
    return False


def _goal(said: str) -> Goal:
    for goal in get_args(Goal):
        if said == goal:
            return goal  # type: ignore[no-any-return]  # get_args has no types
    raise errors.Unknown("goal", said, get_args(Goal))


def _all_of(pipeline: Pipeline, targets: Sequence[Target], goal: Goal) -> dict[str, Stage]:
    """Every stage that a goal takes and that builds something of what is here: no downloads."""
    every = _before(pipeline.goals(goal, tuple(targets)))
    return {stage.name: stage for stage in every if not stage.network}


def _chosen(every: Mapping[str, Stage], said: str) -> list[Stage]:
    """The stages by their names; all of them where none is named."""
    names = said.split(",") if said else list(every)
    for name in names:
        if name not in every:
            raise errors.Unknown("stage", name, every)
    return [every[name] for name in names]


def _prepare(pipeline: Pipeline, place: Path, stages: Sequence[Stage], keys: Keys) -> None:
    """A cache that has the downloads, and what the stages are made from but the stages."""
    store = Store(place)
    _linked(pipeline.settings.cache / layout.DOWNLOADS, place / layout.DOWNLOADS)
    if (lock := pipeline.settings.cache / layout.RUN_LOCK).exists():
        shutil.copy(lock, place / layout.RUN_LOCK)
    anew = {keys.of(stage) for stage in stages}
    for stage in _before(stages):
        if (key := keys.of(stage)) not in anew and (pipeline.store.root / key).exists():
            _linked(pipeline.store.root / key, store.root / key)


def _before(stages: Iterable[Stage]) -> Iterator[Stage]:
    """All that stages are made from or checked with, directly or not, each once."""
    left, seen = list(stages), set[int]()
    while left:
        if id(stage := left.pop()) not in seen:
            seen.add(id(stage))
            yield stage
            left += (one for _, one in (*stage.needs, *stage.tools, *stage.judges))


def _linked(source: Path, to: Path) -> None:
    """A tree whose files are hard links to another's, or copies on another file system. Records and
    locks are copies: runs write to them."""

    def copied(one: str, there: str) -> None:
        name = os.path.basename(one)  # noqa: PTH119  # copytree gives texts
        everybodys = os.stat(one).st_mode & 0o004  # noqa: PTH116  # the same
        if everybodys and name not in RECORDS and not name.startswith("."):
            with suppress(OSError):
                os.link(one, there)
                return
        shutil.copy2(one, there)

    shutil.copytree(source, to, symlinks=True, copy_function=copied)


def _build_there(
    pipeline: Pipeline, place: Path, about: Sequence[str], stages: Sequence[Stage], jobs: str
) -> None:
    """Build them in the other place, as somebody else; `about` is the goal and the targets. Raises
    `CommandFailed`."""
    log = pipeline.settings.cache / layout.LOGS / "reproduce.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", __name__]
    environment = {
        **BASE_ENVIRONMENT,
        **ELSEWHERE,
        "PATH": HOST_PATH,
        "PYTHONPATH": str(pipeline.settings.project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MUSLIN_CACHE": str(place),
        "MUSLIN_JOBS": jobs,
        "MUSLIN_SOURCES": pipeline.pins.name,
        "MUSLIN_DRIVER": pipeline.catalog().driver,
        **{name: os.environ[name] for name in limits.VARIABLES if name in os.environ},
    }
    user = _as_nobody(pipeline, command, environment, place, log)
    who = "user nobody" if user else "the same user"
    pipeline.report.say(
        f"building {len(stages)} stage(s) again: {who}, umask {MASK}, {jobs} jobs, in {place}"
    )
    names = ",".join(stage.name for stage in stages)
    with pipeline.report.stage("reproduce", log, 0.0, lambda: ""):
        pipeline.runner.run(
            _elsewhere([*user, *command, *about, names]),
            what="reproduce",
            cwd=pipeline.settings.project,
            env=environment,
            log=log,
            # What it starts has limits of its own.
            allowance=dataclasses.replace(pipeline.runner.limits.build(), seconds=math.inf),
        )


def _elsewhere(command: Sequence[str]) -> tuple[str, ...]:
    return ("sh", "-c", f'umask {MASK}; exec "$@"', "sh", *command)


def _as_nobody(
    pipeline: Pipeline,
    command: Sequence[str],
    environment: Mapping[str, str],
    place: Path,
    log: Path,
) -> tuple[str, ...]:
    """What is put before a command to run it as another user; nothing where that cannot be."""
    setpriv = shutil.which("setpriv", path=HOST_PATH)
    if os.geteuid() != 0 or setpriv is None:
        return ()
    try:
        _give_away(place)
    except OSError as error:
        pipeline.report.note(f"not as another user: {error.strerror}")
        return ()
    # `env` has none of the capabilities that setpriv starts it with: they would open such a folder.
    user = (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")
    try:  # the interpreter and the checkout may lie in a folder that is closed to others
        pipeline.runner.run(
            _elsewhere([*user, *command]),
            what="reproduce",
            cwd=pipeline.settings.project,
            env=environment,
            log=log,
        )
    except errors.CommandFailed as error:
        why = next((line for line in reversed(error.tail) if line.strip()), "")
        pipeline.report.note(f"not as another user, who cannot read this Python or checkout: {why}")
        return ()
    return user


def _give_away(place: Path) -> None:
    """Make a cache nobody's, but not the files that it shares with another: what lies deepest
    first, so that nobody can put anything there meanwhile."""
    for folder, folders, names in os.walk(place.parents[1], topdown=False):
        for name in (*folders, *names):
            path = Path(folder, name)
            if path.is_symlink() or path.is_dir() or path.stat().st_nlink == 1:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.chown(place.parents[1], NOBODY, NOBODY)


def _differences(
    pipeline: Pipeline, place: Path, stages: Sequence[Stage], keys: Keys
) -> Iterator[tuple[str, list[str]]]:
    """Names of the stages whose products differ, with the paths and in what."""
    for stage in stages:
        key = keys.of(stage)
        ours, theirs = (
            stage_digests.listed(store / key) for store in (pipeline.store.root, place / "store")
        )
        paths = [
            f"{path}: {_said(ours.get(path), theirs.get(path))}"
            for path in sorted(ours.keys() | theirs.keys())
            if ours.get(path) != theirs.get(path)
        ]
        if paths:
            yield stage.name, paths


def _said(ours: list[object] | None, theirs: list[object] | None) -> str:
    if ours is None or theirs is None:
        return "there once alone"
    names = ("size", "mode", "content") if isinstance(ours[0], int) else ("kind", "target")
    pairs = zip(names, ours, theirs, strict=False)
    return " and ".join(name for name, one, other in pairs if one != other) or "another kind"


@contextmanager
def _busy(pipeline: Pipeline) -> Iterator[None]:
    """Something else that wants a core."""
    with pipeline.runner.server(
        ("sh", "-c", BUSY), what="load", cwd=Path("/"), env={}, log=Path(os.devnull)
    ):
        yield


def main(words: Sequence[str]) -> None:
    """Build stages in this cache; without words only see whether that could be done."""
    pipeline = Pipeline(Path(__file__).resolve().parents[3], Report())
    if not words:
        return
    (goal,), targets, names = (word.split(",") for word in words)
    every = _all_of(pipeline, pipeline.chosen(targets), _goal(goal))
    with pipeline.at_work(), ThreadPoolExecutor(pipeline.settings.jobs) as executor:
        pipeline.builder().build([every[name] for name in names], executor)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except errors.PipelineError as error:
        sys.exit(str(error))
