"""What starts next, beside what, and what never does."""

from __future__ import annotations

from muslin.engine.scheduler import Planned, Schedule, ways
from muslin.engine.stage import Stage


def planned(key: str, seconds: float, *after: str, memory: int = 0) -> Planned:
    stage = Stage(name=key, steps=(), runs_on="host")
    return Planned(
        stage=stage, key=key, state="build", after=after, cpu_seconds=seconds, memory=memory
    )


def schedule(*stages: Planned, jobs: int = 2, limit: int = 0) -> Schedule:
    return Schedule(waiting={one.key: one for one in stages}, jobs=jobs, limit=limit)


def started(one: Schedule) -> list[str]:
    return [stage.key for stage in one.start()]


def test_a_way_is_as_long_as_all_that_waits_at_its_longest() -> None:
    stages = [
        planned("gcc", 100),
        planned("std", 20, "gcc"),
        planned("ssl", 50, "gcc"),
        planned("app", 5, "std", "ssl"),
        planned("alone", 60),
    ]
    assert ways({one.key: one for one in stages}) == {
        "gcc": 155, "std": 25, "ssl": 55, "app": 5, "alone": 60,
    }  # fmt: skip


def test_what_is_found_already_is_waited_for_no_more() -> None:
    assert started(schedule(planned("app", 5, "found", "too"))) == ["app"]


def test_the_longest_way_starts_first() -> None:
    one = schedule(planned("alone", 60), planned("gcc", 10), planned("ssl", 90, "gcc"), jobs=1)
    order = []
    while one.waiting:
        (key,) = started(one)
        order.append(key)
        one.done(key)
    assert order == ["gcc", "ssl", "alone"]


def test_no_more_than_there_are_jobs() -> None:
    one = schedule(*(planned(f"{number}", number) for number in range(5)))
    assert started(one) == ["4", "3"]
    assert started(one) == []
    one.done("3")
    assert started(one) == ["2"]


def test_what_depends_on_a_failure_never_starts() -> None:
    one = schedule(
        planned("gcc", 9), planned("ssl", 1, "gcc"), planned("app", 1, "ssl"), planned("other", 1)
    )
    assert started(one) == ["gcc", "other"]
    assert [gone.key for gone in one.failed("gcc")] == ["ssl", "app"]
    one.done("other")
    assert not one.waiting


def test_who_needs_much_memory_runs_alone_with_fewer_processes() -> None:
    big, small = planned("big", 9, memory=600), planned("small", 1, memory=100)
    one = schedule(big, small, jobs=4, limit=1300)
    assert started(one) == ["big"]
    assert one.held_back(big) == 2  # two of 600 fit
    one.done("big")
    assert started(one) == ["small"]
    assert one.held_back(small) == 0


def test_nothing_big_starts_beside_others() -> None:
    one = schedule(planned("first", 9, memory=100), planned("big", 5, "first", memory=900),
                   planned("slow", 4, memory=100), limit=1000)  # fmt: skip
    assert started(one) == ["first", "slow"]
    one.done("first")
    assert started(one) == []
    one.done("slow")
    assert started(one) == ["big"]


def test_who_finds_no_room_is_waited_for() -> None:
    """Else small ones would go on starting before it."""
    one = schedule(planned("small", 9, memory=100), planned("big", 8, memory=900),
                   planned("later", 7, memory=100), limit=1000)  # fmt: skip
    assert started(one) == ["small"]
    assert started(one) == []
    one.done("small")
    assert started(one) == ["big"]
    one.done("big")
    assert started(one) == ["later"]


def test_what_is_too_big_for_the_machine_is_tried_with_one_process() -> None:
    big = planned("big", 9, memory=5000)
    one = schedule(big, jobs=4, limit=1000)
    assert started(one) == ["big"]
    assert one.held_back(big) == 3
