"""Commands and functions timed in turns, so that whatever else the machine does befalls both."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOX = (sys.executable, "-m", "nox")
KEPT = re.compile(
    r"PATH|HOME|USER|LANG|TERM|TMPDIR|(CARGO|RUSTUP)_HOME|CARGO_(HTTP|NET|REGISTR|SOURCE).*"
    r"|.*_PROXY|(SSL|PIP|UV|XDG|MUSLIN)_.*",
    re.IGNORECASE,
)
"""Variables that say where things are and how to get at them, and not what is built."""


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


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def environment(**more: str) -> dict[str, str]:
    """What the commands of a comparison get: nothing of the caller's that changes programs."""
    return {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)} | more


def in_turns(*measured: Callable[[], float], times: int) -> list[tuple[float, ...]]:
    """Measure the one and the other, again and again; a first time of each does not count."""
    for one in measured:
        one()
    rounds = [[one() for one in measured] for _ in range(times)]
    return [*zip(*rounds, strict=True)]


def command(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    before: Callable[[], object] = lambda: None,
    says: Sequence[str] = (),
) -> Callable[[], float]:
    """Seconds of a command that must end with 0 and print something of each pattern; `before` does
    not count."""

    def measured() -> float:
        before()
        began = time.perf_counter()
        done = subprocess.run(
            [str(word) for word in argv], cwd=cwd, env=dict(env), capture_output=True, check=False
        )
        seconds = time.perf_counter() - began
        printed = done.stdout.decode()
        assert done.returncode == 0, f"{argv}\n{printed}{done.stderr.decode()}"
        missing = [pattern for pattern in says if not re.search(pattern, printed)]
        assert not missing, f"{argv} does not say {missing}:\n{printed}"
        return seconds

    return measured
