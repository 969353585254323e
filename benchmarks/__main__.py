"""`nox -s bench`: the comparisons, and the page that shows them.

Wants `nox -s build-all` and `nox -s sdk` of the targets first, and an idle machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from datetime import date
from pathlib import Path

from benchmarks import engine, warm
from benchmarks.timing import Pair, spread

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "performance.md"


def machine() -> str:
    """Its size, in words."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB of memory, {date.today():%Y-%m-%d}"


def table(pairs: list[Pair]) -> str:
    rows = [
        f"| {one.what} | {spread(one.ours)} | {spread(one.theirs)} | **{one.ratio:.2f}** | "
        f"{one.at_most if one.at_most is not None else 'none'} | {len(one.ours)} | {one.how} |"
        for one in pairs
    ]
    head = (
        f"Measured on {machine()}.",
        "",
        "| what | ours, s | theirs, s | ratio | aim | runs | commands |",
        "|---|---|---|---|---|---|---|",
    )
    return "\n".join((*head, *rows))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="nox -s bench --")
    parser.add_argument("targets", nargs="*", default=["x86_64", "aarch64", "armv7", "armv6"])
    parser.add_argument("--times", type=int, default=9)
    said = parser.parse_args()
    pairs = [
        engine.nothing_to_do(PROJECT, said.times),
        engine.many_stages(said.times),
        warm.restored(PROJECT, said.targets, said.times),
        warm.one_line(PROJECT, said.targets, max(3, said.times // 3)),
    ]
    found = table(pairs)
    print(found)
    page = PAGE.read_text()
    pattern = r"(<!-- warm -->\n).*?(\n<!-- end -->)"
    PAGE.write_text(
        re.sub(pattern, lambda part: f"{part[1]}{found}{part[2]}", page, flags=re.DOTALL)
    )


if __name__ == "__main__":
    main()
