"""Toolchains from nothing: ours for all targets at once, and one after another by hand.

Takes two hours and more on two cores, so it is asked for: `nox -s bench -- --cold`.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.timing import Pair, command, in_turns
from recipes.engine import archive
from recipes.engine.store import Store
from recipes.pipeline import Pipeline
from recipes.stages.toolchain import CXX_PROGRAM
from recipes.target import Target

BY_HAND = Path(__file__).with_name("naive.sh")
LIBRARIES = ("gmp", "mpfr", "mpc")


def toolchains(run: Pipeline, targets: Sequence[Target]) -> tuple[Pair, ...]:
    """Wall time against that of toolchains built by hand, how busy the processors were, and what
    the lesser optimisation of our compiler costs those who use it.

    Sources are downloaded before, and unpacked before where they are built by hand.
    """
    with tempfile.TemporaryDirectory(dir=run.settings.cache) as aside:
        folder = Path(aside)
        path = _prepare(run, targets, folder)
        began, before = time.perf_counter(), _cpu_seconds()
        _ours(run, targets, folder / "cache")
        ours, busy = time.perf_counter() - began, _cpu_seconds() - before
        print(f"ours: {ours:.0f} s, {busy:.0f} s of CPU", flush=True)
        shutil.copytree(folder / "cache" / "runs", run.settings.cache / "runs", dirs_exist_ok=True)
        theirs = sum(_by_hand(one, folder, path, run.settings.jobs) for one in targets)
        first = targets[0]
        using, with_theirs = in_turns(
            _openssl(run, first, folder, _toolchain(folder / "cache", first) / "bin"),
            _openssl(run, first, folder, folder / first.triple / "out" / "bin"),
            times=2,
        )
    names = " ".join(one.name for one in targets)
    return (
        Pair(
            what=f"{len(targets)} toolchains from nothing, to as many built by hand in turn at -O2",
            how=f"`nox -s toolchain -- {names}` with an empty cache; `benchmarks/naive.sh` each",
            ours=(ours,),
            theirs=(theirs,),
            at_most=0.5,
        ),
        Pair(
            what="CPU seconds of ours, to what the cores had in its time (1 is best)",
            how="user and system time of all processes; wall time and the number of cores",
            ours=(busy,),
            theirs=(ours * run.settings.jobs,),
            at_most=None,
        ),
        Pair(
            what=f"compiling OpenSSL for {first.name}, to the same with the compiler made by hand",
            how=f"`Configure no-tests {first.openssl.target}`, `make build_libs`; make is timed",
            ours=using,
            theirs=with_theirs,
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


def _by_hand(target: Target, folder: Path, path: str, jobs: int) -> float:
    began = time.perf_counter()
    with (folder / f"{target.name}.log").open("w") as log:
        done = subprocess.run(
            ["sh", BY_HAND, folder, str(jobs), target.triple, *target.gcc.configure],
            env={**os.environ, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.perf_counter() - began
    last = (folder / f"{target.name}.log").read_text(errors="replace")[-3000:]
    assert done.returncode == 0, f"{target.name} by hand:\n{last}"
    _insist_on_cxx(target, folder / target.triple / "out" / "bin")
    for part in ("binutils", "gcc", "musl"):
        shutil.rmtree(folder / target.triple / part)
    print(f"{target.name} by hand: {seconds:.0f} s", flush=True)
    return seconds


def _insist_on_cxx(target: Target, programs: Path) -> None:
    """That the toolchain by hand makes what ours is asked for."""
    with tempfile.TemporaryDirectory() as aside:
        source = Path(aside, "x.cc")
        source.write_text(CXX_PROGRAM)
        compiler = programs / f"{target.triple}-g++"
        subprocess.run([compiler, "-static", source, "-o", source.with_suffix("")], check=True)


def _toolchain(cache: Path, target: Target) -> Path:
    store, name = Store(cache), f"toolchain-{target.name}"
    key = next(key for key, record, _ in store.entries() if record.name == name)
    return cache / "store" / key / "tree"


def _openssl(run: Pipeline, target: Target, folder: Path, programs: Path) -> Callable[[], float]:
    """Compile OpenSSL anew with a compiler."""
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
    return command(make, cwd=work, env=dict(os.environ), before=configured)


def _ours(run: Pipeline, targets: Sequence[Target], cache: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "nox", "-s", "toolchain", "--", *(one.name for one in targets)],
        cwd=run.settings.project,
        env={**os.environ, "MUSLIN_CACHE": str(cache)},
        check=True,
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
