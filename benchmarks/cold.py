"""Toolchains from nothing: ours for all targets at once, and one after another by hand.

Takes two hours and more on two cores, so it is asked for: `nox -s bench -- --cold`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.timing import Pair, command
from recipes.engine import archive
from recipes.pipeline import Pipeline
from recipes.stages.toolchain import CXX_PROGRAM
from recipes.target import Target

BY_HAND = Path(__file__).with_name("naive.sh")
LIBRARIES = ("gmp", "mpfr", "mpc")


def toolchains(
    run: Pipeline, targets: Sequence[Target], by_hand: Sequence[Target]
) -> tuple[Pair, ...]:
    """Wall time against that of toolchains built by hand, how busy the processors were, and what
    the lesser optimisation of our compiler costs those who use it.

    Sources are downloaded before, and unpacked before where they are built by hand. Ours goes into
    the user's cache afterwards. What was measured since the machine started is not measured again,
    so a comparison that was cut off goes on.
    """
    measured, keys = Measured(run.settings.cache), run.builder().keys
    stages = {one.name: keys.of(run.catalog().toolchain(one)) for one in targets}
    script = hashlib.sha256(BY_HAND.read_bytes()).hexdigest()[:12]
    with tempfile.TemporaryDirectory(dir=run.settings.cache) as aside:
        folder = Path(aside)
        path = _prepare(run, targets, folder)
        ours = " ".join(("ours", *stages.values()))
        wall, busy = measured.once(ours, lambda: _ours(run, targets, folder / "cache"))
        for target in by_hand:
            entry = run.store.find(stages[target.name])
            assert entry is not None, f"the cache has lost {target.name}'s toolchain"
            make = functools.partial(_by_hand, run, target, folder, path, entry.tree)
            measured.once(f"{target.name} {script}", make)
    known = {one.name: measured.known(f"{one.name} {script}") for one in targets}
    return _pairs(run, wall, busy, known)


class Measured:
    """What was measured since the machine started: figures by name, in the cache's `bench/`."""

    def __init__(self, cache: Path) -> None:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self._file = cache / "bench" / f"{boot}.json"

    def known(self, name: str) -> list[float] | None:
        """The figures of a measurement that was made."""
        return self._all().get(name)

    def once(self, name: str, measure: Callable[[], Sequence[float]]) -> list[float]:
        """The figures, measured now if they are not known."""
        if (found := self.known(name)) is None:
            found = list(measure())
            self._file.parent.mkdir(exist_ok=True)
            self._file.write_text(json.dumps({**self._all(), name: found}, indent=1))
        print(f"{name}: {', '.join(f'{one:.0f} s' for one in found)}", flush=True)
        return found

    def _all(self) -> dict[str, list[float]]:
        if not self._file.exists():
            return {}
        found: dict[str, list[float]] = json.loads(self._file.read_text())
        return found


def _pairs(
    run: Pipeline, wall: float, busy: float, by_hand: Mapping[str, list[float] | None]
) -> tuple[Pair, ...]:
    """`by_hand`: for each target the seconds of its toolchain, then of OpenSSL with ours and with
    it; None where it was not built. Those count as much as the mean of the others."""
    known = {name: figures for name, figures in by_hand.items() if figures is not None}
    took = {name: figures[0] for name, figures in known.items()}
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items())
    others = [name for name in by_hand if name not in known]
    rest = f"; **{', '.join(others)} not built by hand**, counted as the mean" if others else ""
    first = next(iter(known))
    return (
        Pair(
            what=f"{len(by_hand)} toolchains from nothing, to as many built by hand in turn at -O2",
            how=f"`nox -s toolchain -- {' '.join(by_hand)}` with an empty cache; "
            f"`benchmarks/naive.sh` ({each}{rest})",
            ours=(wall,),
            theirs=(statistics.mean(took.values()) * len(by_hand),),
            at_most=0.5,
        ),
        Pair(
            what="CPU seconds of ours, to what the cores had in its time (1 is best, 0.92 the aim)",
            how="user and system time of all processes; wall time and the number of cores",
            ours=(busy,),
            theirs=(wall * run.settings.jobs,),
            at_most=None,
        ),
        Pair(
            what=f"compiling OpenSSL for {first}, to the same with the compiler made by hand",
            how=f"`Configure no-tests {run.targets[first].openssl.target}`, `make build_libs`; "
            "make is timed",
            ours=(known[first][1],),
            theirs=(known[first][2],),
            at_most=None,
        ),
    )


def _prepare(run: Pipeline, targets: Sequence[Target], folder: Path) -> str:
    """The sources by hand's way, and the PATH with what the host may lack."""
    catalog, downloads = run.catalog(), folder / "cache" / "downloads"
    with run.at_work(), ThreadPoolExecutor(run.settings.jobs) as executor:
        headers = {one.triple: catalog.headers(one) for one in targets}
        tools = [stage for _, stage in catalog.tools()]
        wanted = [catalog.gcc_source(), *headers.values(), *tools]
        trees = {name: one.tree for name, one in run.builder().build(wanted, executor).items()}
        sources = folder / "sources"
        _copied(trees["gcc-source"], sources / "gcc")
        for triple, stage in headers.items():
            _copied(trees[stage.name], folder / "headers" / triple)
        for name in ("binutils", "musl", *LIBRARIES):
            file, member = run.fetcher.fetch(run.pins.source(name)), run.pins.member(name)
            if member:
                archive.unpack(file, folder / "package", only=(member,))
                file = folder / "package" / member
            into = sources / "gcc" / name if name in LIBRARIES else sources / name
            archive.unpack(file, into, strip=1)
    # Debian strips gmp's manual with its folder; configure insists on the Makefile.
    manual = sources / "gcc" / "gmp" / "doc" / "Makefile.in"
    manual.parent.mkdir(exist_ok=True)
    manual.write_text("all install check clean:\n")
    shutil.copytree(run.settings.cache / "downloads", downloads)
    return ":".join([*(f"{trees[stage.name]}/bin" for stage in tools), os.environ["PATH"]])


def _copied(tree: Path, to: Path) -> None:
    """What the store has, to be written to."""
    shutil.copytree(tree, to, symlinks=True)
    subprocess.run(["chmod", "-R", "u+w", to], check=True)


def _by_hand(
    run: Pipeline, target: Target, folder: Path, path: str, ours: Path
) -> tuple[float, float, float]:
    """Seconds that a toolchain takes by hand, and OpenSSL with ours and with that one."""
    began = time.perf_counter()
    with (folder / f"{target.name}.log").open("w") as log:
        done = subprocess.run(
            ["sh", BY_HAND, folder, str(run.settings.jobs), target.triple, *target.gcc.configure],
            env={**os.environ, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.perf_counter() - began
    last = (folder / f"{target.name}.log").read_text(errors="replace")[-3000:]
    assert done.returncode == 0, f"{target.name} by hand:\n{last}"
    _insist_on_cxx(target, folder / target.triple / "out" / "bin")
    programs = (ours / "bin", folder / target.triple / "out" / "bin")
    using, with_theirs = (_openssl(run, target, folder, each) for each in programs)
    shutil.rmtree(folder / target.triple)
    return seconds, using, with_theirs


def _insist_on_cxx(target: Target, programs: Path) -> None:
    """That the toolchain by hand makes what ours is asked for."""
    with tempfile.TemporaryDirectory() as aside:
        source = Path(aside, "x.cc")
        source.write_text(CXX_PROGRAM)
        compiler = programs / f"{target.triple}-g++"
        subprocess.run([compiler, "-static", source, "-o", source.with_suffix("")], check=True)


def _openssl(run: Pipeline, target: Target, folder: Path, programs: Path) -> float:
    """Seconds of compiling OpenSSL anew with a compiler."""
    source = run.fetcher.fetch(run.pins.source("openssl"))
    work = folder / "openssl"

    def configured() -> None:
        shutil.rmtree(work, ignore_errors=True)
        archive.unpack(source, work, strip=1)
        subprocess.run(
            [
                *("perl", "Configure", "no-tests", "no-shared", target.openssl.target),
                f"--cross-compile-prefix={programs}/{target.triple}-",
            ],
            cwd=work,
            check=True,
            capture_output=True,
        )

    make = ("make", f"-j{run.settings.jobs}", "build_libs")
    return command(make, cwd=work, env=dict(os.environ), before=configured)()


def _ours(run: Pipeline, targets: Sequence[Target], cache: Path) -> tuple[float, float]:
    """Wall and CPU seconds of all toolchains from nothing; they go into the user's cache then."""
    began, before = time.perf_counter(), _cpu_seconds()
    subprocess.run(
        [sys.executable, "-m", "nox", "-s", "toolchain", "--", *(one.name for one in targets)],
        cwd=run.settings.project,
        env={**os.environ, "MUSLIN_CACHE": str(cache)},
        check=True,
    )
    took = time.perf_counter() - began, _cpu_seconds() - before
    shutil.copytree(cache / "runs", run.settings.cache / "runs", dirs_exist_ok=True)
    for entry in (cache / "store").iterdir():
        if not (run.store.root / entry.name).exists():
            entry.rename(run.store.root / entry.name)
    return took


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
