"""Runs that end before their time, and runs that meet: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from muslin.engine.process.termination import MARK
from tests.e2e import test_leftovers
from tests.e2e.bench import PROJECT, Bench

PATIENCE = 300.0
"""Seconds to wait for something on a machine that may be very busy."""
SOON = 60.0
"""Seconds within which a stopped run must be gone; what it started sleeps for longer."""

RUN = """\
import signal
import sys
from pathlib import Path
from muslin.errors import PipelineError
from muslin.engine.console import Report
from muslin.engine.process import landlock
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Run
from muslin.cli import build
from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from tests.e2e.bench import shell, stage, text

here = Path.cwd()
signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run in the background
landlock.abi = lambda: -1  # scripts of stages meet in the project's folder
{stages}

Pipeline.goals = lambda *_: GOALS
context = Context(here, Report())
try:
    build.build(context, context.select(), "toolchain")
except PipelineError as error:
    sys.exit(f"error: {{error}}")
"""
"""A session as nox runs it, on a graph of ours."""

GRANDCHILDREN = """\
switch, ready = here / "switch", here / "ready"
script = (
    f"test -f {switch} && exit 0; "
    f"sleep 1000 & echo $! >{ready}.new; mv {ready}.new {ready}; sleep 1000"
)
GOALS = [stage("family", Run(argv=("sh", "-c", script))), text("quick")]
"""


DAEMON = """\
switch, ready, daemon = here / "switch", here / "ready", here / "daemon.py"
script = (
    f"test -f {switch} && exit 0; {sys.executable} {daemon} {ready} 0; sleep 1000"
)
GOALS = [stage("family", Run(argv=("sh", "-c", script)))]
"""
"""Something in a session and an environment of its own, and a program that goes on."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project whose runs go to a cache of their own; nothing of them outlives the test."""
    (tmp_path / "toolchains").symlink_to(PROJECT / "toolchains")
    tool = '[tool.muslin]\ntargets = ["x86_64"]\nservices = []\n'
    (tmp_path / "pyproject.toml").write_text(tool)
    yield tmp_path
    for process in at_work(tmp_path):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@contextmanager
def started(project: Path, stages: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, ended on the way out."""
    env = {"MUSLIN_CACHE": str(project / "cache"), "MUSLIN_JOBS": "2", "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN.format(stages=stages)],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out
    return out


def until(condition: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def at_work(project: Path) -> list[int]:
    """Processes, other than zombies, that a stage of this project's cache started."""
    wanted = f"{MARK}={project / 'cache'}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environ.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(variable.startswith(wanted) for variable in variables):
            found.append(int(environ.parent.name))
    return found


ODD = """
GOALS = [
    stage("odd", shell("until ls ../*/beside; do sleep 0.05; done; mkfifo out/fifo")),
    stage("beside", shell("touch beside; sleep 1000")),
]
"""


def test_a_run_that_meets_a_fifo_ends_by_itself_with_all_it_started(project: Path) -> None:
    with started(project, ODD) as run:
        out, _ = run.communicate(timeout=PATIENCE)
        assert run.returncode == 1
        assert "out/fifo is a FIFO and no file" in out
        assert "Traceback" not in out
        assert not at_work(project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_run_ends_at_once_with_all_it_started(
    project: Path, number: signal.Signals
) -> None:
    with started(project, GRANDCHILDREN) as run:
        until((project / "ready").exists)
        until(lambda: len(at_work(project)) == 3)
        until(lambda: any((project / "cache" / "history").glob("quick*")))
        began = time.monotonic()
        run.send_signal(number)
        out, _ = run.communicate(timeout=PATIENCE)
        assert time.monotonic() - began < SOON
        assert run.returncode == 1
        assert f"error: stopped by {number.name} while building family; what was finished is" in out
        assert "Traceback" not in out
        assert not at_work(project)
    (project / "switch").touch()
    with started(project, GRANDCHILDREN) as run:
        out = finished(run)
    assert "2 stages: 1 found, 1 to do" in out
    assert "toolchain: done" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_daemon_ends_with_a_stopped_run(project: Path, number: signal.Signals) -> None:
    (project / "daemon.py").write_text(test_leftovers.DAEMON)
    with started(project, DAEMON) as run:
        until((project / "ready").exists)
        run.send_signal(number)
        out, _ = run.communicate(timeout=PATIENCE)
        assert f"error: stopped by {number.name}" in out
    assert not test_leftovers.lives(int((project / "ready").read_text()))


def test_a_daemon_that_a_killed_run_left_is_ended_by_the_next(project: Path) -> None:
    """It has not the mark of a stage any more; the program that it is of has."""
    (project / "daemon.py").write_text(test_leftovers.DAEMON)
    with started(project, DAEMON) as run:
        until((project / "ready").exists)
        number = int((project / "ready").read_text())
        run.kill()
        run.wait(PATIENCE)
    assert test_leftovers.lives(number), "nobody ended it, which is what this test is about"
    (project / "switch").touch()
    with started(project, DAEMON) as again:
        finished(again)
    assert not test_leftovers.lives(number)


def test_impatience_changes_nothing(project: Path) -> None:
    """Ctrl-C a second and a third time while the run is ending already."""
    stages = GRANDCHILDREN.replace("sleep 1000", "sh -c 'trap : TERM INT; sleep 1000; sleep 1000'")
    with started(project, stages) as run:
        until((project / "ready").exists)
        for _ in range(3):
            run.send_signal(signal.SIGINT)
            time.sleep(0.1)
        out, _ = run.communicate(timeout=PATIENCE)
        assert "error: stopped by SIGINT" in out
        assert "Traceback" not in out
        assert not at_work(project)


def test_what_a_killed_run_left_is_ended_by_the_next(project: Path) -> None:
    with started(project, GRANDCHILDREN) as run:
        until((project / "ready").exists)
        until(lambda: len(at_work(project)) == 3)
        run.kill()
        run.wait(PATIENCE)
        assert len(at_work(project)) == 3, "nobody ended them, which is what this test is about"
        (project / "switch").touch()
        with started(project, GRANDCHILDREN) as again:
            out = finished(again)
        assert "family" in out
        until(lambda: not at_work(project), seconds=SOON)


TOGETHER = """\
script = f"echo $$ >>{here}/builders; until test -f {here}/both; do sleep 0.05; done"
GOALS = [stage("shared", Run(argv=("sh", "-c", script)))]
"""


def test_two_runs_build_a_stage_once(project: Path) -> None:
    with started(project, TOGETHER) as one:
        until((project / "builders").exists)
        with started(project, TOGETHER) as two:
            assert two.stdout is not None
            lines = iter(two.stdout.readline, "")
            heard = next(line for line in lines if "waits" in line)
            assert heard.split() == "shared waits for another run that builds it".split()
            (project / "both").touch()
            assert any(line.split() == ["shared", "found"] for line in lines)
            assert two.wait(PATIENCE) == 0
            assert any(
                line.split()[:2] == ["shared", "built"] for line in finished(one).split("\n")
            )
    assert len((project / "builders").read_text().split()) == 1


def test_a_run_that_waits_for_another_can_be_stopped(project: Path) -> None:
    with started(project, TOGETHER) as one:
        until((project / "builders").exists)
        with started(project, TOGETHER) as two:
            assert two.stdout is not None
            assert any("waits" in line for line in iter(two.stdout.readline, ""))
            two.send_signal(signal.SIGINT)
            out, _ = two.communicate(timeout=SOON)
            assert "error: stopped by SIGINT" in out
            assert "Traceback" not in out
        (project / "both").touch()
        finished(one)


def test_a_run_goes_on_where_another_died(project: Path) -> None:
    with started(project, TOGETHER) as one:
        until((project / "builders").exists)
        with started(project, TOGETHER) as two:
            assert two.stdout is not None
            assert any("waits" in line for line in iter(two.stdout.readline, ""))
            one.kill()
            until(lambda: len((project / "builders").read_text().split()) == 2)
            (project / "both").touch()
            assert "built" in finished(two)


def test_many_runs_at_once_all_end_well(project: Path) -> None:
    """Every one builds the same small graph; no entry is lost or made twice over."""
    stages = """\
one = stage("one", Run(argv=("sh", "-c", f"echo $$ >>{here}/ones; echo 1 >${{out}}/1")))
GOALS = [stage(f"goal-{n}", Run(argv=("sh", "-c", f": {n}; cp ${{need.one}}/1 ${{out}}")),
         needs=(one,)) for n in range(3)]
""".replace("${{", "$" + "{{")
    with (
        started(project, stages) as a,
        started(project, stages) as b,
        started(project, stages) as c,
    ):
        for run in (a, b, c):
            finished(run)
    assert len((project / "ones").read_text().split()) == 1
    assert len(list(Bench(cache=project / "cache").store.entries())) == 4
    assert not list((project / "cache" / "work").iterdir())


SHARING = """\
which = text("which", (here / "which").read_text())
script = (
    "which=$(cat ${{need.which}}/text); touch {here}/began-$which; "
    "until test -f {here}/go-$which; do sleep 0.05; done; "
    "echo $which >${{scratch}}/made; cp ${{scratch}}/made ${{out}}"
)
GOALS = [stage("sharing", Run(argv=("sh", "-c", script.replace("{here}", str(here)))),
         needs=(which, text("fixed")), scratch=("fixed",))]
""".replace("{{", "{").replace("}}", "}")


def test_runs_with_other_sources_take_turns_in_scratch(project: Path) -> None:
    """What a run copies out of its scratch folder is what itself has put there."""
    (project / "which").write_text("one")
    with started(project, SHARING) as one:
        until((project / "began-one").exists)
        (project / "which").write_text("two")
        (project / "go-two").touch()
        with started(project, SHARING) as two:
            assert two.stdout is not None
            assert any("waits" in line for line in iter(two.stdout.readline, ""))
            assert not (project / "began-two").exists()
            (project / "go-one").touch()
            finished(one)
            finished(two)
    made = {path.read_text() for path in (project / "cache" / "store").glob("*/tree/made")}
    assert made == {"one\n", "two\n"}


def test_what_the_system_refuses_is_one_message(project: Path) -> None:
    """A share of the disk that is used up, by a limit of the process."""
    stages = (
        "import resource\n"
        "from muslin.engine.vocabulary import Write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        'large = Write(path="${out}/x", text="x" * 200_000)\n'
        'GOALS = [stage("refused", large), text("fine")]'
    )
    with started(project, stages) as run:
        out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert "File too large. Finished stages stay finished" in out
    assert "MUSLIN_CACHE" in out
    assert "Traceback" not in out
