"""The picture of a run: read from its events, and well-formed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import picture

EVENTS = (
    {"at": 0.0, "event": "run", "jobs": 2, "stages": 5},
    {"at": 0.0, "event": "started", "stage": "libs", "after": []},
    {"at": 0.0, "event": "started", "stage": "as-armv6", "after": []},
    {"at": 0.0, "event": "started", "stage": "found", "after": []},
    {"at": 0.1, "event": "ended", "stage": "found", "outcome": "found"},
    {"at": 5.0, "event": "ended", "stage": "libs", "outcome": "built", "cpu_seconds": 5.0},
    {"at": 30.0, "event": "ended", "stage": "as-armv6", "outcome": "built", "cpu_seconds": 29.0},
    {"at": 30.0, "event": "started", "stage": "compiler-armv6", "after": ["libs", "as-armv6"]},
    {"at": 31.0, "event": "started", "stage": "cut <off>", "after": ["libs"]},
    {
        "at": 400.0,
        "event": "ended",
        "stage": "compiler-armv6",
        "outcome": "built",
        "cpu_seconds": 9,
    },
    {"at": 401.0, "event": "ended", "stage": "cut <off>", "outcome": "stopped"},
    {"at": 401.0, "event": "over"},
)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for folder, events in (("20260102T0-a", EVENTS), ("20260103T0-b", EVENTS[:6])):
        path = tmp_path / folder / "events.jsonl"
        path.parent.mkdir()
        path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return tmp_path


def test_the_last_run_that_built_a_stage_is_found(runs: Path) -> None:
    assert (
        picture.last_with(runs, ["compiler-armv6", "libs"])
        == runs / "20260102T0-a" / "events.jsonl"
    )
    assert picture.last_with(runs, ["libs"]) == runs / "20260103T0-b" / "events.jsonl"
    assert picture.last_with(runs, ["libs", "nothing"]) is None
    assert picture.last_with(runs / "none", ["libs"]) is None


def test_how_many_processes_the_run_had(runs: Path) -> None:
    assert picture.jobs(runs / "20260102T0-a" / "events.jsonl") == 2


def test_rows_and_the_longest_way(runs: Path) -> None:
    built = picture.spans(runs / "20260102T0-a" / "events.jsonl")
    assert [span.name for span in built] == ["libs", "as-armv6", "compiler-armv6"]
    assert [[span.name for span in row] for row in picture.rows(built)] == [
        ["libs", "compiler-armv6"],
        ["as-armv6"],
    ]
    assert [span.name for span in picture.longest_way(built)] == ["as-armv6", "compiler-armv6"]


def test_the_picture_is_xml_with_a_bar_for_each_stage(runs: Path) -> None:
    built = picture.spans(runs / "20260102T0-a" / "events.jsonl")
    text = picture.svg(built, jobs=2, targets=["armv6"])
    titles = [one.text for one in ElementTree.fromstring(text).iter() if one.tag.endswith("title")]  # noqa: S314  # ours
    assert titles[0] == "libs: 5.0 s, CPU 5.0 s"
    assert len(titles) == 3
    assert text.count('stroke-width="2"') == 2
    assert "3 stages in 6 min 40 s on 2 cores; their processes had 5% of them" in text
