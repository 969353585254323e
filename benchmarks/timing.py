"""Commands and functions timed in turns, so that whatever else the machine does befalls both."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Ours and another's, each measured the same number of times."""

    what: str
    how: str
    """The two commands or what stands for them."""
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    at_most: float | None
    """The ratio that is aimed at."""
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)


def spread(values: Sequence[float]) -> str:
    """Median, and least and most where there are several."""
    few = [_figure(one) for one in (statistics.median(values), min(values), max(values))]
    return few[0] if len(values) == 1 else f"{few[0]} ({few[1]} to {few[2]})"


def _figure(value: float) -> str:
    return f"{value:.4g}" if value < 10_000 else f"{value:,.0f}"  # four digits


def installed(program: str) -> str:
    """The path of a program that a comparison takes; ends with a message where it is missing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which(program, path=path)
    if found is None:
        sys.exit(f"{program} is not installed, and this comparison takes it: pip or apt-get has it")
    return found


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], times: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure the one and the other, again and again; a first time of each does not count."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(times)]
    first, second = zip(*pairs, strict=True)
    return first, second


def command(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    before: Callable[[], object] = lambda: None,
) -> Callable[[], float]:
    """Seconds of a command that must end with 0; `before` is not counted."""

    def measured() -> float:
        before()
        began = time.perf_counter()
        done = subprocess.run(
            [str(word) for word in argv], cwd=cwd, env=dict(env), capture_output=True, check=False
        )
        seconds = time.perf_counter() - began
        assert done.returncode == 0, f"{argv}\n{done.stdout.decode()}{done.stderr.decode()}"
        return seconds

    return measured
