"""Programs that never end or never stop talking, and servers whose answers have no end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from muslin.engine.cache import gc
from muslin.engine.process import errors
from muslin.engine.process.limits import Limits
from muslin.engine.process.runner import HOST_PATH, Runner
from muslin.engine.stage import Check
from muslin.engine.vocabulary import Boot, CommandOutput, Run, Serves
from muslin.errors import PipelineError
from tests.e2e.bench import LONGER, Bench, shell, stage, text

SLEEP = ("sleep", "600")
ON = f"exec {sys.executable} -c 'while True: print(\"and so on\" * 1000)'"
"""Goes on talking."""


def failure(bench: Bench, *checks: Check) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        bench.build(stage("goal", *text("goal").steps, checks=checks))
    return caught.value


# --- programs -------------------------------------------------------------------------------


def test_a_run_that_never_ends(bench: Bench) -> None:
    error = failure(bench, CommandOutput(run=Run(argv=SLEEP, seconds=0.5)))
    assert isinstance(error, errors.TookTooLong)
    said = str(error)
    assert said.startswith("goal: a command did not end in 0.5 s and was ended:\n  sleep 600\n")
    assert "`seconds` in the [[run]] or [[serve]] of its service.toml, or MUSLIN_CHECK" in said
    assert str(bench.cache / "logs/host/goal.log") in said


def test_what_a_run_said_before_it_hung_is_in_the_message_and_the_log(bench: Bench) -> None:
    argv = ("sh", "-c", "echo last words; exec sleep 600")
    said = ""
    for seconds in LONGER:
        said = str(
            failure(bench, CommandOutput(run=Run(argv=argv, seconds=seconds, errors_too=True)))
        )
        assert "\n  its last lines:\n" in said
        if bench.log("goal").endswith("last words\n"):
            break
    assert said.endswith("\n    last words")


def test_a_check_without_seconds_of_its_own_has_the_runs(bench: Bench) -> None:
    bench.limits = Limits(check_seconds=0.5)
    assert "did not end in 0.5 s" in str(failure(bench, CommandOutput(run=Run(argv=SLEEP))))


def test_time_is_no_evidence_against_a_product(bench: Bench) -> None:
    """Another machine may be quicker: what was built stays, and is only checked again."""
    bench.limits = Limits(check_seconds=0.5)
    script = "test -f ${work}/../../switch || exec sleep 600"
    check = CommandOutput(run=Run(argv=("sh", "-c", script)))
    failure(bench, check)
    (bench.cache / "switch").touch()
    bench.build(stage("goal", *text("goal").steps, checks=(check,)))
    assert bench.said("checked") == {"goal"}


def test_a_step_that_never_ends(bench: Bench) -> None:
    bench.limits = Limits(build_seconds=0.5)
    with pytest.raises(errors.TookTooLong, match=r"MUSLIN_BUILD_HOURS, or build-hours in \[tool"):
        bench.build(stage("goal", shell("sleep 600")))


def test_what_ends_in_time_has_its_time(bench: Bench) -> None:
    bench.limits = Limits(build_seconds=60, check_seconds=60)
    check = CommandOutput(run=Run(argv=("sh", "-c", "sleep 0.3; echo done")), expect="done")
    bench.build(stage("goal", shell("sleep 0.3"), *text("goal").steps, checks=(check,)))


def test_a_step_that_never_stops_talking(bench: Bench) -> None:
    bench.limits = Limits(log_bytes=1_000_000)
    with pytest.raises(errors.PrintedTooMuch) as caught:
        bench.build(stage("goal", shell(ON)))
    said = str(caught.value)
    assert "goal: a command printed more than 1 MB, which is all it may:" in said
    assert "MUSLIN_LOG_MEGABYTES, or log-megabytes in [tool.muslin] of pyproject.toml," in said
    assert bench.log("goal").startswith("goal, key "), "its beginning is there"


def test_steps_together_fill_no_disk_either(bench: Bench) -> None:
    bench.limits = Limits(log_bytes=1_000_000)
    with pytest.raises(errors.PrintedTooMuch):
        bench.build(stage("goal", *[shell(f": {at}; head -c 400000 /dev/zero") for at in range(4)]))


@pytest.mark.parametrize(
    "script", [ON, "head -c 20000000 /dev/zero"], ids=["for ever", "and has ended by itself"]
)
def test_a_run_that_prints_more_than_is_read(bench: Bench, script: str) -> None:
    error = failure(bench, CommandOutput(run=Run(argv=("sh", "-c", script))))
    assert isinstance(error, errors.PrintedTooMuch)
    assert "more than 16 MB" in str(error)
    assert "`megabytes` in the [[run]] or [[serve]] of its service.toml gives it more" in str(error)


def test_a_run_can_be_allowed_to_print_more(bench: Bench) -> None:
    script = "head -c 17000000 /dev/zero; echo and the end"
    check = CommandOutput(run=Run(argv=("sh", "-c", script), printed=18_000_000), expect="the end")
    bench.build(stage("goal", *text("goal").steps, checks=(check,)))


def test_no_descriptor_is_lost_with_a_command(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def command(*argv: str) -> None:
        with pytest.raises(PipelineError):
            starter.run(argv, what="x", cwd=tmp_path, env={"PATH": HOST_PATH}, log=tmp_path / "log")

    starter = Runner(1, Limits(build_seconds=0.3))
    command("false")
    before = descriptors()
    for argv in (("false",), ("no-such-program",), SLEEP):
        command(*argv)
    assert descriptors() == before
    starter.close()


# --- servers --------------------------------------------------------------------------------

SERVER = """\
import http.server, os, signal, sys, time

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if mode != "drips":
            self.end_headers()
        try:
            self.more()
        except OSError:
            pass

    def more(self):
        if mode == "streams":
            while True:
                self.wfile.write(b"and so on")
                time.sleep(0.05)
        if mode == "drips":
            while True:
                self.flush_headers()
                self.wfile.write(b"X")
                time.sleep(0.05)
        if mode == "floods":
            while True:
                self.wfile.write(b"x" * 1000000)
        if mode == "long":
            self.wfile.write(b"x" * 17000000 + b"the end")
        if mode == "logs":
            while True:
                print("and so on" * 1000)

mode = sys.argv[1]
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def serving(mode: str, *, seconds: float = 0.0, printed: int = 0, expect: str = "so on") -> Serves:
    argv = (sys.executable, "-c", SERVER.replace("${", "$${"), mode)
    run = Run(argv=argv, seconds=seconds, printed=printed)
    return Serves(run=run, scheme="http", path="/events", expect=expect)


@pytest.mark.parametrize("mode", ["streams", "drips"])
def test_an_answer_that_never_ends(bench: Bench, mode: str) -> None:
    error: PipelineError | None = None
    for seconds in LONGER:
        error = failure(bench, serving(mode, seconds=seconds))
        if isinstance(error, errors.AnswerUnending):
            break
    assert isinstance(error, errors.AnswerUnending)
    said = str(error)
    assert "goal: http /events: no end of the answer in " in said
    assert "ask for a path that has one\n  `seconds` in the [[run]] or [[serve]]" in said


def test_an_answer_without_end_is_not_read_into_memory(bench: Bench) -> None:
    error = failure(bench, serving("floods"))
    assert isinstance(error, errors.AnswerUnending)
    assert "goal: http /events: more than 16 MB of answer." in str(error)


def test_an_answer_can_be_allowed_to_be_longer(bench: Bench) -> None:
    check = serving("long", printed=18_000_000, expect="the end")
    bench.build(stage("goal", *text("goal").steps, checks=(check,)))


def test_a_message_has_the_beginning_of_a_long_answer(bench: Bench) -> None:
    said = str(failure(bench, serving("long", printed=18_000_000)))
    assert "xxx' and 16999507 more instead of 200 with 'so on'" in said
    assert len(said) < 2000


def test_a_server_that_logs_for_ever(bench: Bench) -> None:
    bench.limits = Limits(log_bytes=1_000_000)
    error = failure(bench, serving("logs"))
    assert isinstance(error, errors.PrintedTooMuch)


def test_a_console_that_goes_on(bench: Bench) -> None:
    boot = Boot(
        run=Run(argv=("sh", "-c", ON), printed=1_000_000),
        to="${out}",
        subject="demo on paper",
        own="board: ",
        start="board: starting ",
        marks=("board: user space",),
        over="board: over: ",
    )
    with pytest.raises(errors.PrintedTooMuch):
        bench.build(stage("goal", boot))


# --- what is left of it ---------------------------------------------------------------------


def test_the_clean_up_counts_logs_and_takes_the_oldest(bench: Bench) -> None:
    bench.build(stage("goal", shell("head -c 100000 /dev/zero"), *text("goal").steps))
    log = bench.cache / "logs" / "host" / "goal.log"
    os.utime(log, (1, 1))
    before = sum(one.bytes for one in gc.held(bench.store))
    assert before > 100_000
    (gone,) = gc.collect(bench.store, before - 1)
    assert (gone.name, gone.path) == ("log host/goal.log", log)
    assert not log.exists()
