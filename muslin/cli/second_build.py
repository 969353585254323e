"""Build stages in another cache, as somebody else, in other circumstances.

`python -m muslin.cli.second_build GOAL TARGETS STAGES`, names with commas between, is what builds
there: as another user where that is possible, with another umask, directory, home, locale and time
zone, and another number of jobs. Only downloads and what the stages are made from are shared.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import get_args

from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.engine.cache import layout
from muslin.engine.cache.store import Store
from muslin.engine.console import Report
from muslin.engine.key import Keys
from muslin.engine.process import errors as process_errors
from muslin.engine.process import limits
from muslin.engine.process.runner import BASE_ENVIRONMENT, HOST_PATH
from muslin.engine.stage import Stage
from muslin.errors import PipelineError
from muslin.graph.goals import Goal
from muslin.models import errors as model_errors

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
RECORDS = ("stage.json", "manifest.json")
BUSY = "while :; do :; done"


def goal_of(said: str) -> Goal:
    """The goal of a name; raises `Unknown`."""
    for goal in get_args(Goal):
        if said == goal:
            return goal  # type: ignore[no-any-return]  # get_args has no types
    raise model_errors.Unknown("goal", said, get_args(Goal))


def all_of(pipeline: Pipeline, goal: Goal) -> dict[str, Stage]:
    """Every stage that a goal takes and that builds something of what is here: no downloads."""
    every = _before(pipeline.goals(goal))
    return {stage.name: stage for stage in every if not stage.network}


def prepare(pipeline: Pipeline, place: Path, stages: Sequence[Stage], keys: Keys) -> None:
    """A cache that has the downloads, and what the stages are made from but the stages."""
    store = Store(place)
    _linked(pipeline.context.settings.cache / layout.DOWNLOADS, place / layout.DOWNLOADS)
    if (lock := pipeline.context.settings.cache / layout.RUN_LOCK).exists():
        shutil.copy(lock, place / layout.RUN_LOCK)
    anew = {keys.of(stage) for stage in stages}
    root = pipeline.root()
    for stage in _before((*stages, *((root,) if root is not None else ()))):
        if (key := keys.of(stage)) not in anew and (pipeline.context.store.root / key).exists():
            _linked(pipeline.context.store.root / key, store.root / key)


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


def build(
    pipeline: Pipeline, place: Path, about: Sequence[str], stages: Sequence[Stage], jobs: str
) -> None:
    """Build them in the other place, as somebody else; `about` is the goal and the targets. Raises
    `CommandFailed`."""
    log = pipeline.context.settings.cache / layout.LOGS / "reproduce.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "muslin.cli.second_build"]
    environment = {
        **BASE_ENVIRONMENT,
        **ELSEWHERE,
        "PATH": HOST_PATH,
        "PYTHONPATH": str(pipeline.context.settings.project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MUSLIN_CACHE": str(place),
        "MUSLIN_JOBS": jobs,
        "MUSLIN_SOURCES": pipeline.pins.name,
        "MUSLIN_HOST": pipeline.context.settings.host,
        "MUSLIN_DRIVER": pipeline.catalog().driver,
        **{name: os.environ[name] for name in limits.VARIABLES if name in os.environ},
    }
    user = _as_nobody(pipeline, command, environment, place, log)
    who = "user nobody" if user else "the same user"
    pipeline.context.report.say(
        f"building {len(stages)} stage(s) again: {who}, umask {MASK}, {jobs} jobs, in {place}"
    )
    names = ",".join(stage.name for stage in stages)
    with pipeline.context.report.stage("reproduce", log, 0.0, lambda: ""):
        pipeline.context.runner.run(
            _elsewhere([*user, *command, *about, names]),
            what="reproduce",
            cwd=pipeline.context.settings.project,
            env=environment,
            log=log,
            # What it starts has limits of its own.
            allowance=dataclasses.replace(pipeline.context.runner.limits.build(), seconds=math.inf),
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
        pipeline.context.report.note(f"not as another user: {error.strerror}")
        return ()
    # `env` has none of the capabilities that setpriv starts it with: they would open such a folder.
    user = (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")
    try:  # the interpreter and the checkout may lie in a folder that is closed to others
        pipeline.context.runner.run(
            _elsewhere([*user, *command]),
            what="reproduce",
            cwd=pipeline.context.settings.project,
            env=environment,
            log=log,
        )
    except process_errors.CommandFailed as error:
        why = next((line for line in reversed(error.tail) if line.strip()), "")
        pipeline.context.report.note(
            f"not as another user, who cannot read this Python or checkout: {why}"
        )
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


@contextmanager
def busy(pipeline: Pipeline) -> Iterator[None]:
    """Something else that wants a core."""
    with pipeline.context.runner.server(
        ("sh", "-c", BUSY), what="load", cwd=Path("/"), env={}, log=Path(os.devnull)
    ):
        yield


def main(words: Sequence[str]) -> None:
    """Build stages in this cache; without words only see whether that could be done."""
    context = Context(Path(__file__).resolve().parents[2], Report())
    if not words:
        return
    (goal,), targets, names = (word.split(",") for word in words)
    pipeline = Pipeline(context, context.select(targets))
    every = all_of(pipeline, goal_of(goal))
    with context.at_work(), ThreadPoolExecutor(context.settings.jobs) as executor:
        pipeline.builder().build([every[name] for name in names], executor)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PipelineError as error:
        sys.exit(str(error))
