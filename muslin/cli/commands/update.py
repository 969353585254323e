"""Move every pin, or the named ones, to the newest of its series; a new name gets a pin."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from muslin import installation
from muslin.cli import errors as cli_errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.cache import layout
from muslin.models import declaration, errors, pins
from muslin.models.pin_files import BUILDER_WHEELS, PIP, PinSet
from muslin.sources import relock, relock_upstream, relock_wheels, upstream

WHEELS = Path(BUILDER_WHEELS).stem
"""The name by which the wheels of the builder image move."""
SETS = ("debian", upstream.NAME)


def parser() -> Parser:
    options = Parser("update", __doc__, examples=("", "openssl", "--sources upstream"))
    options.add_argument("components", nargs="*", metavar="COMPONENT", help="names of pins")
    options.add_argument(
        "--sources", default=SETS[0], metavar="SET", help="the set whose pins move: %(default)s"
    )
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Move the pins to what the archive has now, or to releases with a record."""
    if options.sources not in SETS:
        raise errors.Unknown("source set", options.sources, SETS)
    if options.sources == upstream.NAME:
        _upstream(context, options.components or relock_upstream.AS_RELEASED)
        return
    if not installation.IS_CHECKOUT and context.pins.is_relative_to(installation.ROOT):
        raise cli_errors.PinsOfInstallation(context.pins)
    names = [name for name in options.components if name != WHEELS]
    new: list[str] = []
    with context.at_work(), context.report.busy("archive"):
        if names or not options.components:
            new = relock.relock(
                context.pins,
                context.archive,
                context.report.note,
                host=context.archive.host,
                obtain=context.fetcher.fetch,
                names=names,
            )
        if names != options.components or not options.components:
            _wheels(context)
    for name in new:
        context.report.say(f"{name} has a pin now; write its licence where it says NOASSERTION")
    context.report.say("done; `git diff recipes/pins` shows what moved")


def _wheels(context: Context) -> None:
    """Move the wheels of the builder image, found by the pip that is pinned now."""
    run_lock = context.settings.cache / layout.RUN_LOCK
    (pip,) = pins.load(context.pins, run_lock, host=context.archive.host).group(PIP)
    relock_wheels.move(
        context.pins / BUILDER_WHEELS,
        context.index,
        context.report.note,
        pip=pip,
        obtain=context.fetcher.fetch,
    )


def _upstream(context: Context, names: Sequence[str]) -> None:
    path = context.pins / "upstream.toml"
    debian = declaration.read(path.with_name("debian.toml"), PinSet)
    with context.at_work(), context.report.busy("archive"):
        lines = relock_upstream.moved(path, debian, context.archive, names=names)
    for line in lines:
        context.report.say(line)
    if any("->" in line for line in lines):
        context.report.say("find a second record of each digest: tests/data/records.toml wants it")
