"""Build up to a goal, and bring what was built to `dist/`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from muslin.cli import crates, errors, fixes
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.cli.selection import Selection
from muslin.cli.up_to_date import Found
from muslin.dist import apt_archive, artifacts, publish, report_page, timeline
from muslin.dist.apt_signature import Key
from muslin.dist.artifacts import Artifact
from muslin.dist.output import Output
from muslin.engine import host
from muslin.engine.builder import Fault
from muslin.engine.cache.store import Entry
from muslin.engine.console import duration
from muslin.graph.goals import Goal
from muslin.graph.verifications import allowed_code
from muslin.models import cargo_program
from muslin.models.target import Target

OF_SERVICES: tuple[Goal, ...] = ("services", "verify", "package", "packages", "boot")
"""Goals that are about services."""
FILLING: tuple[Goal, ...] = ("verify", "package", "packages", "boot", "sdk")
"""Goals that fill `dist/`."""


def building(
    session: str, goal: Goal, summary: str, *, examples: Sequence[str]
) -> tuple[Callable[[], Parser], Callable[[Context, argparse.Namespace, Call], Found | None]]:
    """The parser and the run of a session that builds up to a goal."""

    def parser() -> Parser:
        options = Parser(session, summary, examples=examples)
        options.add_selection()
        options.add_keep_going()
        options.add_sarif()
        return options

    def run(context: Context, options: argparse.Namespace, _: Call) -> Found | None:
        selection = crates.selected(context, options)
        return build(context, selection, goal, keep_going=options.keep_going)

    return parser, run


# Long: the order of a run, from its checks to what is remembered of it.
def build(
    context: Context,
    selection: Selection,
    goal: Goal,
    *,
    keep_going: bool = False,
    key: Key | None = None,
) -> Found | None:
    """Build the stages of a goal and fill `dist/`; what was found where nothing was to do. `key`
    signs the archive of packages."""
    pipeline = Pipeline(context, selection)
    host.insist(native=context.settings.host == "native")
    if goal in OF_SERVICES and not selection.services:
        project = context.settings.project
        raise errors.NoServices(project, library=cargo_program.is_library(project))
    fills = goal in FILLING
    if fills:
        publish.insist_on_writable(context.settings.dist, _paths(context, selection))
        _warn_of_baselines(context, selection.targets)
    output, started = context.output(), time.monotonic()
    brought: list[Path] = []
    with context.at_work(), output.may_be_old() if fills else nullcontext():
        builder, faults = pipeline.builder(shares=True), list[Fault]() if keep_going else None
        stages = pipeline.settled(builder, lambda: pipeline.goals(goal))
        with ThreadPoolExecutor(context.settings.jobs, thread_name_prefix="stage") as executor:
            entries = builder.build(stages, executor, faults=faults)
            if fills:
                with output.mine():
                    if goal == "package" and not faults:  # a joint image needs all of them
                        entries |= builder.build(pipeline.joint(builder), executor)
                    brought = _fill(pipeline, output, goal, entries, key)
                    brought += output.write_report(context.events)
        if fills and context.events.any:
            found = fixes.warn(pipeline, goal)
            if found is not None and goal == "package":
                fixes.write_vex(pipeline, output, found)
    if faults:
        raise errors.SeveralFailed(faults)
    lines = list(context.report.lines)
    context.report.say(f"{goal}: done in {duration(time.monotonic() - started)}")
    if context.events.any or context.runner.started or goal == "sdk":
        return None  # the links of `sdk` are not remembered
    others = [
        target
        for target in context.defaults
        if goal == "package" and target not in selection.targets
    ]
    return Found(
        lines=lines,
        entries=[entry.folder for entry in entries.values()],
        asked=[*pipeline.images(builder, others)],
        brought=brought,
    )


def _paths(context: Context, selection: Selection) -> list[str]:
    """Where a run can put something in `dist/`."""
    names = [target.name for target in selection.targets]
    possible = artifacts.every(names, selection.services, context.boards.values())
    links = [f"toolchains/{name}/env.sh" for name in names]
    archive = f"{artifacts.APT}/{apt_archive.RELEASE}"
    made = (archive, report_page.FILE, timeline.FILE)
    return [*(artifact.destination for artifact in possible), *links, *made]


def _warn_of_baselines(context: Context, targets: Iterable[Target]) -> None:
    """Say before an hour of building what verification would say after it."""
    known = {name for entry in allowed_code() for name in entry.baselines}
    for target in targets:
        if target.baseline and target.baseline not in known:
            context.report.note(
                f"{target.name}: muslin/audit/allowed.toml has no entry for {target.baseline}: "
                "code of musl, libgcc or OpenSSL that looks at the processor first will be refused "
                "in the end, with the entries to write"
            )


def _fill(
    pipeline: Pipeline,
    output: Output,
    goal: Goal,
    entries: Mapping[str, Entry],
    key: Key | None,
) -> list[Path]:
    """Bring what was built to `dist/`; the paths."""
    selection, boards = pipeline.selection, pipeline.context.boards.values()
    names = [target.name for target in selection.targets]
    products: Iterable[Artifact] = ()
    if goal == "package":
        products = (
            *artifacts.of_services(names, pipeline.contents()),
            *artifacts.of_bills(names, selection.services if pipeline.catalog().has_bills else ()),
        )
    elif goal == "packages":
        products = artifacts.of_packages(names, pipeline.linked())
    elif goal == "sdk":
        contains = pipeline.catalog().verifications.components_of_sdk()
        products = artifacts.of_toolchains(names, contains)
    reports = artifacts.of_reports(names, selection.services, boards)
    done = output.publish(
        [*products, *reports],
        entries,
        source_set=pipeline.pins.name,
        driver=pipeline.catalog().driver,
    )
    if goal == "package":
        output.note_licences(done, pipeline.context.settings.licences)
    if goal == "sdk":
        output.link_toolchains(selection.targets, entries)
    if goal == "packages":
        done += output.archive_packages(key)
    return done
