"""What programs leave running: real processes that get away from their session and environment."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.engine.process import loopback, termination
from muslin.engine.process.runner import HOST_PATH, Runner
from muslin.engine.vocabulary import CommandOutput, Run, Serves, Write
from tests.e2e.bench import LONGER, PROJECT, Bench, stage, text

DAEMON = """\
import os, sys, time
from pathlib import Path

number = Path(sys.argv[1])
if os.fork():
    while not number.exists():
        time.sleep(0.01)
    os._exit(int(sys.argv[2]))
os.setsid()
if os.fork():
    os._exit(0)
os.chdir("/")
os.closerange(0, 100)
aside = number.with_suffix(".new")
aside.write_text(str(os.getpid()))
aside.rename(number)
os.execve(sys.executable, [sys.executable, "-S", "-c", "import time; time.sleep(600)"], {})
"""
"""Leaves a process in a session and an environment of its own, as daemon(7) wants it, writes its
number into a file, and ends with a code."""


@pytest.fixture
def daemon(tmp_path: Path) -> Path:
    """The program that leaves one."""
    path = tmp_path / "daemon.py"
    path.write_text(DAEMON)
    return path


def leaving(daemon: Path, code: int = 0) -> Run:
    """A step that leaves a process, whose number is in `number` of its product."""
    return Run(argv=(sys.executable, str(daemon), "${out}/number", str(code)))


def lives(process: int) -> bool:
    """Whether a process is there and no zombie."""
    row = termination.table().get(process)
    return row is not None and row.alive


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_a_daemon_ends_with_its_step(bench: Bench, daemon: Path) -> None:
    look = Run(argv=("sh", "-c", "kill -0 $(cat ${out}/number)"))
    with pytest.raises(process_errors.CommandFailed, match="No such process"):
        bench.build(stage("goal", leaving(daemon), look))


def test_a_daemon_ends_with_a_step_that_fails(bench: Bench, daemon: Path) -> None:
    with pytest.raises(process_errors.CommandFailed, match="ended with code 7"):
        bench.build(stage("goal", leaving(daemon, code=7)))
    (number,) = bench.store.work.glob("*/out/number")
    assert not lives(int(number.read_text()))


def test_a_daemon_ends_with_its_check(bench: Bench, daemon: Path) -> None:
    run = Run(argv=(sys.executable, str(daemon), "${work}/number", "0"))
    look = Run(argv=("sh", "-c", "kill -0 $(cat ${work}/number) 2>&1 || echo it is gone"))
    goal = stage(
        "goal",
        *text("goal").steps,
        checks=(CommandOutput(run=run), CommandOutput(run=look, expect="gone")),
    )
    bench.build(goal)


@pytest.mark.usefixtures("unconfined")
def test_a_daemon_of_a_stage_that_still_runs_is_let_alone(
    bench: Bench, daemon: Path, tmp_path: Path
) -> None:
    """Whose orphan is it? Another stage's steps end beside it, and leave some of their own."""
    script = (
        f"{sys.executable} {daemon} $OUT/number 0; touch {tmp_path}/here; "
        f"until test -f {tmp_path}/over; do sleep 0.01; done; kill -0 $(cat $OUT/number)"
    )
    uses = Run(argv=("sh", "-ec", script), env=(("OUT", "${out}"),))
    waits = Run(argv=("sh", "-c", f"until test -f {tmp_path}/here; do sleep 0.01; done"))
    beside = stage("beside", waits, leaving(daemon), Run(argv=("touch", f"{tmp_path}/over")))
    made = bench.build(stage("uses", uses), beside)
    for name in ("uses", "beside"):
        assert not lives(int((made[name].tree / "number").read_text()))


def test_nobodys_child_is_left_unreaped_and_no_other_child_is_touched(
    bench: Bench, daemon: Path
) -> None:
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            bench.build(stage("goal", leaving(daemon)))
            children = {
                process for process, row in termination.table().items() if row.parent == os.getpid()
            }
            assert bystander.pid in children
            assert bystander.poll() is None
            assert not [one for one in children if not lives(one)]
        finally:
            bystander.kill()


def test_what_a_program_killed_for_its_time_left_is_ended_too(bench: Bench, daemon: Path) -> None:
    script = f"{sys.executable} {daemon} ${{work}}/number 0; cat ${{work}}/number; sleep 600"
    found = list[Path]()
    for seconds in LONGER:
        check = CommandOutput(run=Run(argv=("sh", "-c", script), seconds=seconds))
        with pytest.raises(process_errors.TookTooLong):
            bench.build(stage("goal", *text("goal").steps, checks=(check,)))
        if found := list(bench.store.work.glob("*-check/number")):
            break
    (number,) = found
    assert not lives(int(number.read_text()))


BACKGROUND = """\
import http.server, os, sys, time
from pathlib import Path

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"at your service")

server, first = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer), os.getpid()
if os.fork():
    os._exit(0)
os.setsid()
Path(sys.argv[1]).write_text(str(os.getpid()))
while os.getppid() == first:
    time.sleep(0.01)
server.serve_forever()
"""


def test_a_server_that_goes_into_the_background_is_found_and_ended(bench: Bench) -> None:
    goal = stage(
        "goal",
        Write(path="${out}/server.py", text=BACKGROUND),
        checks=(
            Serves(
                run=Run(argv=(sys.executable, "${out}/server.py", "${work}/number")),
                scheme="http",
                path="/",
                expect="service",
            ),
        ),
    )
    with pytest.raises(engine_errors.CheckFailed) as caught:
        bench.build(goal)
    assert "it went into the background. As process 1 of a container" in str(caught.value)
    (number,) = bench.store.work.glob("*-check/number")
    assert not lives(int(number.read_text()))


SILENT = """\
import os, socket, sys, time
from pathlib import Path

server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
if os.fork():
    os._exit(0)
os.setsid()
line, _ = server.accept()
Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""


def test_a_run_that_stops_does_not_wait_for_the_answer_of_a_daemon(tmp_path: Path) -> None:
    starter, port, number = Runner(1), loopback.free_port(), tmp_path / "number"
    argv = (sys.executable, "-c", SILENT, str(number))
    env = {"PORT": str(port), "PATH": HOST_PATH}

    def ask() -> None:
        with starter.server(argv, what="x", cwd=tmp_path, env=env, log=tmp_path / "log") as process:
            process.wait()
            with suppress(OSError, http.client.HTTPException):
                loopback.answer("http", port, "/", seconds=3600, most=1000)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: number.exists() and number.read_text())
    starter.stop()
    thread.join(300)
    assert not thread.is_alive()
    assert not lives(int(number.read_text()))


def test_a_number_is_nobody_elses_until_all_of_a_program_has_ended(bench: Bench) -> None:
    """A server that has ended is signalled by its number."""
    with bench.builder() as builder:
        log = bench.cache / "log"
        with builder.runner.server(
            ["true"], what="x", cwd=Path("/"), env={"PATH": HOST_PATH}, log=log
        ) as process:
            assert process.wait() == 0
            assert process.pid in termination.table()
        assert process.pid not in termination.table()
        assert process.poll() == 0


SIGNALS = """\
import os, signal, sys
from pathlib import Path
from muslin.engine.process.runner import HOST_PATH, Runner

for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""
FAILING = """\
import sys
from pathlib import Path
from muslin.engine.process import errors
from muslin.engine.process.host_root import Seal
from muslin.engine.process.runner import HOST_PATH, Runner

runner, folder = Runner(1), Path(sys.argv[1])
seal = Seal(writable=(folder,))
facts = dict(what="x", cwd=folder, env={"PATH": HOST_PATH}, log=folder / "log", seal=seal)
runner.run(["grep", "SigIgn", "/proc/self/status"], output=folder / "ignored", **facts)
try:
    runner.run(["sh", "-c", "exit 3"], **facts)
except errors.CommandFailed as error:
    sys.exit(error.code)
"""


OF_THE_C_LIBRARY = 3 << 31
"""Signals 32 and 33: glibc lets nobody change what they do, and some parents leave them ignored."""


def test_what_the_runs_own_parent_ignores_is_no_matter(tmp_path: Path) -> None:
    """Under `nohup`, or with SIGCHLD ignored, which makes the kernel forget how a child ended."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS, FAILING, str(tmp_path)],
        env={"PYTHONPATH": str(PROJECT)},
        check=False,
        timeout=120,
    )
    assert done.returncode == 3
    _, ignored = (tmp_path / "ignored").read_text().split()
    assert not int(ignored, 16) & ~OF_THE_C_LIBRARY
