"""SIGKILL at random moments of a real build; the next run must end right every time.

Takes minutes per kill, so it is run by name, after `nox -s build-all` for the target:
`nox -s tests -- tests/endurance/test_kills.py --targets armv6 --kills 50`.
It works on a copy of the cache.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.cache.store import Store
from muslin.engine.stage import Stage
from tests.product.conftest import PROJECT, pipeline

__all__ = ["pipeline"]  # the fixture

SHORT = ("image-", "emulator-known-", "openssl-known-", "rustc-known-")
"""Over before a kill could come; images are made again with their programs."""
LONGEST = 45.0
"""Seconds after which a kill comes at the latest."""
OF_THE_TOOLCHAIN = ("headers", "binutils", "toolchain")
"""Its own stages, less gcc, which alone takes twenty minutes: `--stages gcc` asks for it."""


@dataclass(kw_only=True)
class Range:
    """A copy of the checkout and of the part of the cache that one target needs."""

    checkout: Path
    cache: Path
    target: str
    stages: dict[str, str]
    """Name -> key."""
    needs: dict[str, set[str]]
    """Name -> names of its needs."""
    sums: str = ""
    killed: list[str] = field(default_factory=list)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A session in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "nox", "-s", *words],
            cwd=self.checkout,
            env={**os.environ, "MUSLIN_CACHE": str(self.cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, *words: str) -> str:
        """A session that must end well."""
        process = self.start(*words)
        printed, _ = process.communicate(timeout=7200)
        assert process.returncode == 0, f"after {self.killed}:\n{printed}"
        return printed

    def build(self) -> str:
        """Build everything of the target; what the artefacts' digests are."""
        self.finish("build-all", "--", self.target)
        return (self.checkout / "dist" / "SHA256SUMS").read_text()

    def with_dependents(self, names: Iterable[str]) -> set[str]:
        """Stages and what is made of them, less the compiler: a run does not look at what is
        behind something that it finds."""
        found, left = set[str](), set(names)
        while left:
            found |= left
            left = {name for name, needs in self.needs.items() if needs & left} - found
            left = {name for name in left if not name.startswith("gcc-")}
        return found

    def round(self, dropped: Iterable[str], moment: float) -> bool:
        """Drop stages and all that is made of them, kill the build of them after some seconds,
        and look at the next run; whether the kill came in time."""
        dropped = tuple(dropped)
        self.drop(self.with_dependents(dropped))
        in_time = self.kill("build-all", moment, "+".join(dropped))
        assert self.build() == self.sums, f"other artefacts after {self.killed[-1]}"
        self.look(in_time=in_time)
        return in_time

    def round_of_the_toolchain(self, name: str, moment: float) -> bool:
        """The same with a stage of the toolchain's own, and with the toolchain as the goal."""
        toolchain = f"toolchain-{self.target}"
        before = [self.digests(each) for each in (name, toolchain)]
        self.drop((name, toolchain))
        in_time = self.kill("toolchain", moment, name)
        self.finish("toolchain", "--", self.target)
        after = [self.digests(each) for each in (name, toolchain)]
        assert after == before, f"another toolchain after {self.killed[-1]}"
        self.look(in_time=in_time)
        return in_time

    def drop(self, names: Iterable[str]) -> None:
        """Take stages out of the store."""
        store = Store(self.cache)
        for name in names:
            store.drop(self.stages[name])

    def digests(self, name: str) -> dict[str, object]:
        """Path -> digest or target of everything in a stage's output."""
        text = (self.cache / "store" / self.stages[name] / "manifest.json").read_text()
        return {path: said[-1] for path, said in json.loads(text).items()}

    def kill(self, session: str, moment: float, what: str) -> bool:
        """Whether a session still ran when it was killed after some seconds."""
        process = self.start(session, "--", self.target)
        time.sleep(moment)
        in_time = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.killed.append(f"{what} at {moment:.1f} s")
        return in_time

    def look(self, *, in_time: bool) -> None:
        """Verify the whole store, and that nothing is left over."""
        self.finish("gc", "--", "--verify")
        assert not list((self.cache / "work").iterdir()), f"left over after {self.killed[-1]}"
        print(f"{self.killed[-1]}: {'killed' if in_time else 'had ended before'}", flush=True)


@pytest.fixture
def range_(pipeline: Pipeline, pytestconfig: pytest.Config, tmp_path: Path) -> Range:
    """The first of `--targets`, all of it built, in a cache of its own."""
    target = pipeline.context.targets[pytestconfig.getoption("--targets").split(",")[0]]
    keys = pipeline.builder().keys
    selected = Pipeline(pipeline.context, pipeline.context.select([target.name]))
    closure = _closure(selected.goals("package"))
    stages = {stage.name: keys.of(stage) for stage in closure}
    needs = {stage.name: {need.name for _, need in stage.needs} for stage in closure}
    cache, ours = tmp_path / "cache", pipeline.context.settings.cache
    (cache / "store").mkdir(parents=True)
    for name in ("format", "run-lock.toml", "apt", "downloads", "history"):
        if (ours / name).exists():
            subprocess.run(["cp", "-a", ours / name, cache / name], check=True)
    for name, key in stages.items():
        assert (ours / "store" / key).is_dir(), f"{name} is not built: run `nox -s build-all` first"
        subprocess.run(["cp", "-a", ours / "store" / key, cache / "store" / key], check=True)
    checkout = tmp_path / "muslin"
    shutil.copytree(PROJECT, checkout, ignore=shutil.ignore_patterns(".nox", ".git"))
    shutil.rmtree(checkout / "dist", ignore_errors=True)
    place = Range(checkout=checkout, cache=cache, target=target.name, stages=stages, needs=needs)
    place.sums = place.build()
    return place


def _closure(goals: Iterable[Stage]) -> list[Stage]:
    seen: dict[int, Stage] = {}

    def visit(stage: Stage) -> None:
        if id(stage) not in seen:
            seen[id(stage)] = stage
            for _, other in (*stage.needs, *stage.tools, *stage.judges):
                visit(other)

    for goal in goals:
        visit(goal)
    return list(seen.values())


def test_a_build_upon_a_finished_toolchain(range_: Range, pytestconfig: pytest.Config) -> None:
    kills, seed = pytestconfig.getoption("--kills"), random.randrange(10**6)
    print(f"seed {seed}")
    dice, suffix = random.Random(seed), f"-{range_.target}"
    parts = [
        name
        for name in range_.stages
        if name.endswith(suffix) and not name.startswith((*OF_THE_TOOLCHAIN, *SHORT, "gcc"))
    ]
    walls = {
        name: sum(_wall(range_, one) for one in range_.with_dependents([name])) for name in parts
    }
    weights = [1 / (5 + wall) for wall in walls.values()]  # or OpenSSL would take most of the hour
    count = 0
    while count < kills:
        dropped = set(dice.choices(parts, weights, k=dice.choice((1, 2, 3))))
        longest = 1.0 + sum(walls[name] for name in dropped)
        count += range_.round(sorted(dropped), dice.uniform(0.3, min(longest, LONGEST)))


def test_in_the_middle_of_the_toolchains_own_stages(
    range_: Range, pytestconfig: pytest.Config
) -> None:
    stages = pytestconfig.getoption("--stages").split(",")
    dice = random.Random()
    killed = 0
    for number in range(3):
        name = f"{stages[number % len(stages)]}-{range_.target}"
        moment = dice.uniform(0.2, 0.8) * _wall(range_, name)
        killed += range_.round_of_the_toolchain(name, moment)
    assert killed == 3, range_.killed
    assert range_.build() == range_.sums


def _wall(range_: Range, name: str) -> float:
    entry = Store(range_.cache).find(range_.stages[name])
    assert entry is not None
    return entry.record.wall_seconds
