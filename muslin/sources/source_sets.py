"""Which source set a run takes, and which driver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from muslin import installation
from muslin.engine import errors as engine_errors
from muslin.engine import host
from muslin.engine.cache import layout
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.filesystem import atomic
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models.pins import Pins
from muslin.models.settings import DRIVERS, Driver, Settings
from muslin.sources import errors as source_errors
from muslin.sources import upstream

AUTO = "auto"


def load(said: str, settings: Settings, archive: Archive, note: Callable[[str], None]) -> Pins:
    """The pins of a source set. `auto` takes `debian`, the one set that was proven by real builds.

    Raises `Unknown` for a name that is none.
    """
    folder, host_name = installation.pins(settings.project), archive.host
    run_lock = settings.cache / layout.RUN_LOCK
    drop_if_damaged(run_lock, note)
    debian = source.load(folder, run_lock, host=host_name)
    if said in (AUTO, debian.name):
        return debian
    if said != upstream.NAME:
        raise model_errors.Unknown("source set", said, (AUTO, debian.name, upstream.NAME))
    machine = host.host().machine
    return upstream.load(folder, run_lock, host=host_name, machine=machine, mirror=settings.mirror)


def drop_if_damaged(run_lock: Path, note: Callable[[str], None]) -> None:
    """Remove a run lock that is not what was written, with a note: what it says is asked again."""
    try:
        source.remembered(run_lock)
    except engine_errors.CacheDamaged as error:
        atomic.remove(run_lock)
        note(f"{error.fault}; it was removed, and the archive is asked again")


def driver(said: str, pins: Pins) -> Driver:
    """What makes the toolchains.

    Raises `Unknown` for a name that is no driver's, `DriverWantsUpstream`.
    """
    if said == AUTO:
        return "musl-cross-make" if pins.name == upstream.NAME else "builtin"
    if said == "musl-cross-make" and pins.name != upstream.NAME:
        raise source_errors.DriverWantsUpstream(said, pins.name)
    for name in DRIVERS:
        if said == name:
            return name
    raise model_errors.Unknown("driver", said, (AUTO, *DRIVERS))
