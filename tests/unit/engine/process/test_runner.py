"""The runner: no process outlives its use, and its end is told as it was."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from muslin.engine.process import errors, logs, runner, termination
from muslin.engine.process.runner import Runner
from muslin.engine.process.supervisor import Usage

ENV: Mapping[str, str] = {"PATH": runner.HOST_PATH}


@pytest.fixture
def starter() -> Iterator[Runner]:
    """A runner of two jobs."""
    starter = Runner(2)
    yield starter
    starter.stop()
    starter.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that does not exist yet."""
    return tmp_path / "log"


@pytest.mark.parametrize("mask", [0o027, 0o077])
def test_processes_have_the_same_umask_whatever_the_users_is(
    starter: Runner, log: Path, tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        argv = ("sh", "-c", "umask; touch file")
        starter.run(argv, what="test", cwd=tmp_path, env=ENV, log=log, output=tmp_path / "out")
    finally:
        os.umask(before)
    assert (tmp_path / "out").read_text() == "0022\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def lives(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def sh(starter: Runner, script: str, log: Path, output: Path | None = None) -> Usage:
    return starter.run(
        ["sh", "-c", script], what="stage", cwd=log.parent, env=ENV, log=log, output=output
    )


def test_a_command_and_its_output_are_in_the_log(starter: Runner, log: Path) -> None:
    log.write_text("before\n", encoding="utf-8")
    sh(starter, "echo out; echo err >&2", log)
    assert log.read_text(encoding="utf-8") == (
        f"before\n\n$ cd {log.parent}\n$ sh -c echo out; echo err >&2\nout\nerr\n"
    )


def test_output_can_go_to_a_file(starter: Runner, log: Path, tmp_path: Path) -> None:
    sh(starter, "echo out; echo err >&2", log, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "out\n"
    assert log.read_text(encoding="utf-8").endswith("err\n")


def test_cpu_seconds_are_those_of_the_children_too(starter: Runner, log: Path) -> None:
    busy = 'sh -c "i=0; while test \\$i -lt 200000; do i=\\$((i + 1)); done"'
    assert sh(starter, f"{busy}; true", log).cpu_seconds > 0.02
    assert sh(starter, "sleep 0.2", log).cpu_seconds < 0.15


def test_what_a_command_leaves_running_is_ended(starter: Runner, log: Path) -> None:
    sh(starter, "sleep 1000 & echo $! >child", log)
    assert not lives(int((log.parent / "child").read_text()))


def test_what_heeds_no_sigterm_is_killed(
    starter: Runner, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(termination, "GRACE", 0.2)
    sh(starter, 'sh -c "trap : TERM; while :; do sleep 0.01; done" & echo $! >child', log)
    until(lambda: not lives(int((log.parent / "child").read_text())))


def test_stopping_ends_all_and_nothing_starts_any_more(starter: Runner, log: Path) -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            sh(starter, "echo $$ >started; sleep 1000", log)
        except errors.Interrupted as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: (log.parent / "started").exists() and (log.parent / "started").read_text())
    starter.stop()
    thread.join(30)
    assert len(caught) == 1
    assert not lives(int((log.parent / "started").read_text()))
    with pytest.raises(errors.Interrupted):
        sh(starter, "touch late", log)
    assert not (log.parent / "late").exists()


def test_a_server_runs_while_it_is_talked_to(starter: Runner, log: Path) -> None:
    with starter.server(["sleep", "1000"], what="x", cwd=log.parent, env=ENV, log=log) as process:
        assert process.poll() is None
    assert process.poll() == -signal.SIGTERM


def test_processes_have_a_session_of_their_own(starter: Runner, log: Path) -> None:
    sh(starter, "cut -d' ' -f6 /proc/$$/stat >ids; echo $$ >>ids", log)
    session, process = (log.parent / "ids").read_text().split()
    assert session == process != str(os.getsid(0))


def test_no_descriptor_leaks_into_a_process(starter: Runner, log: Path, tmp_path: Path) -> None:
    with (tmp_path / "kept-to-myself").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        sh(starter, "ls -l /proc/self/fd >listing", log)
    assert "kept-to-myself" not in (log.parent / "listing").read_text()


def test_leftovers_are_known_by_their_mark(starter: Runner, log: Path, tmp_path: Path) -> None:
    mine = {**ENV, termination.MARK: str(tmp_path / "work")}
    other = {**ENV, termination.MARK: str(tmp_path / "work2")}
    with (
        starter.server(["sleep", "1000"], what="x", cwd=tmp_path, env=mine, log=log) as victim,
        starter.server(["sleep", "1000"], what="x", cwd=tmp_path, env=other, log=log) as bystander,
    ):
        environ = Path(f"/proc/{victim.pid}/environ")
        while (
            termination.MARK.encode() not in environ.read_bytes()
        ):  # the kernel fills it after exec
            pass
        assert termination.end_leftovers(tmp_path / "work") == 1
        assert victim.wait(30) == -signal.SIGKILL
        assert bystander.poll() is None
        assert termination.end_leftovers(tmp_path / "work") == 0


def test_a_leftover_that_does_not_end_is_named(
    starter: Runner, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(termination, "LAST_MOMENTS", 0.1)
    mine = {**ENV, termination.MARK: str(tmp_path / "work")}
    with starter.server(["sleep", "1000"], what="x", cwd=tmp_path, env=mine, log=log) as process:
        environ = Path(f"/proc/{process.pid}/environ")
        while (
            termination.MARK.encode() not in environ.read_bytes()
        ):  # the kernel fills it after exec
            pass
        with monkeypatch.context() as immortal:
            immortal.setattr(os, "kill", lambda *_: None)
            with pytest.raises(errors.LeftoverAlive, match=f"process {process.pid} of an earlier"):
                termination.end_leftovers(tmp_path / "work")


def test_a_leftover_is_seen_while_it_becomes_another_program(
    starter: Runner, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(termination, "LAST_MOMENTS", 3.0)
    restless = tmp_path / "restless"
    restless.write_text('#!/bin/sh\nexec "$0"\n')
    restless.chmod(0o755)
    mine = {**ENV, termination.MARK: str(tmp_path / "work")}
    with starter.server([str(restless)], what="x", cwd=tmp_path, env=mine, log=log):
        with monkeypatch.context() as immortal:
            immortal.setattr(os, "kill", lambda *_: None)
            with pytest.raises(errors.LeftoverAlive):
                termination.end_leftovers(tmp_path / "work")


def test_the_tail_of_a_log(log: Path) -> None:
    log.write_bytes(b"\xff\n" * 10_000 + b"last\n")
    lines = logs.tail(log)
    assert len(lines) == logs.TAIL
    assert lines[-2:] == ["\ufffd", "last"]


def test_what_of_the_user_reaches_a_fetching_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    wanted = {"no_proxy": "a", "HTTPS_PROXY": "b", "CARGO_HTTP_CAINFO": "c", "CURL_CA_BUNDLE": "d"}
    for name, value in {**wanted, "CARGO_HOME": "e", "RUSTFLAGS": "f", "PATH": "g"}.items():
        monkeypatch.setenv(name, value)
    assert runner.network_environment() == wanted


def test_messages_for_programs_are_not_shown_to_people(log: Path) -> None:
    log.write_bytes(b'cut":1}\nhelp: {\n{"reason":"build-finished","success":false}\nlast\n')
    assert logs.for_people(log) == b"help: {\nlast\n"
