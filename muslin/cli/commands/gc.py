"""The session `gc`: shrink the cache to a size, or read every file in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from muslin import errors
from muslin.cli import options as arguments
from muslin.engine.cache import gc
from muslin.engine.cache.store import Store
from muslin.engine.console import Report, size

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
DEFAULT_LIMIT = 20 * 10**9


def collect(store: Store, report: Report, words: Sequence[str]) -> None:
    """Remove what was used longest ago until the cache fits; `--verify` removes what is damaged.

    Raises `CacheInUse` while a run is at work.
    """
    names, options = arguments.split("gc", words, flags=("--dry-run", "--verify"))
    if "--verify" in options:
        _verify(store, report)
        return
    limit, dry = _bytes_of(names), "--dry-run" in options
    with report.busy("clean-up"):
        gone = gc.collect(store, limit, dry=dry)
    for one in gone:
        report.stage_line(one.name, "would go" if dry else "gone", size(one.bytes))
    left = sum(one.bytes for one in gc.held(store)) - (sum(one.bytes for one in gone) if dry else 0)
    report.say(f"{'would leave' if dry else 'the cache has'} {size(left)} of at most {size(limit)}")


def _verify(store: Store, report: Report) -> None:
    with report.busy("verify"):
        faults = store.drop_damaged()
    for key, fault in faults.items():
        report.damaged(key[:12], fault)
    report.say(f"every file was read: {len(faults)} damaged entries")


def _bytes_of(words: Sequence[str]) -> int:
    """`10GB` -> bytes; none is the default limit."""
    if not words:
        return DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+)\s*(MB|GB|TB)", words[0], re.IGNORECASE)
    if match is None:
        raise errors.BadSize(words[0])
    return int(match[1]) * UNITS[match[2].upper()]
