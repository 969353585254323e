"""Reports: plain lines where there is no terminal, one live line where there is."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muslin.engine import console
from muslin.engine.console import Report, duration, size


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def plain() -> Iterator[tuple[Report, io.StringIO]]:
    """A report that goes to a file, and that file."""
    stream = io.StringIO()
    told = Report(stream)
    yield told, stream
    told.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that holds two kilobytes."""
    (tmp_path / "log").write_text("x" * 2000)
    return tmp_path / "log"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_lines_of_a_run(plain: tuple[Report, io.StringIO]) -> None:
    told, stream = plain
    told.planned(found=1, all_=3, seconds=1300.0)
    told.found("one")
    told.built("gcc-armv6", 725, 1300, 3)
    told.built("two", 1, 0.5, 0)
    told.checked("three", 2.25)
    told.waits("four")
    told.damaged("five", "x is missing")
    told.note("a pin moved")
    assert stream.getvalue().splitlines() == [
        "3 stages: 1 found, 2 to do, about 21 min 40 s on an idle machine",
        f"  {'one':28} found",
        f"  {'gcc-armv6':28} built     12 min 05 s  (CPU 21 min 40 s, checks 3.0 s)",
        f"  {'two':28} built           1.0 s  (CPU 0.5 s)",
        f"  {'three':28} checked         2.2 s",
        f"  {'four':28} waits     for another run that builds it",
        f"  {'five':28} damaged: x is missing; it was removed and is built anew",
        "  note: a pin moved",
    ]


def test_a_run_with_nothing_to_do_says_nothing_of_it(plain: tuple[Report, io.StringIO]) -> None:
    told, stream = plain
    told.planned(found=3, all_=3, seconds=0.0)
    assert stream.getvalue() == ""


def test_a_table_is_as_wide_as_its_cells(plain: tuple[Report, io.StringIO]) -> None:
    told, stream = plain
    told.table("title", ("a", "long head", "c"), [("wide cell", "b", ""), ("", "b", "")])
    assert stream.getvalue().splitlines() == [
        "title",
        "  a          long head  c",
        "  wide cell  b",
        "             b",
    ]


def test_a_long_stage_is_heard_of(
    plain: tuple[Report, io.StringIO], monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    monkeypatch.setattr(console, "HEARTBEAT", 0.02)
    monkeypatch.setattr(console, "REFRESH", 0.01)
    told, stream = plain
    with told.stage("gcc-armv6", log, 725.0):
        assert told.running() == ["gcc-armv6"]
        until(lambda: stream.getvalue().count("\n") >= 2)
    lines = stream.getvalue().splitlines()
    words = r"\d+\.\d s of about 12 min 05 s, log 2 kB"
    assert re.fullmatch(rf"  {'gcc-armv6':28} running  {words}", lines[0])
    assert told.running() == []
    heard = stream.getvalue()
    time.sleep(0.05)
    assert stream.getvalue() == heard, "a stage that has ended is heard of no more"


def test_a_short_stage_is_not(
    plain: tuple[Report, io.StringIO], monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    monkeypatch.setattr(console, "REFRESH", 0.001)
    told, stream = plain
    with told.stage("quick", log):
        time.sleep(0.02)
    assert stream.getvalue() == ""


def test_a_failed_stage_runs_no_more(plain: tuple[Report, io.StringIO], tmp_path: Path) -> None:
    told, _ = plain
    with pytest.raises(ValueError, match="broken"), told.stage("one", tmp_path / "no-log-yet"):
        raise ValueError("broken")
    assert told.running() == []


def test_a_terminal_has_one_live_line(monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
    monkeypatch.setattr(console, "REFRESH", 0.01)
    stream = Terminal()
    told = Report(stream)
    told.planned(found=0, all_=5, seconds=3.0)
    with told.stage("gcc-armv6", log):
        until(lambda: "gcc-armv6" in stream.getvalue())
        told.note("meanwhile")
    with told.stage("next", log):
        until(lambda: "\r4 left: next 0." in stream.getvalue())
    told.close()
    text = stream.getvalue()
    assert re.search(r"\r5 left: gcc-armv6 \d+\.\d s, log 2 kB", text)
    assert "  note: meanwhile\n" in text
    assert text.count("\n") == 2, "what lives leaves no lines behind"


def test_downloads_without_a_terminal(plain: tuple[Report, io.StringIO]) -> None:
    told, stream = plain
    for name, bytes_ in (("small.tar", 1000), ("gcc.tar", 92_069_968)):
        told.start(name, bytes_)
        told.advance(name, bytes_)
        told.done(name)
    assert stream.getvalue() == f"  {'gcc.tar':28} fetching  92.1 MB\n"


def test_downloads_on_a_terminal_show_how_far_they_are() -> None:
    stream = Terminal()
    told = Report(stream)
    told.start("gcc.tar", 1000)
    told.advance("gcc.tar", 500)
    told.done("gcc.tar")
    told.close()
    assert "gcc.tar" in stream.getvalue()
    assert "\n" not in stream.getvalue()


def test_closing_twice_is_closing(plain: tuple[Report, io.StringIO], log: Path) -> None:
    told, _ = plain
    with told.stage("one", log):
        pass
    told.close()
    told.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (60, "1 min 00 s"),
        (185, "3 min 05 s"),
        (119.7, "2 min 00 s"),
        (7325, "122 min 05 s"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e6))
def test_no_duration_has_sixty_seconds(seconds: float) -> None:
    assert "60" not in duration(seconds).split("min")[-1]


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        (0, "0 B"),
        (950, "950 B"),
        (1000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (1_234_567, "1.2 MB"),
        (999_999, "1.0 MB"),
        (20 * 10**9, "20.0 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_sizes_for_people(bytes_: int, text: str) -> None:
    assert size(bytes_) == text


def test_quiet_says_results_and_failures_alone(
    plain: tuple[Report, io.StringIO], log: Path
) -> None:
    report, stream = plain
    report.level = "quiet"
    report.found("musl-armv6")
    with report.stage("gcc-armv6", log):
        report.built("gcc-armv6", 1.0, 1.0, 0.0)
    report.failed("demo-armv6", "no", 0)
    report.note("fixes are missing")
    report.close()
    assert [line.split()[:2] for line in stream.getvalue().splitlines()] == [
        ["demo-armv6", "failed"],
        ["note:", "fixes"],
    ]


def test_verbose_names_the_log_of_what_begins(plain: tuple[Report, io.StringIO], log: Path) -> None:
    report, stream = plain
    with report.stage("a", log):
        pass
    assert stream.getvalue() == ""
    report.level = "verbose"
    with report.stage("gcc-armv6", log):
        pass
    report.close()
    assert stream.getvalue().split() == ["gcc-armv6", "begins", "log:", str(log)]
