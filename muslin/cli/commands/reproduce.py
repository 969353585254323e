"""Build stages again elsewhere and compare: `armv6 --stages gcc-armv6 --jobs 8 --load`."""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from muslin.cli import errors as cli_errors
from muslin.cli import second_build
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.dist import stage_digests
from muslin.engine import host
from muslin.engine.cache.store import remove
from muslin.engine.console import duration
from muslin.engine.key import Keys
from muslin.engine.stage import Stage
from muslin.models import errors as model_errors

ROOM = Path("/var/tmp")  # noqa: S108  # a folder of its own is made in it
SHOWN = 10
"""Paths that are named of a stage that differs."""


def parser() -> Parser:
    examples = ("armv6 --stages zlib-armv6", "armv6 --goal toolchain --load", "--recorded")
    options = Parser("reproduce", __doc__, examples=examples)
    options.add_selection(crates=False)
    options.add_argument("--goal", default="package", metavar="GOAL", help="stages up to this")
    options.add_argument(
        "--stages", default="", metavar="NAME[,NAME]", help="only these; all by default"
    )
    options.add_argument("--jobs", default="", metavar="N", help="four times the usual by default")
    options.add_argument("--load", action="store_true", help="keep every core busy meanwhile")
    records = options.add_mutually_exclusive_group()
    records.add_argument("--record", action="store_true", help="record what the cache has")
    records.add_argument(
        "--recorded", action="store_true", help="compare the cache with what was recorded"
    )
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Build, build again elsewhere, compare. With `--recorded` nothing is built again.

    Raises `NotReproduced` or `NotAsRecorded` with the stages that differ.
    """
    pipeline, started = Pipeline(context, context.selected(options)), time.monotonic()
    goal = second_build.goal_of(options.goal)
    stages = _chosen(second_build.all_of(pipeline, goal), options.stages)
    jobs = options.jobs or str(4 * context.settings.jobs)
    with context.at_work(), ExitStack() as stack:
        builder = pipeline.builder()
        with ThreadPoolExecutor(context.settings.jobs) as executor:
            builder.build(stages, executor)
        if options.record or options.recorded:
            _hold_to_record(pipeline, stages, builder.keys, anew=options.record)
            return
        # Not in /tmp, which may lie in memory.
        above = tempfile.mkdtemp(prefix="muslin-reproduce-", dir=ROOM if ROOM.is_dir() else None)
        place = Path(above, "another", "place")
        stack.push(functools.partial(_removed_unless_differing, place))
        second_build.prepare(pipeline, place, stages, builder.keys)
        for _core in range(context.settings.jobs if options.load else 0):
            stack.enter_context(second_build.busy(pipeline))
        about = (goal, ",".join(target.name for target in pipeline.selection.targets))
        second_build.build(pipeline, place, about, stages, jobs)
        _compare(pipeline, place, stages, builder.keys)
    took = duration(time.monotonic() - started)
    context.report.say(f"reproduce: {len(stages)} stage(s) built twice are the same; {took}")


def _compare(pipeline: Pipeline, place: Path, stages: Sequence[Stage], keys: Keys) -> None:
    """Show what differs; raises `NotReproduced`."""
    report, found = pipeline.context.report, dict(_differences(pipeline, place, stages, keys))
    for name, paths in found.items():
        report.say(f"{name} differs in {len(paths)} path(s):")
        for path in paths[:SHOWN]:
            report.say(f"  {path}")
    if found:
        raise cli_errors.NotReproduced(list(found), place)


def _hold_to_record(pipeline: Pipeline, stages: Sequence[Stage], keys: Keys, *, anew: bool) -> None:
    """Compare what the cache has with `recipes/digests/`, or write it there."""
    path = pipeline.context.settings.project / "recipes" / "digests" / f"{pipeline.pins.name}.json"
    compiler = host.compiler()
    given = {
        stage.name: stage_digests.Given(
            entry=pipeline.context.store.root / keys.of(stage),
            compiler=compiler if stage.runs_on == "host" else "",
        )
        for stage in stages
    }
    if anew:
        stage_digests.write(path, given)
        pipeline.context.report.say(f"reproduce: {len(given)} stage(s) recorded in {path}")
        return
    found = stage_digests.compare(stage_digests.load(path), given)
    if found.differing:
        raise cli_errors.NotAsRecorded(found.differing, path)
    if found.unknown:
        pipeline.context.report.note(
            f"{len(found.unknown)} stage(s) not compared, recorded for no such key (another host, "
            f"its compiler, or a recipe that changed since): {', '.join(found.unknown)}"
        )
    pipeline.context.report.say(f"reproduce: {len(found.same)} stage(s) are as recorded")


def _removed_unless_differing(
    place: Path,
    kind: type[BaseException] | None,
    _error: BaseException | None,
    _trace: TracebackType | None,
) -> bool:
    """Remove the other place, but for somebody who is to look at what differs in it."""
    if kind is None or not issubclass(kind, cli_errors.NotReproduced):
        remove(place.parents[1])
    return False


def _chosen(every: Mapping[str, Stage], said: str) -> list[Stage]:
    """The stages by their names; all of them where none is named."""
    names = said.split(",") if said else list(every)
    for name in names:
        if name not in every:
            raise model_errors.Unknown("stage", name, every)
    return [every[name] for name in names]


def _differences(
    pipeline: Pipeline, place: Path, stages: Sequence[Stage], keys: Keys
) -> Iterator[tuple[str, list[str]]]:
    """Names of the stages whose products differ, with the paths and in what."""
    for stage in stages:
        key = keys.of(stage)
        ours, theirs = (
            stage_digests.listed(store / key)
            for store in (pipeline.context.store.root, place / "store")
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
