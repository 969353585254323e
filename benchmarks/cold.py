"""Toolchains from nothing: ours for all targets at once, and one after another by hand.

Takes hours on two cores, so it is asked for: `nox -s bench -- --cold`.
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
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.timing import NOX, Pair, command, cores, environment
from muslin.cli.commands import fetch
from muslin.cli.pipeline import Pipeline
from muslin.engine.cache.store import remove
from muslin.engine.formats import unpack
from muslin.models.target import Target
from recipes.toolchain.assemble import CXX_PROGRAM

BY_HAND = Path(__file__).with_name("naive.sh")
LIBRARIES = ("gmp", "mpfr", "mpc")


def toolchains(
    run: Pipeline, targets: Sequence[Target], to_make: Sequence[Target]
) -> tuple[Pair, ...]:
    """Wall time against that of toolchains built by hand, how busy the processors were, and what
    the lesser optimisation of our compiler costs those who use it. `to_make` are those that are
    built by hand, half of them before ours and half after, because the speed of a machine that is
    shared with others drifts; the others' figures stand if they are known.

    Sources are downloaded before, and unpacked before where they are built by hand. Ours goes into
    the user's cache afterwards. What was measured of the same thing since the machine started is
    not measured again, so a comparison that was cut off goes on.
    """
    folder = run.context.settings.cache / "bench" / "work"
    if folder.exists():
        remove(folder)
    keys = run.builder().keys
    stages = {one.name: keys.of(run.catalog().toolchains.toolchain(one)) for one in targets}
    measured = Measured(run.context.settings.cache / "bench", _conditions(run, stages.values()))
    before = len(to_make) // 2
    with run.context.store.in_use():
        path = _prepare(run, targets, folder)
        for one in to_make[:before]:
            by_hand = functools.partial(_by_hand, run, one, folder, path, None)
            measured.once(one.name, by_hand)
        ours = functools.partial(_ours, run, stages, folder / "cache")
        wall, busy = measured.once(f"ours, {' '.join(stages)}", ours)
        for one in to_make[before:]:
            last = one is to_make[-1]
            programs = run.context.store.root / stages[one.name] / "tree" / "bin" if last else None
            by_hand = functools.partial(_by_hand, run, one, folder, path, programs)
            measured.once(one.name, by_hand, figures=3 if last else 1)
    remove(folder)
    return _pairs(run, wall, busy, {one.name: measured.known(one.name) for one in targets})


def _conditions(run: Pipeline, keys: Collection[str]) -> str:
    """Whatever the figures depend on, as far as it lies in our hands."""
    engine = run.context.settings.project / "muslin" / "engine"
    texts = (BY_HAND, *sorted(engine.rglob("*.py")))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in texts]
    words = (*keys, *digests, str(run.context.settings.jobs))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


class Measured:
    """What was measured since the machine started: figures by name, in a file of their own."""

    def __init__(self, folder: Path, conditions: str) -> None:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        self._file = folder / f"{boot}-{conditions}.json"

    def known(self, name: str) -> list[float] | None:
        """The figures of a measurement that was made."""
        return self._all().get(name)

    def once(
        self, name: str, measure: Callable[[], Sequence[float]], *, figures: int = 1
    ) -> list[float]:
        """The figures, measured now if so many are not known."""
        if (found := self.known(name)) is None or len(found) < figures:
            found = list(measure())
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
    """`by_hand`: the seconds of each target's toolchain, for one those of OpenSSL with ours and
    with that one; None where it was not built by hand. Those count as much as the mean of the
    others."""
    took = {name: figures[0] for name, figures in by_hand.items() if figures is not None}
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items())
    others = [name for name in by_hand if name not in took]
    rest = f"; **{', '.join(others)} not built by hand**, counted as the mean" if others else ""
    compared = {name: tuple(figures[1:]) for name, figures in by_hand.items() if figures}
    first, (using, with_theirs) = next(one for one in compared.items() if one[1])
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
            what="CPU seconds of ours, to what the cores had in its time (0.92 or more is the aim)",
            how="user and system time of all processes; wall time and the number of cores",
            ours=(busy,),
            theirs=(wall * cores(),),
            at_most=None,
        ),
        Pair(
            what=f"compiling OpenSSL for {first}, to the same with the compiler made by hand",
            how=f"`Configure no-tests no-shared {run.context.targets[first].openssl.target}`, "
            "`make build_libs`; make is timed, once with each",
            ours=(using,),
            theirs=(with_theirs,),
            at_most=None,
        ),
    )


def _prepare(run: Pipeline, targets: Sequence[Target], folder: Path) -> str:
    """The sources by hand's way, and the PATH with what the host may lack."""
    fetch.fetch(run)
    catalog = run.catalog()
    with run.context.at_work(), ThreadPoolExecutor(run.context.settings.jobs) as executor:
        headers = {one.triple: catalog.toolchains.headers(one) for one in targets}
        tools = [stage for _, stage in catalog.tools.build_tools()]
        wanted = [*headers.values(), *tools]
        trees = {name: one.tree for name, one in run.builder().build(wanted, executor).items()}
        sources = folder / "sources"
        for triple, stage in headers.items():
            _copied(trees[stage.name], folder / "headers" / triple)
        # GCC as it is released: ours has less of it to compile.
        for name in ("binutils", "musl", "gcc", *LIBRARIES):
            component = run.pins.component(name)
            file = run.context.fetcher.fetch(component.source)
            if component.member:
                unpack.unpack(file, folder / "package", only=(component.member,))
                file = folder / "package" / component.member
            into = sources / "gcc" / name if name in LIBRARIES else sources / name
            unpack.unpack(file, into, strip=1)
    # Debian strips gmp's manual with its folder; configure insists on the Makefile.
    manual = sources / "gcc" / "gmp" / "doc" / "Makefile.in"
    manual.parent.mkdir(exist_ok=True)
    manual.write_text("all install check clean:\n")
    # A cache that has its downloads and nothing else.
    cache = folder / "cache"
    shutil.copytree(
        run.context.settings.cache / "downloads", cache / "downloads", copy_function=os.link
    )
    if (lock := run.context.settings.cache / "run-lock.toml").exists():
        shutil.copy(lock, cache)
    return ":".join([*(f"{trees[stage.name]}/bin" for stage in tools), os.environ["PATH"]])


def _copied(tree: Path, to: Path) -> None:
    """What the store has, to be written to."""
    shutil.copytree(tree, to, symlinks=True)
    subprocess.run(["chmod", "-R", "u+w", to], check=True)


def _by_hand(
    run: Pipeline, target: Target, folder: Path, path: str, ours: Path | None
) -> tuple[float, ...]:
    """Seconds that a toolchain takes by hand; those of OpenSSL with the programs of ours and with
    it behind that, if these are named."""
    began = time.perf_counter()
    with (folder / f"{target.name}.log").open("w") as log:
        done = subprocess.run(
            [
                "sh",
                BY_HAND,
                folder,
                str(run.context.settings.jobs),
                target.triple,
                *target.gcc.configure,
            ],
            env=environment(PATH=path),
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.perf_counter() - began
    last = (folder / f"{target.name}.log").read_text(errors="replace")[-3000:]
    assert done.returncode == 0, f"{target.name} by hand:\n{last}"
    theirs = folder / target.triple / "out" / "bin"
    _insist_on_cxx(target, theirs)
    openssl = _openssl(run, target, folder, (ours, theirs)) if ours else ()
    shutil.rmtree(folder / target.triple)
    return (seconds, *openssl)


def _insist_on_cxx(target: Target, programs: Path) -> None:
    """That the toolchain by hand makes what ours is asked for."""
    with tempfile.TemporaryDirectory() as aside:
        source = Path(aside, "x.cc")
        source.write_text(CXX_PROGRAM, encoding="utf-8")
        compiler = programs / f"{target.triple}-g++"
        subprocess.run([compiler, "-static", source, "-o", source.with_suffix("")], check=True)


def _openssl(
    run: Pipeline, target: Target, folder: Path, programs: Sequence[Path]
) -> tuple[float, ...]:
    """Seconds of compiling OpenSSL anew with each of some compilers."""
    source = run.context.fetcher.fetch(run.pins.source("openssl"))
    work = folder / "openssl"

    def configured(to: Path) -> None:
        shutil.rmtree(work, ignore_errors=True)
        unpack.unpack(source, work, strip=1)
        subprocess.run(
            [
                *("perl", "Configure", "no-tests", "no-shared", target.openssl.target),
                f"--cross-compile-prefix={to}/{target.triple}-",
            ],
            cwd=work,
            env=environment(),
            check=True,
            capture_output=True,
        )

    make = ("make", f"-j{run.context.settings.jobs}", "build_libs")
    compiled = [
        command(make, cwd=work, env=environment(), before=functools.partial(configured, one))
        for one in programs
    ]
    return tuple(one() for one in compiled)


def _ours(run: Pipeline, stages: Mapping[str, str], cache: Path) -> tuple[float, float]:
    """Wall and CPU seconds of all toolchains from nothing; they go into the user's cache then.
    `stages` are their keys, by target."""
    began, before = time.perf_counter(), _cpu_seconds()
    subprocess.run(
        [*NOX, "-s", "toolchain", "--", *stages],
        cwd=run.context.settings.project,
        env=environment(MUSLIN_CACHE=str(cache), MUSLIN_SOURCES=run.pins.name),
        check=True,
    )
    took = time.perf_counter() - began, _cpu_seconds() - before
    for key in stages.values():
        assert (cache / "store" / key).exists(), "it built other toolchains than this run means"
    # With the figures, because the cache keeps the events of few runs.
    shutil.copytree(
        cache / "runs", run.context.settings.cache / "bench" / "runs", dirs_exist_ok=True
    )
    for entry in (cache / "store").iterdir():
        if not (run.context.store.root / entry.name).exists():
            entry.rename(run.context.store.root / entry.name)
    return took


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
