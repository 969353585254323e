"""Give what the cache has of these targets to the shared store; builds give what they built."""

from __future__ import annotations

import argparse

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline


def parser() -> Parser:
    options = Parser("share", __doc__, examples=("armv6", "armv6 --service hello-c"))
    options.add_selection()
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Push every entry that was built here and has passed its checks, and build nothing.

    Raises `NothingToShareWith`, and what is wrong with the settings.
    """
    pipeline = Pipeline(context, context.selected(options))
    with context.at_work():
        builder = pipeline.builder(shares=True)
        sharing, keys = builder.sharing, builder.keys
        if sharing is None or sharing.terms.key is None:
            raise errors.NothingToShareWith
        sharing.prepare()
        count = 0
        with builder.pushing():
            for stage in (planned.stage for planned in pipeline.everything()):
                if not stage.shared or not builder.has(stage):
                    continue
                entry = context.store.find(keys.of(stage), digests=True)
                if entry is not None and not entry.record.restored_from:
                    sharing.push(stage, entry, keys)
                    count += 1
            there = sharing.finish()
        context.report.say(f"the shared store has {there} of {count} stages that were built here")
