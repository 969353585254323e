"""`nox -s mutants -- [MODULES] [--sample N] [--seed S] [--near]`: put small faults into the code,
one at a time, and see whether a test notices.

MODULES are files, folders or names such as `engine` or `audit/arm.py`; without any it is all of
recipes/. `--sample 0` takes every fault. Ends with 1 where fewer than 90 % were noticed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mutants import faults, trial
from mutants.concerned import Concerned
from mutants.faults import Fault
from mutants.trial import Trial, Unusable

PROJECT = Path(__file__).resolve().parents[1]
ENOUGH = 0.9
"""Which part of the faults must be noticed."""
SEEDS = 10**6
PACKAGES = ("muslin", "recipes")


def chosen(root: Path, wanted: Sequence[str]) -> list[str]:
    """Paths of the modules that words mean; raises `Unusable` for a word that means none."""
    every = sorted(
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
    )
    meant = set[str]()
    for word in wanted or PACKAGES:
        name = word.removesuffix("/")
        names = [name, *(f"{package}/{name}" for package in PACKAGES)]
        some = [
            path
            for path in every
            if path in names
            or any(path == f"{name}.py" or path.startswith(f"{name}/") for name in names)
        ]
        if not some:
            raise Unusable(f"no module {word} in {' or '.join(PACKAGES)}")
        meant |= {*some}
    return [one for one in every if one in meant]


def noticed(by: Trial, concerned: Concerned, fault: Fault, *, near: bool) -> bool:
    """Whether a test fails of a fault, or never ends."""
    likely, others = concerned.tests(fault.module)
    for tests in (likely, () if near else others):
        by.insist_on_passing(tests)
        with by.broken(fault):
            if by.outcome(tests) != "passed":
                return True
    return False


def tried(by: Trial, drawn: Sequence[Fault], *, near: bool) -> dict[str, list[bool]]:
    """Whether each was noticed, by module, said as it is known."""
    concerned, results = Concerned(by.root), dict[str, list[bool]]()
    for fault in drawn:
        result = noticed(by, concerned, fault, near=near)
        results.setdefault(fault.module, []).append(result)
        print(f"{'noticed ' if result else 'SURVIVED'} {fault}", flush=True)
    return results


def shown(results: dict[str, list[bool]]) -> float:
    """Say the ratios; the one of all."""
    for module, some in results.items():
        print(f"{sum(some):4} of {len(some):4} noticed: {module}")
    every = [one for some in results.values() for one in some]
    ratio = sum(every) / len(every)
    print(f"{sum(every):4} of {len(every):4} noticed: {ratio:.1%}")
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s mutants --")
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--sample", type=int, default=100, help="how many faults; 0 for every one")
    parser.add_argument("--seed", type=int, default=random.randrange(SEEDS), help="of the draw")
    parser.add_argument("--near", action="store_true", help="only tests that name the module")
    parser.add_argument("--processes", type=int, default=0, help="that tests run in, side by side")
    words = parser.parse_args()
    try:
        trial.insist_on_walls()
        modules = chosen(PROJECT, words.modules)
        dice = random.Random(words.seed)
        drawn, passed = faults.sampled(PROJECT, modules, words.sample, dice)
        print(f"{len(drawn)} faults by seed {words.seed}; {passed} left out, with a reason")
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            by = Trial(project=PROJECT, folder=Path(folder), processes=words.processes)
            by.lay_out()
            ratio = shown(tried(by, drawn, near=words.near)) if drawn else 1.0
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    return int(ratio < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
