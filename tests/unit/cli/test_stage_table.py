"""Why a stage is built again: every kind of change has a line that names it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from muslin.cli import stage_table
from muslin.engine.cache.history import Build
from muslin.engine.formats.canonical_json import Document
from muslin.engine.key import Keys
from muslin.engine.scheduler import Planned, State
from muslin.engine.source import Source
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import Copy, Run, Write

HOST = Host(machine="x86_64", libc="glibc 2.36")
SOURCE = Source(name="a.tar", sha256="a" * 64, size=1, origins=())
NEED = Stage(name="need-armv6", steps=(Write(path="a", text="b"),), runs_on="target")
STAGE = Stage(
    name="stage",
    sources=(("tarball", SOURCE),),
    needs=(("need", NEED),),
    env=(("CFLAGS", "-O2"),),
    steps=(
        Run(argv=("./configure", "--prefix=")),
        Run(argv=("make", "all")),
        Run(argv=("make", "install")),
    ),
    runs_on="host",
)
OTHER_NEED = dataclasses.replace(NEED, steps=())
CHANGES: dict[str, tuple[dict[str, object], list[str]]] = {
    "nothing": ({"summary": "words", "guess": 5.0}, []),
    "environment": (
        {"env": (("CFLAGS", "-O3"), ("LDFLAGS", "-s"))},
        ['env.CFLAGS: "-O2" -> "-O3"', 'env.LDFLAGS: (not there) -> "-s"'],
    ),
    "source": (
        {"sources": (("tarball", dataclasses.replace(SOURCE, sha256="b" * 64)),)},
        [f'sources.tarball: "{"a" * 64}" -> "{"b" * 64}"'],
    ),
    "need": (
        {"needs": (("need", OTHER_NEED),)},
        ["needs.need: need-armv6 is another one; `--why need-armv6` says why"],
    ),
    "no need any more": (
        {"needs": ()},
        [f'needs.need: "{Keys(HOST).of(NEED)}" -> (not there)'],
    ),
    "where it runs": (
        {"runs_on": "target"},
        [
            'runs_on: "host" -> "target"',
            'host.type: "Host" -> (not there)',
        ],
    ),
    "a flag": (
        {"steps": (Run(argv=("./configure", "--prefix=/usr")), *STAGE.steps[1:])},
        ['steps: Run ./configure: argv.1: "--prefix=" -> "--prefix=/usr"'],
    ),
    "a step more in the middle": (
        {"steps": (STAGE.steps[0], Copy(source="x", to="y"), *STAGE.steps[1:])},
        ["steps: and Copy y"],
    ),
    "a step less": ({"steps": STAGE.steps[:2]}, ["steps: without Run make"]),
    "another step": (
        {"steps": (*STAGE.steps[:2], Write(path="z", text=""))},
        ["steps: Write z in place of Run make"],
    ),
}


def document(stage: Stage) -> Document:
    return Keys(HOST).document(stage)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_named(change: str) -> None:
    changes, expected = CHANGES[change]
    # As it was read back from a file.
    before = json.loads(json.dumps(document(STAGE)))
    last = Build(key="k", document=before, wall_seconds=1, cpu_seconds=1)
    now = dataclasses.replace(STAGE, **changes)  # type: ignore[arg-type]
    lines = stage_table.differences(last, document(now), {"need": "need-armv6"})
    if change == "where it runs":
        lines = [line for line in lines if not line.startswith(("host.machine", "host.libc"))]
        expected = expected[:1]
    assert lines == expected


def test_rows_and_data_say_what_is_to_be_done() -> None:
    planned = {
        "k1": Planned(stage=NEED, key="k1" * 20, state="found", after=()),
        "k2": Planned(stage=STAGE, key="k2" * 20, state="build", after=("k1",), cpu_seconds=75.0),
    }
    assert stage_table.rows(planned.values()) == [
        ("need-armv6", "found", "", "k1k1k1k1k1k1", ""),
        ("stage", "build", "1 min 15 s", "k2k2k2k2k2k2", ""),
    ]
    stages = stage_table.as_data(planned)["stages"]
    assert [stage["state"] for stage in stages] == ["found", "build"]
    assert stages[1]["after"] == ["need-armv6"]
    assert stages[1]["cpu_seconds"] == 75.0
    json.dumps(stages)


def test_the_graph_is_drawn_with_its_longest_way() -> None:
    keys = Keys(HOST)
    other = dataclasses.replace(NEED, name="other", target="", steps=())
    goal = dataclasses.replace(STAGE, needs=(("need", NEED), ("other", other)))
    seconds = {NEED.name: 90.0, "other": 5.0, STAGE.name: 10.0}
    planned = {
        keys.of(one): Planned(
            stage=one,
            key=keys.of(one),
            state="build",
            after=tuple(keys.of(need) for _, need in one.needs),
            cpu_seconds=seconds[one.name],
        )
        for one in (NEED, other, goal)
    }
    lines = [line.strip() for line in stage_table.as_dot(planned, keys.of).splitlines()]
    need, less, last = (keys.of(one)[:12] for one in (NEED, other, goal))
    assert f'"{need}" -> "{last}" [penwidth=3];' in lines
    assert f'"{less}" -> "{last}";' in lines
    assert any(line.startswith(f'"{need}" [label="need-armv6\\n1 min 30 s"') for line in lines)
    assert (lines[0], lines[-1]) == ("digraph muslin {", "}")


def test_the_plan_in_a_line() -> None:
    states: tuple[tuple[State, float], ...] = (
        ("found", 0.0),
        ("build", 90.0),
        ("build", 30.0),
        ("check", 0.0),
    )
    planned = [
        Planned(stage=STAGE, key="k", state=state, after=(), cpu_seconds=seconds)
        for state, seconds in states
    ]
    assert stage_table.total(planned, 2) == (
        "4 stages: 2 to build, 1 to check; about 1 min 00 s on 2 cores, if they are idle"
    )
    assert stage_table.total(planned[:1], 2) == "1 stage: nothing to do"
