"""Order, memory and failures of real stages, and what is written down of a run."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from muslin.cli import errors as cli_errors
from muslin.engine.builder import Fault
from muslin.engine.process import errors as process_errors
from muslin.engine.stage import Stage
from tests.e2e.bench import Bench, shell, stage, text

pytestmark = pytest.mark.usefixtures("unconfined")


def failing(name: str, *needs: Stage) -> Stage:
    return stage(name, shell(f"echo {name} broke; exit 7"), needs=needs)


def events(bench: Bench) -> list[dict[str, object]]:
    (file,) = (bench.cache / "runs").glob("*/events.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_first_failure_ends_the_run(bench: Bench) -> None:
    place = bench.cache.parent
    slow = stage("slow", shell("touch $AT; exec sleep 300", AT=str(place / "slow")))
    wait = f"until test -e {place}/slow; do sleep 0.02; done; exit 7"
    began = time.monotonic()
    with pytest.raises(process_errors.CommandFailed, match="broken: a command ended with code 7"):
        bench.build(stage("broken", shell(wait)), slow)
    assert time.monotonic() - began < 200, "or what ran beside it was waited for"


def test_a_run_that_keeps_going_finishes_the_rest_and_names_the_failures(bench: Bench) -> None:
    broken = failing("broken")
    goals = (text("above", needs=(broken,)), text("fine", "1"), failing("other"))
    faults: list[Fault] = []
    assert set(bench.build(*goals, faults=faults)) == {"fine"}
    said = str(cli_errors.SeveralFailed(faults))
    assert "broken: a command ended with code 7" in said
    assert "not built for that: above" in said
    assert "other: a command ended with code 7" in said
    assert "2 stage(s) failed; all that does not depend on it was finished" in said
    assert "broken: a command ended with code 7" in bench.text
    assert "1 stage(s) will not be built without it" in bench.text
    assert "0 stage(s)" not in bench.text
    assert bench.said("built") == {"fine"}
    assert bench.said("failed") == {"broken", "other"}
    bench.build(text("fine", "1"))
    assert bench.said("found") == {"fine"}


def test_a_run_that_keeps_going_and_succeeds_says_nothing_of_it(bench: Bench) -> None:
    faults: list[Fault] = []
    goals = (text("one", "1"), text("two", "2"))
    assert set(bench.build(*goals, faults=faults)) == {"one", "two"}
    assert faults == []


def test_big_stages_run_alone_and_with_fewer_processes(tmp_path: Path) -> None:
    bench = Bench(cache=tmp_path / "cache", jobs=2, memory=1_000_000_000)
    make = "printf 'all: a b\\na b:\\n\\t@echo $@ >>order; sleep 0.3; echo $@ >>order\\n' >Makefile"
    script = f"{make}; make >/dev/null; cp order $OUT/order"
    wide = stage("wide", shell(script, OUT="${out}"))
    big = dataclasses.replace(stage("big", *wide.steps, needs=()), memory=900_000_000)
    order = {
        one.name: (bench.build(one)[one.name].tree / "order").read_text().split()
        for one in (dataclasses.replace(wide, steps=(*wide.steps, shell("true"))), big)
    }
    assert order["big"] in (["a", "a", "b", "b"], ["b", "b", "a", "a"])
    assert order["wide"][0] != order["wide"][1], "else the check above says nothing"


def test_how_much_memory_a_stage_took_is_remembered(bench: Bench) -> None:
    eats = "python3 -c 'x = bytearray(900_000_000)'"  # more than any test's own process
    record = bench.build(stage("eats", shell(f"{eats}; touch $OUT/x", OUT="${out}")))["eats"].record
    assert 900_000_000 < record.memory < 1_200_000_000
    small = bench.build(stage("small", shell("touch $OUT/x", OUT="${out}")))["small"].record
    assert small.memory < 100_000_000, "our own size is not a child's"
    with bench.builder() as builder:
        last = builder.history.last("eats")
    assert last is not None
    assert last.memory == record.memory


def test_a_run_leaves_its_events_and_a_trace(bench: Bench) -> None:
    one = text("one")
    bench.build(text("two", needs=(one,)))
    said = events(bench)
    assert [(line["event"], line.get("stage")) for line in said] == [
        ("run", None),
        ("started", "one"),
        ("ended", "one"),
        ("started", "two"),
        ("ended", "two"),
        ("over", None),
    ]
    assert said[3]["after"] == ["one"]
    assert said[4]["outcome"] == "built"
    (trace,) = (bench.cache / "runs").glob("*/trace.json")
    spans = json.loads(trace.read_text())["traceEvents"]
    assert [(span["name"], span["ph"], span["cat"]) for span in spans] == [
        ("one", "X", "built"),
        ("two", "X", "built"),
    ]
    assert spans[0]["ts"] + spans[0]["dur"] <= spans[1]["ts"]


def test_a_failed_stage_is_in_the_events_and_the_trace(bench: Bench) -> None:
    with pytest.raises(process_errors.CommandFailed):
        bench.build(failing("broken"))
    assert ("ended", "failed") in [(line["event"], line.get("outcome")) for line in events(bench)]
    (trace,) = (bench.cache / "runs").glob("*/trace.json")
    assert [span["cat"] for span in json.loads(trace.read_text())["traceEvents"]] == ["failed"]


def test_a_run_with_nothing_to_do_leaves_no_events(bench: Bench) -> None:
    bench.build(text("one"))
    before = sorted((bench.cache / "runs").iterdir())
    bench.build(text("one"))
    assert sorted((bench.cache / "runs").iterdir()) == before


def test_stages_side_by_side_have_rows_of_their_own(bench: Bench) -> None:
    meet = "touch $ME; until test -e $OTHER; do sleep 0.02; done; touch $OUT/x"
    place = bench.cache.parent
    bench.build(
        *(
            stage(me, shell(meet, ME=str(place / me), OTHER=str(place / other), OUT="${out}"))
            for me, other in (("a", "b"), ("b", "a"))
        )
    )
    (trace,) = (bench.cache / "runs").glob("*/trace.json")
    assert {span["tid"] for span in json.loads(trace.read_text())["traceEvents"]} == {0, 1}
