"""The engine with nothing to do: against an empty Nox session, and against ninja."""

from __future__ import annotations

import io
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.timing import NOX, Pair, command, environment, in_turns, installed
from muslin.engine.builder import Builder
from muslin.engine.cache.history import History
from muslin.engine.cache.store import Store
from muslin.engine.console import Report
from muslin.engine.events import Events
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.key import Keys
from muslin.engine.process.runner import Runner
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import Write
from tests.archive import archive

EMPTY = """\
import nox

nox.options.reuse_existing_virtualenvs = True


@nox.session(venv_backend="none")
def empty(session: nox.Session) -> None:
    \"\"\"Nothing.\"\"\"
"""
STAGES, WIDTH = 500, 20
"""Stages of the graph, and how many stand side by side; each needs three of the row below."""


def nothing_to_do(project: Path, times: int) -> Pair:
    """`build-all` where everything is there, and a session that does nothing."""
    with tempfile.TemporaryDirectory() as aside:
        (Path(aside) / "noxfile.py").write_text(EMPTY)
        ours, theirs = in_turns(
            command((*NOX, "-s", "build-all"), cwd=project, env=environment()),
            command((*NOX, "-s", "empty"), cwd=Path(aside), env=environment()),
            times=times,
        )
    return Pair(
        what="`nox -s build-all` with nothing to do, to an empty Nox session",
        how="`python -m nox -s build-all`, `python -m nox -s empty`",
        ours=ours,
        theirs=theirs,
        at_most=1.6,
    )


def many_stages(times: int) -> list[Pair]:
    """A graph of cached stages through the engine, and one of the same shape through ninja."""
    with tempfile.TemporaryDirectory() as aside, _builder(Path(aside) / "cache") as builder:
        with builder.store.in_use(), ThreadPoolExecutor(2) as executor:
            builder.build(_graph()[-1], executor)

        def looked(goals: Callable[[], list[Stage]]) -> float:
            began = time.perf_counter()
            with ThreadPoolExecutor(2) as executor:
                # As a new run does it: the graph made anew, no key known.
                Builder(**{**vars(builder), "keys": Keys(_HOST)}).build(goals(), executor)
            return time.perf_counter() - began

        folder = Path(aside) / "ninja"
        _ninja_files(folder)
        ninja = installed("ninja")
        subprocess.run([ninja], cwd=folder, check=True, capture_output=True)
        last, every, theirs = in_turns(
            lambda: looked(lambda: _graph()[-1]),
            lambda: looked(lambda: [stage for row in _graph() for stage in row]),
            command((ninja,), cwd=folder, env=environment()),
            times=times,
        )
    how = "`Builder.build` in a process that runs already, keys and graph made anew; `ninja`"
    return [
        Pair(
            what=f"{STAGES} cached stages, to ninja's no-op on the same graph: {asked}",
            how=how,
            ours=ours,
            theirs=theirs,
            at_most=5,
        )
        for asked, ours in (
            (f"the {WIDTH} last ones asked for, all keys made, those {WIDTH} looked at", last),
            ("each asked for and looked at", every),
        )
    ]


_HOST = Host(machine="x86_64", libc="glibc")


def _graph() -> list[list[Stage]]:
    """Rows of stages; nothing is made of the last one, ninja's default targets."""
    rows: list[list[Stage]] = []
    for row in range(STAGES // WIDTH):
        below = rows[-1] if rows else []
        rows.append(
            [
                Stage(
                    name=f"stage-{row}-{at}",
                    needs=tuple(
                        (f"n{step}", below[(at + step) % WIDTH]) for step in range(3) if below
                    ),
                    steps=(Write(path="${out}/text", text=f"{row} {at}"),),
                    runs_on="target",
                )
                for at in range(WIDTH)
            ]
        )
    return rows


def _ninja_files(folder: Path) -> None:
    folder.mkdir()
    lines = ["rule touch", "  command = touch $out"]
    for row in range(STAGES // WIDTH):
        for at in range(WIDTH):
            needs = [f"{row - 1}-{(at + step) % WIDTH}" for step in range(3) if row]
            lines.append(f"build {row}-{at}: touch {' '.join(needs)}")
    (folder / "build.ninja").write_text("\n".join((*lines, "")))


@contextmanager
def _builder(cache: Path) -> Iterator[Builder]:
    cache.mkdir()
    report, runner, store = Report(io.StringIO()), Runner(2), Store(cache)
    try:
        yield Builder(
            store=store,
            runner=runner,
            fetcher=Fetcher(
                cache / "downloads",
                archive=archive(cache / "archive"),
                progress=report,
                cancelled=runner.stopping,
            ),
            report=report,
            history=History(cache / "history"),
            keys=Keys(_HOST),
            events=Events(cache / "runs"),
            logs=cache / "logs",
            memory=0,
            provenance={},
        )
    finally:
        report.close()
        runner.close()
