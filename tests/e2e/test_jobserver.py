"""One pool of slots for every make of a run, with the host's real make."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from muslin.engine.process import errors
from muslin.engine.process.jobserver import Jobserver
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Run, Write
from tests.e2e.bench import Bench, stage

pytestmark = [
    pytest.mark.usefixtures("unconfined"),
    pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make"),
]


def making(name: str, makefile: str, *, needs: tuple[Stage, ...] = ()) -> Stage:
    """A stage that runs a makefile, with as many jobs as the run gives it."""
    return stage(name, Write(path="Makefile", text=makefile), Run(argv=("make",)), needs=needs)


def busy(name: str, diary: Path) -> Stage:
    """Six recipes that write down when they begin and when they end."""
    recipes = " ".join(f"{name}{number}" for number in range(6))
    return making(
        name,
        f"all: {recipes}\n"
        f"{recipes}:\n\t@echo + >>{diary}; sleep 0.15; echo - >>{diary}\n"
        f".PHONY: all {recipes}\n",
    )


def at_once(diary: Path) -> int:
    """How many recipes ran at the same time, at most."""
    running = most = 0
    for sign in diary.read_text(encoding="utf-8").split():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert running == 0
    return most


def tokens(server: Jobserver) -> int:
    """Take all tokens of the pool and put them back."""
    got = b""
    with os.fdopen(os.dup(server._pool), "rb", buffering=0) as pool:
        while part := pool.read(100):
            got += part
    os.write(server._pool, got)
    return len(got)


@pytest.mark.parametrize("slots", [2, 3])
def test_two_makes_share_the_slots_and_give_them_back(
    bench: Bench, tmp_path: Path, slots: int
) -> None:
    bench.jobs = slots
    diary = tmp_path / "diary"
    with bench.builder() as builder:
        server = builder.runner.jobserver
        with ThreadPoolExecutor(2) as executor:
            builder.build([busy("one", diary), busy("two", diary)], executor)
        assert tokens(server) == slots
    assert at_once(diary) == slots, "never more, and not fewer for fear of it"


MEETING = """\
all: one two
one: ; @touch {here}/one; for i in $$(seq 600); do test -f {here}/two && exit 0; sleep 0.05; done; \
exit 1
two: ; @touch {here}/two; for i in $$(seq 600); do test -f {here}/one && exit 0; sleep 0.05; done; \
exit 1
.PHONY: all one two
"""
"""Two recipes that end only if both run at the same time, which takes two slots."""


def test_the_slot_of_a_killed_make_comes_back(bench: Bench, tmp_path: Path) -> None:
    recipe = f"; @touch {tmp_path}/started-$@; exec sleep 1000"
    killed = stage(
        "killed",
        Write(path="Makefile", text=f"all: a b\na {recipe}\nb {recipe}\n".replace(" ;", ": ;")),
        Run(
            argv=(
                "sh",
                "-euc",
                f"make & until test -f {tmp_path}/started-a -a -f {tmp_path}/started-b; "
                "do sleep 0.05; done; kill -9 $!",
            )
        ),
    )
    bench.build(making("meeting", MEETING.format(here=tmp_path), needs=(killed,)))
    assert bench.said("built") == {"killed", "meeting"}


def test_meeting_takes_two_slots(bench: Bench, tmp_path: Path) -> None:
    """The negative control of the test above: with one slot nobody ever meets."""
    bench.jobs = 1
    impatient = MEETING.format(here=tmp_path).replace("seq 600", "seq 4")
    with pytest.raises(errors.CommandFailed, match=r"meeting: a command ended with code 2"):
        bench.build(making("meeting", impatient))


GREEDY = """\
import os, re, sys, threading, time
pool = int(re.search(r"auth=(\\d+)", os.environ["MAKEFLAGS"])[1])
threading.Thread(target=os.read, args=(pool, 1), daemon=True).start()
for _ in range(100):
    if os.path.exists(sys.argv[1]):
        os._exit(0)
    time.sleep(0.1)
os._exit(1)
"""


def test_a_stage_keeps_its_slot_between_its_steps(bench: Bench, tmp_path: Path) -> None:
    """Cargo keeps a slot that it got while it has crates to compile; it got one between two steps
    of an OpenSSL, which then stood still for minutes."""
    marker = tmp_path / "last step"
    chances = (Run(argv=("sleep", "0.01")),) * 40
    patient = stage(
        "patient", Run(argv=("sleep", "0.7")), *chances, Run(argv=("touch", str(marker)))
    )
    greedy = stage("greedy", Run(argv=(sys.executable, "-c", GREEDY, str(marker))))
    bench.build(patient, greedy)
    assert bench.said("built") == {"patient", "greedy"}
