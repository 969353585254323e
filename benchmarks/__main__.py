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
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from benchmarks import cold, engine, picture, programs, timing, warm
from benchmarks.timing import Pair, installed, spread
from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.engine.console import Report
from muslin.models.target import Target

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "performance.md"
PICTURE = PROJECT / "docs" / "cold-build.svg"
PIPE = r"\|"
"""A pipe in a cell of a table."""


def machine(jobs: int) -> str:
    """Its size, in words."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = timing.cores()
    side = "" if jobs == cores else f", {jobs} jobs side by side"
    return f"{cores} cores ({model}), {memory:.0f} GB of memory{side}, {date.today():%Y-%m-%d}"


def table(pairs: list[Pair], jobs: int) -> str:
    rows = [
        (
            one.what,
            f"{spread(one.ours)} {one.unit}",
            f"{spread(one.theirs)} {one.unit}",
            f"**{one.ratio:.2f}**",
            str(one.at_most) if one.at_most is not None else "none",
            str(len(one.ours)),
            one.how,
        )
        for one in pairs
    ]
    head = (
        f"Measured on {machine(jobs)}.",
        "",
        "| what | ours | theirs | ratio | aim | runs | commands |",
        "|---|---|---|---|---|---|---|",
    )
    lines = (f"| {' | '.join(cell.replace('|', PIPE) for cell in row)} |" for row in rows)
    return "\n".join((*head, *lines))


def written(mark: str, text: str) -> None:
    """Put a text between two marks of the page."""
    pattern = rf"(<!-- {mark} -->\n).*?(\n<!-- end -->)"
    page = PAGE.read_text()
    made, count = re.subn(pattern, lambda part: f"{part[1]}{text}{part[2]}", page, flags=re.DOTALL)
    assert count == 1, f"{PAGE.name} has no place for {mark}"
    PAGE.write_text(made)
    print(text)


def drawn(run: Pipeline, targets: Sequence[Target]) -> None:
    """The picture of the last cold build."""
    names = [one.name for one in targets]
    wanted = [f"compiler-{name}" for name in names]
    places = (run.context.settings.cache / "bench" / "runs", run.context.settings.cache / "runs")
    found = filter(None, (picture.last_with(place, wanted) for place in places))
    # Runs are named by when they began.
    events = max(found, key=lambda one: one.parent.name, default=None)
    if events is None:
        sys.exit(f"no run in the cache's runs/ built all of {', '.join(wanted)}; --cold makes one")
    built = picture.spans(events)
    PICTURE.write_text(picture.svg(built, jobs=picture.jobs(events), targets=names))
    print(f"{PICTURE.name}: {len(built)} stages of {events.parent.name}")


def compared_warm(run: Pipeline, targets: Sequence[Target], times: int) -> None:
    """The table of what is built already, which grows by a row with each comparison."""
    names, pairs = [one.name for one in targets], list[Pair]()
    for program in ("ninja", "wrk", "zstd"):
        installed(program)
    for one in targets:
        if not (run.context.settings.dist / "toolchains" / one.name / "env.sh").exists():
            sys.exit(f"{one.name} has no toolchain in dist/: `nox -s build-all` and `nox -s sdk`")
    comparisons: tuple[Callable[[], list[Pair]], ...] = (
        lambda: [engine.nothing_to_do(PROJECT, times)],
        lambda: engine.many_stages(times),
        lambda: [warm.restored(PROJECT, names, times)],
        lambda: programs.sizes(run, ("hello-http", "hello-tls")),
        lambda: programs.requests(run, times),
        lambda: warm.one_line(PROJECT, names, max(3, times // 3)),
    )
    for compared in comparisons:
        pairs += compared()
        written("warm", table(pairs, run.context.settings.jobs))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="nox -s bench --")
    parser.add_argument("targets", nargs="*", help="the default ones without")
    parser.add_argument("--times", type=int, default=9)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cold", action="store_true")
    what.add_argument("--options", action="store_true")
    what.add_argument("--picture", action="store_true")
    parser.add_argument("--by-hand", nargs="+", metavar="TARGET", help="with --cold: only these")
    said = parser.parse_args()
    if said.by_hand and not said.cold:
        parser.error("--by-hand says what --cold builds by hand")
    with closing(Report(sys.stderr)) as report:
        context = Context(PROJECT, report)
        run = Pipeline(context, context.select(said.targets))
        targets = run.selection.targets
        if said.picture:
            drawn(run, targets)
        elif said.cold:
            by_hand = run.context.targets_of(said.by_hand) if said.by_hand else targets
            if unknown := [one.name for one in by_hand if one not in targets]:
                parser.error(f"{', '.join(unknown)} by hand has nothing to be compared with")
            pairs = cold.toolchains(run, targets, by_hand)
            written("cold", table([*pairs], run.context.settings.jobs))
            drawn(run, targets)
        elif said.options:
            options = programs.options(run, said.times)
            runs = f"{said.times} runs each, in turns"
            written(
                "options", f"Measured on {machine(run.context.settings.jobs)}; {runs}.\n\n{options}"
            )
        else:
            compared_warm(run, targets, said.times)


if __name__ == "__main__":
    main()
