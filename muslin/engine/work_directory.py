"""The folders that a stage works in, and what it sees there."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from muslin.engine import errors
from muslin.engine.cache import store
from muslin.engine.cargo import config
from muslin.engine.filesystem import atomic, walk
from muslin.engine.filesystem.content import file_digest
from muslin.engine.process.runner import (
    BASE_ENVIRONMENT,
    HOST_PATH,
    Runner,
    network_environment,
)
from muslin.engine.process.termination import MARK, end_leftovers
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import Tree
from muslin.engine.stage import Stage

SHOWN = ("need", "tool", "judge", "source", "out")
"""Placeholders, up to their alias, whose paths a stage's programs see."""


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


def sandbox(
    stage: Stage, *, work: Path, log: Path, runner: Runner, values: Mapping[str, str]
) -> Sandbox:
    """What a stage sees in its folder; `values` are the placeholders beyond everybody's."""
    made = Sandbox(
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
        readable=tuple(
            Path(value)
            for name, value in values.items()
            if name.partition(".")[0] in SHOWN and not Path(value).is_relative_to(work)
        ),
        network=stage.network,
    )
    made.environment = _environment(stage, made)
    return made


def _environment(stage: Stage, sandbox: Sandbox) -> dict[str, str]:
    """Exactly this, whatever the user's own is."""
    folders = (*stage.path, *(f"${{tool.{alias}}}/bin" for alias, _ in stage.tools))
    return {
        **BASE_ENVIRONMENT,
        **({**config.credentials(), **network_environment()} if stage.network else {}),
        **{name: sandbox.expand(value) for name, value in stage.env},
        "PATH": ":".join([*map(sandbox.expand, folders), HOST_PATH]),
        "TMPDIR": str(sandbox.work),
        # A repository that the cache lies in is nobody's business.
        "GIT_CEILING_DIRECTORIES": f"{sandbox.work.parent}:{sandbox.work.parents[1] / 'scratch'}",
        MARK: str(sandbox.work),
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


def lay_out(tree: Tree, folder: Path) -> Path:
    """A copy of the project's own files, as they were when the keys were made; all of one age, so
    that make takes none of them for older than what it was made from."""
    now = time.time()
    for file in (*tree.files, *tree.also):
        to = folder / file.path
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            walk.insist_file(tree.root / file.path)
            shutil.copyfile(tree.root / file.path, to)
        except (FileNotFoundError, errors.NotAFile) as error:
            raise errors.SourceChanged(tree.root / file.path) from error
        if file_digest(to) != file.sha256:
            raise errors.SourceChanged(tree.root / file.path)
        to.chmod(0o755 if file.executable else 0o644)
        os.utime(to, (now, now))
    return folder
