"""Trials of faults, on a small repository of the test's own: real tests, in walls that hold."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from muslin.engine.process import landlock
from mutants import left_out, trial
from mutants.concerned import Concerned
from mutants.trial import Trial, Unusable

PROJECT = Path(__file__).resolve().parents[2]
THING = "def double(number: int) -> int:\n    return 2 * number\n"
USER = "from recipes import thing\ndef four() -> int:\n    return thing.double(2)\n"
TESTS = {
    "unit/test_thing": "from recipes.thing import double\ndef test():\n    assert double(2) == 4\n",
    "unit/test_user": "from recipes import user\ndef test():\n    assert user.four() == 4\n",
    "unit/test_other": "def test():\n    pass\n",
}


@pytest.fixture
def by(tmp_path: Path) -> Trial:
    """A trial of a repository with a module, another that uses it, and tests."""
    try:
        trial.insist_on_walls()
    except Unusable as fault:
        if os.geteuid() == 0 and landlock.abi() >= landlock.LEAST_ABI:
            raise
        pytest.skip(str(fault))
    files = {f"tests/{name}.py": text for name, text in TESTS.items()} | {
        "recipes/thing.py": THING,
        "recipes/user.py": USER,
        "noxfile.py": "",
        ".git/config": "",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "aside").mkdir()
    made = Trial(project=tmp_path / "project", folder=tmp_path / "aside")
    made.lay_out()
    return made


def put(by: Trial, text: str) -> None:
    (by.root / "recipes/thing.py").write_text(text)


def test_the_copy_is_the_repository_without_what_was_built(by: Trial) -> None:
    assert (by.root / "recipes/thing.py").read_text() == THING
    assert not (by.root / ".git").exists()


def test_tests_by_how_much_they_concern_a_module(by: Trial) -> None:
    near, others = Concerned(by.root).tests("recipes/thing.py")
    assert near == ["tests/unit/test_thing.py"]
    assert others == ["tests/unit/test_user.py"]


def test_a_fault_is_noticed_and_no_fault_is_not(by: Trial) -> None:
    tests = ["tests/unit/test_thing.py"]
    by.insist_on_passing(tests)
    put(by, THING.replace("2", "3"))  # of the same size, perhaps at the same moment
    assert by.outcome(tests) == "failed"
    assert by.outcome([]) == "passed"


def test_tests_that_fail_without_a_fault_are_told(by: Trial) -> None:
    put(by, THING.replace("2", "3"))
    with pytest.raises(Unusable, match=r"(?s)tests fail where nothing is wrong:.*assert 6 == 4"):
        by.insist_on_passing(["tests/unit/test_thing.py"])


def test_tests_that_never_end_are_ended(by: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = ["tests/unit/test_thing.py"]
    by.insist_on_passing(tests)
    monkeypatch.setattr(trial, "SLACK", 0.0)
    monkeypatch.setattr(trial, "LEAST", 3.0)
    mark = f"1000.{os.getpid()}"
    put(by, f"import subprocess, time\nsubprocess.Popen(['sleep', '{mark}'])\ntime.sleep(1000)\n")
    assert by.outcome(tests) == "ran on"
    deadline = time.monotonic() + 30
    while subprocess.run(["pgrep", "-f", f"sleep {mark}"], check=False, capture_output=True).stdout:
        assert time.monotonic() < deadline, "what it had started is ended too"
        time.sleep(0.05)


WALLS = """
import os, pathlib, signal
HERE = pathlib.Path({here!r})
try:
    (HERE / "kept").unlink()
except OSError:
    pass
try:
    os.kill({process}, signal.SIGKILL)
except ProcessLookupError:
    pass
assert pathlib.Path.home().is_relative_to({folder!r})
pathlib.Path.home().joinpath("mine").touch()
"""


def test_a_fault_reaches_no_file_and_no_process_of_others(by: Trial, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with subprocess.Popen(["sleep", "1000"]) as bystander:
        put(
            by,
            WALLS.format(here=str(tmp_path), process=bystander.pid, folder=str(by.folder)) + THING,
        )
        by.insist_on_passing(["tests/unit/test_thing.py"])
        assert bystander.poll() is None
        bystander.kill()
    assert (tmp_path / "kept").exists()


def test_what_is_left_out_is_there_and_has_a_reason() -> None:
    lines = {
        path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8").splitlines()
        for package in ("muslin", "recipes")
        for path in (PROJECT / package).rglob("*.py")
    }
    for one in left_out.load():
        assert one.reason
        assert any(
            one.covers(name, line.strip()) for name, some in lines.items() for line in some
        ), one
