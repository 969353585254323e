"""`nox -s bench`: the comparisons, and the page that shows them.

Wants `nox -s build-all` and `nox -s sdk` of the targets first, and an idle machine. `--options`
measures what a service's options do; `--cold` builds the toolchains from nothing and by hand;
`--picture` draws the last run that built every compiler.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

from benchmarks import cold, engine, picture, programs, warm
from benchmarks.timing import Pair, spread
from recipes.engine.report import Report
from recipes.pipeline import Pipeline

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "performance.md"
PICTURE = PROJECT / "docs" / "cold-build.svg"


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
        f"| {one.what} | {spread(one.ours)} {one.unit} | {spread(one.theirs)} {one.unit} "
        f"| **{one.ratio:.2f}** | {one.at_most if one.at_most is not None else 'none'} "
        f"| {len(one.ours)} | {one.how} |"
        for one in pairs
    ]
    head = (
        f"Measured on {machine()}.",
        "",
        "| what | ours | theirs | ratio | aim | runs | commands |",
        "|---|---|---|---|---|---|---|",
    )
    return "\n".join((*head, *rows))


def written(mark: str, text: str) -> None:
    """Put a text between two marks of the page."""
    pattern = rf"(<!-- {mark} -->\n).*?(\n<!-- end -->)"
    page = PAGE.read_text()
    made, count = re.subn(pattern, lambda part: f"{part[1]}{text}{part[2]}", page, flags=re.DOTALL)
    assert count == 1, f"{PAGE.name} has no place for {mark}"
    PAGE.write_text(made)
    print(text)


def drawn(run: Pipeline, targets: list[str]) -> None:
    """The picture of the last cold build."""
    wanted = [f"compiler-{target}" for target in targets]
    events = picture.last_with(run.settings.cache / "runs", wanted)
    if events is None:
        sys.exit(f"no run in the cache's runs/ built all of {', '.join(wanted)}; --cold makes one")
    built = picture.spans(events)
    PICTURE.write_text(picture.svg(built, jobs=run.settings.jobs, targets=targets))
    print(f"{PICTURE.name}: {len(built)} stages of {events.parent.name}")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="nox -s bench --")
    parser.add_argument("targets", nargs="*", default=["x86_64", "aarch64", "armv7", "armv6"])
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--by-hand", nargs="+", metavar="TARGET", help="with --cold: only these")
    parser.add_argument("--options", action="store_true")
    parser.add_argument("--picture", action="store_true")
    said = parser.parse_args()
    with closing(Report(sys.stderr)) as report:
        run = Pipeline(PROJECT, report)
        if said.picture:
            drawn(run, said.targets)
        elif said.cold:
            chosen = run.chosen(said.targets)
            by_hand = run.chosen(said.by_hand) if said.by_hand else chosen
            written("cold", table([*cold.toolchains(run, chosen, by_hand)]))
            drawn(run, said.targets)
        elif said.options:
            options = programs.options(run, said.times)
            written("options", f"Measured on {machine()}.\n\n{options}")
        else:
            pairs = [
                engine.nothing_to_do(PROJECT, said.times),
                engine.many_stages(said.times),
                warm.restored(PROJECT, said.targets, said.times),
                warm.one_line(PROJECT, said.targets, max(3, said.times // 3)),
                *programs.sizes(run, ("hello-http", "hello-tls")),
                programs.requests(run, said.times),
            ]
            written("warm", table(pairs))


if __name__ == "__main__":
    main()
