"""Damaged files through the audit: each is accepted or refused with a reason, in bounded time and
memory.

A short run is one of the tests; `nox -s fuzz` is the long one: `nox -s fuzz -- 100000`. What is
damaged are objects, programs and archives of the host's compiler, images of both kinds, and what
toolchains in the cache have for other processors.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest

from muslin.audit import allowed, verdict
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from muslin.check import image_programs
from muslin.engine.formats import oci
from muslin.models.target import Image
from tests import opened

PROJECT = Path(__file__).resolve().parents[2]
LONGEST = 20
"""Seconds in which a file must be through; the slowest whole one takes a tenth of one."""
MOST = 1_500_000_000
"""Bytes of memory that a worker may take."""
LARGEST = 60_000
"""Bytes of a file that is damaged: small ones have more of what a reader trips over."""
BATCH = 250
ODD = (0, 1, 0x7F, 0x80, 0xFF)
NUMBERS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 40, 52, 64)
EVERY = 10.0
"""Seconds between two lines of a long run."""
PLATFORM = Image(architecture="arm", variant="v6")


@dataclass(frozen=True)
class Seed:
    """A sound file, and what it is held to."""

    name: str
    content: bytes
    baseline: str = ""
    """Empty for images: their programs are held to ARMv6."""


def damaged(content: bytes, dice: random.Random) -> bytes:
    """The content with a few things changed, most of them in headers and tables."""
    whole = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        if not whole:
            break
        first = dice.randrange(min(64, len(whole)))
        last = len(whole) - 1 - dice.randrange(min(800, len(whole)))
        at = dice.choice((first, last, dice.randrange(len(whole)), dice.randrange(len(whole))))
        match dice.randrange(8):
            case 0 | 1:
                whole[at] ^= 1 << dice.randrange(8)
            case 2:
                whole[at] = dice.choice(ODD)
            case 3 | 4:
                place = at & ~3
                whole[place : place + 4] = dice.choice(NUMBERS).to_bytes(4, "little")
            case 5:
                del whole[at:]
            case 6:
                length = dice.randint(1, 200)
                whole[at:at] = whole[at : at + length]
            case _:
                del whole[at : at + dice.randint(1, 200)]
    return bytes(whole)


class TooLongError(BaseException):
    """Nothing that reads files takes it for a fault of theirs."""


def too_long(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # a handler's
    raise TooLongError(f"not through in {LONGEST} s")


def judged(seed: Seed, content: bytes, folder: Path) -> str:
    """`accepted`, or `refused` with a reason; anything else is raised."""
    path = folder / "file"
    path.write_bytes(content)
    try:
        if seed.baseline:
            found = [(seed.baseline, path)]
        else:
            programs = image_programs.programs(path, PLATFORM, Path(tempfile.mkdtemp(dir=folder)))
            found = [("armv6-vfpv2", file) for _, file in programs]
        verdicts = [
            verdict.of(one, "file", held_to=BASELINES[name], baseline=name, entries=allowed.load())
            for name, one in found
        ]
    except Refused as fault:
        if not str(fault).rstrip(": "):
            raise RuntimeError("refused without a reason") from fault
        return "refused"
    for one in verdicts:
        assert all("\n" not in line for line in one.lines())
        json.dumps(one.table())
    return "accepted" if all(one.fits for one in verdicts) else "refused"


def batch(seeds: tuple[Seed, ...], start: int, count: int) -> tuple[Counter[str], float, list[str]]:
    """Files by their numbers: what became of them, seconds of the slowest, and what went wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    signal.signal(signal.SIGALRM, too_long)
    fates, slowest, faults = Counter[str](), 0.0, list[str]()
    with tempfile.TemporaryDirectory() as aside:
        for number in range(start, start + count):
            dice = random.Random(number)
            seed = dice.choice(seeds)
            began = time.monotonic()
            signal.alarm(LONGEST)
            folder = Path(aside) / str(number)
            folder.mkdir()
            try:
                fates[judged(seed, damaged(seed.content, dice), folder)] += 1
            except BaseException as error:  # all of it is what is looked for
                faults.append(f"file {number}, of {seed.name}: {type(error).__name__}: {error}")
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.monotonic() - began)
            shutil.rmtree(folder)
    return fates, slowest, faults


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seed, ...]:
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "x.c").write_text(
        "double f(double a) { return a * 3; } int main(void) { return 0; }\n"
    )
    make: Callable[..., object] = lambda *words: subprocess.run(words, cwd=folder, check=True)  # noqa: E731
    make("gcc", "-O1", "-g", "-c", "x.c", "-o", "x.o")
    make("gcc", "-O1", "x.c", "-o", "x")
    make("ar", "rc", "libx.a", "x.o")
    made = [
        Seed(name, (folder / name).read_bytes(), baseline)
        for name in ("x.o", "x", "libx.a")
        for baseline in ("x86-64", "armv8.0")
    ]
    made += [*of_the_cache(), *of_images(folder)]
    return tuple(one for one in made if len(one.content) < LARGEST)


def of_the_cache() -> list[Seed]:
    """Start files and small libraries of whatever toolchain is there."""
    run = opened.pipeline()
    keys, catalog = run.builder().keys, run.catalog()
    found = []
    for target in run.context.targets.values():
        if (entry := run.context.store.find(keys.of(catalog.toolchains.toolchain(target)))) is None:
            continue
        for name in ("crt1.o", "rcrt1.o", "libatomic.a", "libssp_nonshared.a"):
            for path in entry.tree.glob(f"*/lib/{name}"):
                what = f"{target.name}/{name}"
                found.append(Seed(what, path.read_bytes(), target.baseline))
    return found


def of_images(folder: Path) -> list[Seed]:
    root = folder / "root"
    root.mkdir()
    shutil.copy(folder / "x.o", root / "program")
    oci.write_image(
        folder / "layout.tar", root=root, reference="x/y:z", architecture="arm", variant="v6",
        entrypoint=("/program",), user="1:1",
    )  # fmt: skip
    old = io.BytesIO()
    with tarfile.open(fileobj=old, mode="w:gz") as tar:
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w:gz") as inner:
            inner.add(root / "program", "program")
        for name, content in (
            ("config.json", b'{"architecture": "arm", "variant": "v6"}'),
            ("manifest.json", b'[{"Config": "config.json", "Layers": ["layer.tar"]}]'),
            ("layer.tar", layer.getvalue()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return [
        Seed("layout.tar", (folder / "layout.tar").read_bytes()),
        Seed("saved.tar", old.getvalue()),
    ]


def test_damaged_files_are_accepted_or_refused(
    seeds: tuple[Seed, ...], request: pytest.FixtureRequest
) -> None:
    files: int = request.config.getoption("--files")
    fates, slowest, faults = Counter[str](), 0.0, list[str]()
    began = said = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        parts = [
            workers.submit(batch, seeds, start, min(BATCH, files - start))
            for start in range(0, files, BATCH)
        ]
        for part in as_completed(parts):
            more, seconds, wrong = part.result()
            fates, slowest, faults = fates + more, max(slowest, seconds), faults + wrong
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                print(f"{fates.total()} of {files} files, {said - began:.0f} s: {dict(fates)}")
    print(
        f"{fates.total()} files of {len(seeds)} sound ones, {dict(fates)}, "
        f"{time.monotonic() - began:.0f} s, the slowest {slowest:.2f} s"
    )
    assert faults == []
    assert fates.total() == files
    assert min(fates["accepted"], fates["refused"]) > files / 200, "the dice are loaded"
