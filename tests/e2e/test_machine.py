"""Machines that start: a script that talks like one, and what is made of each way it can end.

Real kernels on emulated boards are in tests/product/test_boot.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Boot, Folder, Initramfs, Link, Request, Run, Write
from tests.e2e.bench import Bench, stage

SERVER = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"all is well")

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers)  # it listens from here on
print("board: port 8080 is served", flush=True)
server.serve_forever()
"""
UP = "echo '[  0.0] Booting Linux: hello'; echo 'board: user space'; echo 'board: starting /x'; "
WAIT = "exec sleep 60"
SERVED = ("board: port 8080 is served",)
OVER = "echo 'board: over: {}'; " + WAIT


def machine(
    script: str,
    *,
    expect: str = "",
    marks: tuple[str, ...] = (),
    path: str = "/",
    network: str = "",
) -> Stage:
    return stage(
        "goal",
        Write(path="serve.py", text=SERVER),
        Boot(
            run=Run(argv=("sh", "-c", script, "board", "${port}"), env=(("SAID", "by env"),)),
            to="${out}",
            subject="demo on paper",
            own="board: ",
            start="board: starting ",
            marks=("board: user space", "board: starting /x", *marks),
            over="board: over: ",
            expect=expect,
            network=network,
            requests=(Request(scheme="http", path=path, expect="well"),) if network else (),
        ),
    )


def fault(bench: Bench, goal: Stage) -> str:
    with pytest.raises(errors.BoardFailed) as caught:
        bench.build(goal)
    return str(caught.value)


def test_what_was_seen_is_told_with_its_times(bench: Bench) -> None:
    goal = machine(f"{UP} echo hello; {OVER.format('code 0')}", expect="hello")
    tree = bench.build(goal)["goal"].tree
    lines = (tree / "report.txt").read_text().splitlines()
    assert lines[0] == "demo on paper: came up"
    assert [line.split(" s  ")[1] for line in lines[1:]] == [
        "board: user space",
        "board: starting /x",
        "greeting: hello",
        "it said 'hello' and ended with code 0",
    ]
    table = json.loads((tree / "report.json").read_text())
    assert (table["network"], len(table["seen"])) == (False, 4)
    assert "Booting Linux" in (tree / "console.log").read_text()
    assert "sh -c" not in (tree / "console.log").read_text()


def test_a_request_goes_through_its_network(bench: Bench) -> None:
    serve = f"echo 'board: network by usb0'; exec {sys.executable} -u serve.py $1"
    goal = machine(f"{UP} {serve}", marks=SERVED, network="board: network by")
    report = (bench.build(goal)["goal"].tree / "report.txt").read_text()
    assert "http / answered through its network: 'well'" in report


def test_a_machine_without_a_network_is_asked_nothing_and_says_so(bench: Bench) -> None:
    goal = machine(f"{UP} echo '{SERVED[0]}'; {WAIT}", marks=SERVED, network="board: network by")
    report = (bench.build(goal)["goal"].tree / "report.txt").read_text()
    assert report.endswith("this board has no network: nothing was asked from outside\n")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"{UP} exit 3", "the emulator ended with code 3 before 'hello' was seen"),
        ("exit 0", "the emulator ended with code 0 before 'board: user space' was seen"),
        (
            f"{UP} {OVER.format('signal 4')}",
            "the program died of SIGILL: it has an instruction that this processor lacks, and "
            "'hello' was not seen",
        ),
        (f"{UP} {OVER.format('signal 11')}", "the program died of SIGSEGV, and 'hello' was not"),
        (
            f"{UP} {OVER.format('code 2')}",
            "the program ended with code 2, and 'hello' was not seen",
        ),
        (f"{UP} echo hello; {OVER.format('code 2')}", "the program ended with code 2. "),
        (f"{UP} {OVER.format('no namespace')}", "the program was not started: no namespace, and"),
        (f"{UP} echo hello; exit 0", "the emulator ended with code 0 before its end was seen"),
        (f"{UP} echo '[  1.0] Kernel panic'; {WAIT}", "the kernel gave up before 'hello' was seen"),
        # What the kernel and the machine say is not what the program said.
        ("echo 'board: user space'; echo hello; echo 'board: starting /x'; exit 1", "the emulator"),
    ],
)
def test_what_was_not_seen_is_said(bench: Bench, script: str, words: str) -> None:
    said = fault(bench, machine(script, expect="hello"))
    assert said.startswith(f"demo on paper: {words}")
    assert "log: " in said


def test_a_server_that_ends_is_refused(bench: Bench) -> None:
    goal = machine(f"{UP} echo cannot bind; {OVER.format('code 1')}", marks=SERVED)
    said = fault(bench, goal)
    assert "the program ended with code 1, and 'board: port 8080 is served' was not seen" in said
    assert "    cannot bind" in said


def test_a_half_written_line_is_no_greeting(bench: Bench) -> None:
    slow = "printf boa; sleep 0.4; echo 'rd: more'; printf '[   1'; sleep 0.4; echo '2.3] Linux'; "
    goal = machine(f"{UP} {slow} echo hello; {OVER.format('code 0')}", expect="hello")
    report = (bench.build(goal)["goal"].tree / "report.txt").read_text()
    assert "greeting: hello" in report


def test_the_console_of_a_failure_is_in_the_message_and_the_log(bench: Bench) -> None:
    said = fault(bench, machine(f"{UP} echo last words; exit 1", expect="hello"))
    assert "    last words" in said
    assert "Booting Linux" in bench.log("goal")


def test_what_the_emulator_itself_says_is_shown(bench: Bench) -> None:
    said = fault(bench, machine('echo "no machine of that name, $SAID" >&2; exit 1'))
    assert "    no machine of that name, by env" in said


def test_a_machine_that_says_nothing_is_given_up(bench: Bench) -> None:
    goal = machine(WAIT)
    *_, step = goal.steps
    assert isinstance(step, Boot)
    said = fault(bench, replace(goal, steps=(replace(step, limit=0.5),)))
    assert "'board: user space' was not seen in 0 s" in said


def test_an_answer_that_is_another_one_is_refused(bench: Bench) -> None:
    serve = f"echo 'board: network by usb0'; exec {sys.executable} -u serve.py $1"
    goal = machine(f"{UP} {serve}", marks=SERVED, network="board: network by", path="/other")
    assert "http /other answered '404 all is well', not 'well'" in fault(bench, goal)


def test_a_network_that_leads_nowhere_is_refused(bench: Bench) -> None:
    up = f"{UP} echo 'board: network by usb0'; echo '{SERVED[0]}'; {WAIT}"
    goal = machine(up, marks=SERVED, network="board: network by")
    assert "http / was not answered: " in fault(bench, goal)


INITRAMFS = stage(
    "goal",
    Write(path="root/init", text="#!/bin/sh\n", executable=True),
    Write(path="root/boot/port", text="8080"),
    Folder(path="root/empty"),
    Link(path="root/link", target="boot/port"),
    Initramfs(root="${work}/root", path="${out}/initramfs"),
)


def test_cpio_reads_the_initramfs(bench: Bench) -> None:
    program = shutil.which("cpio")
    if program is None:
        pytest.skip("cpio is not installed; tests/product/test_boot.py lets Linux itself read one")
    path = bench.build(INITRAMFS)["goal"].tree / "initramfs"
    listed = subprocess.run(
        [program, "--list", "--verbose", "--numeric-uid-gid", "--quiet"],
        input=path.read_bytes(),
        capture_output=True,
        check=True,
    )
    lines = listed.stdout.decode().splitlines()
    assert [(line.split()[0], " ".join(line.split()[8:])) for line in lines] == [
        ("drwxr-xr-x", "dev"),
        ("crw-------", "1970 dev/console"),
        ("drwxr-xr-x", "boot"),
        ("-rw-r--r--", "boot/port"),
        ("drwxr-xr-x", "empty"),
        ("-rwxr-xr-x", "init"),
        ("lrwxrwxrwx", "link -> boot/port"),
    ]


def test_the_same_folder_gives_the_same_initramfs(bench: Bench, tmp_path: Path) -> None:
    first = (bench.build(INITRAMFS)["goal"].tree / "initramfs").read_bytes()
    other = Bench(cache=tmp_path / "other")
    assert (other.build(INITRAMFS)["goal"].tree / "initramfs").read_bytes() == first
    assert first.startswith(b"070701")
    assert len(first) % 4 == 0
