"""Shrink the cache to a size, or read every file in it: `10GB`, `--verify`."""

from __future__ import annotations

import argparse
import re

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.cache import gc
from muslin.engine.cache.store import Store
from muslin.engine.console import Report, size

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
DEFAULT_LIMIT = 20 * 10**9


def parser() -> Parser:
    options = Parser("gc", __doc__, examples=("", "10GB", "--dry-run 10GB", "--verify"))
    options.add_argument(
        "size", nargs="?", default="", metavar="SIZE", help="at most this: 10GB; 20GB by default"
    )
    options.add_argument("--dry-run", action="store_true", help="say what would go")
    options.add_argument("--verify", action="store_true", help="read every file, remove damaged")
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Remove what was used longest ago until the cache fits; `--verify` removes what is damaged.

    Raises `CacheInUse` while a run is at work, `BadSize`.
    """
    store, report = context.store, context.report
    if options.verify:
        _verify(store, report)
        return
    limit, dry = _bytes_of(options.size), options.dry_run
    with report.busy("clean-up"):
        gone = gc.collect(store, limit, dry=dry)
    for held in gone:
        report.stage_line(held.name, "would go" if dry else "gone", size(held.bytes))
    left = sum(held.bytes for held in gc.held(store))
    left -= sum(held.bytes for held in gone) if dry else 0
    report.say(f"{'would leave' if dry else 'the cache has'} {size(left)} of at most {size(limit)}")


def _verify(store: Store, report: Report) -> None:
    with report.busy("verify"):
        faults = store.drop_damaged()
    for key, fault in faults.items():
        report.damaged(key[:12], fault)
    report.say(f"every file was read: {len(faults)} damaged entries")


def _bytes_of(text: str) -> int:
    """`10GB` -> bytes; none is the default limit."""
    if not text:
        return DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+)\s*(MB|GB|TB)", text, re.IGNORECASE)
    if match is None:
        raise errors.BadSize(text)
    return int(match[1]) * UNITS[match[2].upper()]
