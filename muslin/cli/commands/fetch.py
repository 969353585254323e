"""1. Download and verify every source and crate."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

from muslin.cli import crates
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.engine.builder import sources
from muslin.engine.console import size


def parser() -> Parser:
    options = Parser("fetch", __doc__, examples=("armv6",))
    options.add_selection()
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Download what the targets need, built or not."""
    fetch(Pipeline(context, crates.selected(context, options)))


def fetch(pipeline: Pipeline) -> None:
    """Download every source and crate that a selection needs."""
    context = pipeline.context
    with context.at_work():
        builder = pipeline.builder()
        while pipeline.settle(pipeline.everything()):
            pass
        wanted = sources(pipeline.everything()).values()
        for source, path in context.fetcher.fetch_all(wanted):
            context.report.stage_line(source.name, "fetched", f" {size(path.stat().st_size)}")
        with ThreadPoolExecutor(context.settings.jobs) as executor:
            builder.build(pipeline.catalog().rust.all_crates(), executor)
