"""The pool of slots: what is taken comes back, even from clients that cannot give it back."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.engine.process.jobserver import TOKEN, Jobserver


@pytest.fixture
def server() -> Iterator[Jobserver]:
    """Three slots."""
    server = Jobserver(3)
    yield server
    server.close()


def left(server: Jobserver) -> int:
    """How many tokens the pool has now."""
    got = b""
    try:
        while part := os.read(server._pool, 100):
            got += part
    except BlockingIOError:
        pass
    os.write(server._pool, got)
    return len(got)


def test_a_slot_is_a_token(server: Jobserver) -> None:
    go_on = threading.Event()
    assert left(server) == 3
    with server.slot(go_on), server.slot(go_on):
        assert left(server) == 1
    assert left(server) == 3


def test_a_failure_gives_its_slot_back(server: Jobserver) -> None:
    with pytest.raises(ValueError, match="x"), server.slot(threading.Event()):
        raise ValueError("x")
    assert left(server) == 3


def test_a_client_gets_descriptors_that_work(server: Jobserver) -> None:
    with server.handed() as ((read, write), makeflags):
        assert makeflags == f"-j3 --jobserver-auth={read},{write}"
        assert os.read(read, 1) == TOKEN
        assert left(server) == 2
        os.write(write, TOKEN)
        assert not os.get_inheritable(read), "only the one child gets it"
    assert left(server) == 3
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)


def test_a_run_that_is_killed_leaves_no_pool_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = Jobserver(3)
    assert not list(tmp_path.iterdir())
    with server.handed() as ((read, _), _):
        assert os.read(read, 100) == TOKEN * 3
    server.close()


def test_the_tokens_of_a_dead_client_come_back_when_nobody_runs(server: Jobserver) -> None:
    go_on = threading.Event()
    with server.slot(go_on):
        with server.slot(go_on), server.handed() as ((read, _), _flags):
            os.read(read, 1)  # and it dies
        assert left(server) == 1, "somebody runs still: its tokens cannot be told from lost ones"
    assert left(server) == 3


def test_they_come_back_to_those_who_wait(server: Jobserver) -> None:
    go_on, began, ended = threading.Event(), threading.Event(), threading.Event()

    def second() -> None:
        with server.slot(go_on):
            began.set()
            ended.wait(30)

    thread = threading.Thread(target=second)
    with server.slot(go_on), server.handed() as ((read, _), _flags):
        os.read(read, 2)  # both that are left, and it dies
        thread.start()
        assert not began.wait(0.05), "there is none for it"
    assert began.wait(30)
    assert left(server) == 2, "all but the one that was waited for"
    ended.set()
    thread.join(30)
    assert left(server) == 3


def test_tokens_do_not_multiply_either(server: Jobserver) -> None:
    with server.slot(threading.Event()), server.handed() as ((_, write), _flags):
        os.write(write, TOKEN * 5)
    assert left(server) == 3


def test_who_finds_no_slot_waits_for_one() -> None:
    server = Jobserver(1)
    go_on, order = threading.Event(), []

    def second() -> None:
        with server.slot(go_on):
            order.append("second")

    thread = threading.Thread(target=second)
    with server.slot(go_on):
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    server.close()


def test_who_waits_is_let_go_when_the_run_stops() -> None:
    server = Jobserver(1)
    stopping = threading.Event()

    def second() -> None:
        with server.slot(stopping):
            pass

    with server.slot(threading.Event()):
        thread = threading.Thread(target=second)
        thread.start()
        stopping.set()
        thread.join(30)
        assert not thread.is_alive()
    assert left(server) == 1
    server.close()


def test_closing_gives_the_pool_up() -> None:
    server = Jobserver(2)
    server.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(server._pool)


def test_a_descriptor_above_1023_can_be_waited_for() -> None:
    """select(2) knows no such descriptor: programs that embed us may have thousands open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    server = Jobserver(1)
    low, high = server._pool, fcntl.fcntl(server._pool, fcntl.F_DUPFD_CLOEXEC, 1500)
    server._pool = high
    try:
        with server.slot(threading.Event()):
            assert left(server) == 0
        assert left(server) == 1
    finally:
        server.close()
        os.close(low)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_that_cannot_get_both_descriptors_gets_none(
    server: Jobserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def once(path: str, flags: int) -> int:
        if opened:
            raise OSError(errno.EMFILE, "Too many open files")
        opened.append(descriptor := real(path, flags))
        return descriptor

    real = os.open
    monkeypatch.setattr(os, "open", once)
    with pytest.raises(OSError, match="Too many"), server.handed():
        pass
    monkeypatch.undo()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
