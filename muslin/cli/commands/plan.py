"""Show every stage, whether it is in the cache, and its key; builds nothing."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from muslin.cli import crates, stage_table
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.engine.builder import Builder
from muslin.engine.scheduler import Planned, State
from muslin.models import errors


def parser() -> Parser:
    options = Parser("plan", __doc__, examples=("armv6", "--why gcc-armv6", "armv6 --json"))
    options.add_selection()
    forms = options.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print JSON")
    forms.add_argument("--graph", action="store_true", help="print a graph for Graphviz")
    forms.add_argument("--why", default="", metavar="STAGE", help="say why a stage is rebuilt")
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Show every stage, whether it is found or to be built, and what that will take."""
    report = context.report
    if options.json or options.graph:
        report.divert()
    pipeline = Pipeline(context, crates.selected(context, options))
    builder = pipeline.builder()
    with context.store.in_use():
        if options.why:
            _explain(pipeline, builder, options.why)
            return
        planned = _planned(pipeline, builder)
    if options.json:
        report.data(json.dumps(stage_table.as_data(planned), indent=1) + "\n")
        return
    if options.graph:
        report.data(stage_table.as_dot(planned, builder.keys.of))
        return
    report.table("", stage_table.HEAD, stage_table.rows(planned.values()))
    report.say(stage_table.total(planned.values(), context.settings.jobs))
    for line in pipeline.pins.notes:
        report.note(line)


def _planned(pipeline: Pipeline, builder: Builder) -> dict[str, Planned]:
    """Every stage of the targets, those too that a run would not look at, dependencies first; of
    other targets, whose images a joint one holds too, nothing but what is to be done."""
    indexes = pipeline.joint(builder)
    names = {"", *(target.name for target in pipeline.selection.targets)}
    planned = builder.plan([*pipeline.goals("package"), *indexes])
    every = dict[str, Planned]()
    for stage in pipeline.everything(indexes):
        key = builder.keys.of(stage.stage)
        known = planned.get(key)
        if stage.stage.target not in names and (known is None or known.state == "found"):
            continue
        if known is None:
            state: State = "found" if builder.has(stage.stage) else "not needed"
            known = replace(stage, key=key, state=state)
        every[key] = known
    return every


def _explain(pipeline: Pipeline, builder: Builder, name: str) -> None:
    report, store = pipeline.context.report, pipeline.context.store
    every = pipeline.everything(pipeline.joint(builder, quiet=True))
    stages = {planned.stage.name: planned.stage for planned in every}
    if name not in stages:
        raise errors.Unknown("stage", name, stages)
    stage, last = stages[name], pipeline.context.history.last(name)
    if builder.has(stage):
        report.say(f"{name} is found: it is in the cache as it is wanted, checks passed")
        return
    if store.find(builder.keys.of(stage)) is not None:
        report.say(f"{name} is in the cache as it is wanted; new checks of it are to run")
        return
    if last is None:
        report.say(f"{name}: this cache knows of no earlier build")
        return
    aliases = {alias: need.name for alias, need in stage.needs}
    lines = stage_table.differences(last, builder.keys.document(stage), aliases)
    if not lines:
        report.say(f"{name}: nothing differs from its last build; it has left the cache")
        return
    report.say(f"{name} differs from its last build in {len(lines)} field(s):")
    for line in lines:
        report.say(f"  {line}")
