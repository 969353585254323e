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

from recipes import errors
from recipes.engine.stage import Boot, Folder, Initramfs, Link, Request, Run, Stage, Write
from tests.e2e.bench import Bench, stage

SERVER = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"all is well")

print("board: port 8080 is served", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""
UP = "echo '[    0.000000] Booting Linux'; echo 'board: user space'; echo 'board: starting /x'; "
WAIT = "exec sleep 60"


def machine(script: str, *, mark: str = "hello", path: str = "/", network: str = "") -> Stage:
    return stage(
        "goal",
        Write(path="serve.py", text=SERVER),
        Boot(
            run=Run(argv=("sh", "-c", script, "board", "${port}")),
            to="${out}",
            subject="demo on paper",
            own="board: ",
            marks=("board: user space", "board: starting /x", mark),
            network=network,
            requests=(Request(scheme="http", path=path, expect="well"),) if network else (),
        ),
    )


def fault(bench: Bench, goal: Stage) -> str:
    with pytest.raises(errors.BoardFailed) as caught:
        bench.build(goal)
    return str(caught.value)


def test_what_was_seen_is_told_with_its_times(bench: Bench) -> None:
    goal = machine(f"{UP} echo hello; {WAIT}")
    tree = bench.build(goal)["goal"].tree
    lines = (tree / "report.txt").read_text().splitlines()
    assert lines[0] == "demo on paper: came up"
    assert [line.split(" s  ")[1] for line in lines[1:]] == [
        "board: user space",
        "board: starting /x",
        "hello",
        "greeting: hello",
    ]
    table = json.loads((tree / "report.json").read_text())
    assert (table["network"], len(table["seen"])) == (False, 4)
    assert "Booting Linux" in (tree / "console.log").read_text()
    assert "sh -c" not in (tree / "console.log").read_text()


def test_a_request_goes_through_its_network(bench: Bench) -> None:
    serve = f"echo 'board: network by usb0'; exec {sys.executable} -u serve.py $1"
    goal = machine(f"{UP} {serve}", mark="is served", network="board: network by")
    report = (bench.build(goal)["goal"].tree / "report.txt").read_text()
    assert "http / answered through its network: 'well'" in report


def test_a_machine_without_a_network_is_asked_nothing_and_says_so(bench: Bench) -> None:
    goal = machine(f"{UP} echo hello; {WAIT}", network="board: network by")
    report = (bench.build(goal)["goal"].tree / "report.txt").read_text()
    assert report.endswith("no network was found on this board: nothing was asked from outside\n")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"{UP} exit 3", "the emulator ended with code 3 before 'hello' was seen"),
        ("exit 0", "the emulator ended with code 0 before 'board: user space' was seen"),
        (
            f"{UP} echo 'Kernel panic: Attempted to kill init! exitcode=0x00000004'; {WAIT}",
            "the program died of SIGILL: it has an instruction that this processor lacks",
        ),
        (
            f"{UP} echo 'Kernel panic: Attempted to kill init! exitcode=0x0000000b'; {WAIT}",
            "the program died of SIGSEGV, and 'hello' was not seen",
        ),
        (
            f"{UP} echo 'Kernel panic: Attempted to kill init! exitcode=0x00000200'; {WAIT}",
            "the program ended with code 2, and 'hello' was not seen",
        ),
    ],
)
def test_what_was_not_seen_is_said(bench: Bench, script: str, words: str) -> None:
    said = fault(bench, machine(script))
    assert said.startswith(f"demo on paper: {words}")
    assert "log: " in said


def test_the_console_of_a_failure_is_in_the_message_and_the_log(bench: Bench) -> None:
    said = fault(bench, machine(f"{UP} echo last words; exit 1"))
    assert "    last words" in said
    assert "Booting Linux" in bench.log("goal")


def test_a_machine_that_says_nothing_is_given_up(bench: Bench) -> None:
    goal = machine(WAIT)
    *_, step = goal.steps
    assert isinstance(step, Boot)
    said = fault(bench, replace(goal, steps=(replace(step, limit=0.5),)))
    assert "'board: user space' was not seen in 0 s" in said


def test_an_answer_that_is_another_one_is_refused(bench: Bench) -> None:
    serve = f"echo 'board: network by usb0'; exec {sys.executable} -u serve.py $1"
    goal = machine(f"{UP} {serve}", mark="is served", network="board: network by", path="/other")
    assert "http /other answered '404 all is well', not 'well'" in fault(bench, goal)


def test_a_network_that_leads_nowhere_is_refused(bench: Bench) -> None:
    goal = machine(
        f"{UP} echo 'board: network by usb0'; echo hello; {WAIT}", network="board: network by"
    )
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
