"""Which source set a run takes: the one that was asked for, or the first that can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import filelock

from muslin import errors
from muslin.engine import host as doctor
from muslin.engine import inputs
from muslin.engine.cache import layout
from muslin.engine.console import Report
from muslin.engine.fetch import reachability
from muslin.engine.fetch.apt.client import Apt
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.source import Url
from muslin.models import pins as source
from muslin.models.pins import Pins
from muslin.models.settings import DRIVERS, Driver, Settings
from muslin.sources import upstream
from muslin.sources.upstream import UpstreamPins

AUTO = "auto"
PROBE_SECONDS = 5.0
"""What each address is given to answer."""
"""A file in the cache: a cache stays with its set, or every stage would be built twice."""

Lacks = Callable[[], str]
"""Why a set cannot be reached; empty if it can."""


def load(said: str, settings: Settings, apt: Apt, report: Report) -> Pins:
    """The pins of the source set that was asked for, or can be reached; raises as `choose`."""
    folder, host = settings.project / "recipes" / "pins", apt.host
    run_lock = settings.cache / layout.RUN_LOCK
    drop_if_damaged(run_lock, report.note)
    debian = source.load(folder, run_lock, host=host)

    def from_upstream() -> UpstreamPins:
        machine = doctor.host().machine
        return upstream.load(folder, run_lock, host=host, machine=machine, mirror=settings.mirror)

    def lacks_upstream() -> str:
        musl = from_upstream().source("musl")  # the smallest
        places = [origin.address for origin in musl.origins if isinstance(origin, Url)]
        with report.busy("looking for a source set"):
            return reachability.lacks(places, PROBE_SECONDS)

    sets = {upstream.NAME: lacks_upstream, debian.name: lambda: apt.lacks(debian.suite)}
    chosen = choose(said, sets, settings.cache, report.note)
    return debian if chosen == debian.name else from_upstream()


def choose(said: str, sets: Mapping[str, Lacks], cache: Path, note: Callable[[str], None]) -> str:
    """The name of a set.

    Raises `Unknown` for a name that is none, `NoSourceSet` where none can be reached.
    """
    if said != AUTO:
        if said not in sets:
            raise errors.Unknown("source set", said, (AUTO, *sets))
        return said
    remembered = cache / layout.SOURCE_SET
    with filelock.FileLock(cache / f".{layout.SOURCE_SET}.lock"):  # or two runs might choose two
        return _first(sets, remembered, note)


def drop_if_damaged(run_lock: Path, note: Callable[[str], None]) -> None:
    """Remove a run lock that is not what was written, with a note: what it says is asked again."""
    try:
        source.remembered(run_lock)
    except errors.CacheDamaged as error:
        atomic.remove(run_lock)
        note(f"{error.fault}; it was removed, and the archive is asked again")


def _first(sets: Mapping[str, Lacks], remembered: Path, note: Callable[[str], None]) -> str:
    try:
        name = atomic.read(inputs.file(remembered)).decode(errors="replace").strip()
        if name in sets:
            return name
        note(f"{remembered} is damaged: {name!r} is no source set; one is chosen again")
    except FileNotFoundError:
        pass
    except DamagedError as error:
        note(f"{remembered} is damaged: {error}; a source set is chosen again")
    faults: dict[str, str] = {}
    for name, lacks in sets.items():
        if fault := lacks():
            faults[name] = fault
            continue
        why = "".join(f"; {other} cannot be had: {fault}" for other, fault in faults.items())
        note(f"sources: {name}{why}. This cache stays with it; MUSLIN_SOURCES says otherwise")
        atomic.write(remembered, f"{name}\n")
        return name
    raise errors.NoSourceSet(faults)


def driver(said: str, pins: Pins) -> Driver:
    """What makes the toolchains.

    Raises `Unknown` for a name that is no driver's, `DriverWantsUpstream`.
    """
    if said == AUTO:
        return "musl-cross-make" if pins.name == upstream.NAME else "builtin"
    if said == "musl-cross-make" and pins.name != upstream.NAME:
        raise errors.DriverWantsUpstream(said, pins.name)
    for name in DRIVERS:
        if said == name:
            return name
    raise errors.Unknown("driver", said, (AUTO, *DRIVERS))
