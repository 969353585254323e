"""The folders that a stage works in, and what it sees there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from muslin import errors
from muslin.engine import cargo_config
from muslin.engine.cache import store
from muslin.engine.filesystem import atomic, walk
from muslin.engine.process.runner import (
    BASE_ENVIRONMENT,
    HOST_PATH,
    Runner,
    network_environment,
)
from muslin.engine.process.termination import MARK, end_leftovers
from muslin.engine.sandbox import Site
from muslin.engine.stage import Stage


@contextmanager
def emptied(work: Path, *, keep: bool = True) -> Iterator[Path]:
    """An empty folder of the stage's own, gone afterwards; kept for a look if the stage failed,
    unless it may hold what is nobody's business."""
    if os.path.lexists(work):
        end_leftovers(work)
        store.remove(work)
    work.mkdir()
    try:
        yield work
    except BaseException:
        if not keep:
            store.remove(work)
        raise
    store.remove(work)


def site(stage: Stage, *, work: Path, log: Path, runner: Runner, values: Mapping[str, str]) -> Site:
    """What a stage sees in its folder; `values` are the placeholders beyond everybody's."""
    place = Site(
        stage=stage.name,
        work=work,
        log=log,
        runner=runner,
        values={
            "work": str(work),
            "jobs": str(runner.jobs),
            "python": sys.executable,
            **values,
        },
        environment={},
        writable=(work, *((Path(values["scratch"]),) if stage.scratch else ())),
    )
    place.environment = _environment(stage, place)
    return place


def _environment(stage: Stage, place: Site) -> dict[str, str]:
    """Exactly this, whatever the user's own is."""
    folders = (*stage.path, *(f"${{tool.{alias}}}/bin" for alias, _ in stage.tools))
    return {
        **BASE_ENVIRONMENT,
        **({**cargo_config.credentials(), **network_environment()} if stage.network else {}),
        **{name: place.expand(value) for name, value in stage.env},
        "PATH": ":".join([*map(place.expand, folders), HOST_PATH]),
        "TMPDIR": str(place.work),
        # A repository that the cache lies in is nobody's business.
        "GIT_CEILING_DIRECTORIES": f"{place.work.parent}:{place.work.parents[1] / 'scratch'}",
        MARK: str(place.work),
    }


def keep_if_past(folder: Path) -> None:
    """See that a folder kept between runs is there, and empty if anything in it is of the future
    or lies too deep to be looked at.

    The clock was set back then. Programs such as cargo would take what they made before for newer
    than a file that changed since.
    """
    if folder.exists() and not _is_past(folder, time.time()):
        store.remove(folder)
    atomic.folder(folder)


def _is_past(folder: Path, now: float) -> bool:
    """Whether everything below a folder was written before a time, seconds since 1970."""
    try:
        return all(
            entry.stat(follow_symlinks=False).st_mtime <= now
            for entry in walk.entries(folder)
            if not entry.is_dir(follow_symlinks=False)
        )
    except errors.TooDeep:
        return False
