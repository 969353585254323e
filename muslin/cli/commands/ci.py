"""Write files by which a forge builds it all: `github` or `gitlab`."""

from __future__ import annotations

import argparse

from muslin.cli import forges
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.models.target import Target


def parser() -> Parser:
    options = Parser("ci", __doc__, examples=("github", "gitlab armv6 x86_64"))
    options.add_argument("forge", nargs="?", default="", metavar="FORGE", help="github or gitlab")
    options.add_targets()
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Write the files; raises `Unknown` for another forge, `TooManyCaches`."""
    targets = context.targets_of(options.targets)
    longest = max(longest_job(context, target) for target in targets)
    names = [target.name for target in targets]
    for path, text in forges.files(options.forge, names, longest).items():
        file = context.settings.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        context.report.say(f"{path} is written")


def longest_job(context: Context, target: Target) -> int:
    """Minutes that a job which builds a target from nothing may take."""
    pipeline = Pipeline(context, context.select([target.name]))
    return forges.minutes(planned.stage for planned in pipeline.everything())
