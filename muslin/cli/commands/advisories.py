"""List security fixes that the pins lack, by the archive's changelogs."""

from __future__ import annotations

import argparse
import json

from muslin.cli import errors, fixes
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline


def parser() -> Parser:
    options = Parser("advisories", __doc__, examples=("", "--offline --json"))
    options.add_argument("--json", action="store_true", help="print JSON")
    options.add_argument(
        "--offline", action="store_true", help="take what the archive said before, ask nothing"
    )
    options.add_argument("--sources", default="", metavar="SET", help="upstream or debian")
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Show every fix that the pins lack, and series without support.

    Raises `FixesLacking` where something is open and the policy is `fail`; `ArchiveUnreachable`,
    or `NotAsked` with `--offline` in a cache that knows nothing.
    """
    if options.json:
        context.report.divert()
    pipeline = Pipeline(context, context.select(sources=options.sources))
    with context.at_work():
        found = fixes.lacking(pipeline, offline=options.offline)
        fixes.write_vex(pipeline, context.output(), found)
    if options.json:
        context.report.data(json.dumps(found.as_data(), indent=1) + "\n")
    else:
        for line in found.lines():
            context.report.say(line)
    if found.summary and context.settings.advisories == "fail":
        raise errors.FixesLacking(found.summary)
