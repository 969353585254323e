"""Damaged caches: whatever is wrong with a file or folder of one, the next run ends well or says in
a sentence what is wrong, and what it delivers is right.

A short run is one of the tests; `nox -s tests -- tests/e2e/test_damage.py --damages 5000` is the
long one. The number of a damage is all that is needed to repeat it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pytest

from muslin.dist import publish
from muslin.dist.artifacts import Artifact
from muslin.engine import errors
from muslin.engine.cache import gc
from muslin.engine.cache.records import SUMS
from muslin.engine.cache.store import Entry, Store, remove
from muslin.engine.source import Source, Url
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Link, Present, Run, Write
from muslin.errors import PipelineError
from muslin.models import pins
from muslin.models.pin_files import Moved, Pin, RunLock
from muslin.sources import changelog_index, relock, source_sets
from muslin.sources.changelog import Entry as Release
from tests.e2e.bench import Bench

BATCH = 100
LONGEST = 600
"""Seconds after which a run hangs, on a machine that may be very busy."""
RUNS = 3
"""Runs in a row until one has to end well: the first may say what to do before the next."""
DATA = b"what was downloaded\n" * 20
DIGEST = hashlib.sha256(DATA).hexdigest()
GOAL = "sound\n" + DATA.decode()
NOTE = "a note\n"
UNSEEN = "has other content than when it was built"
"""Of a file that kept its size and times, of which nothing was built in that run."""
PIN = {
    "version": "1.2", "series": "1", "licence": "MIT", "package": "zlib", "kind": "source",
    "package_version": "1.2-3", "file": "zlib_1.2.orig.tar.gz", "size": 7, "sha256": "a" * 64,
    "unpatched": "nothing to patch", "fixes": ("CVE-2024-12345",),
}  # fmt: skip


def stages(port: int) -> tuple[Stage, Stage]:
    """A tool, and what it makes of a download."""
    tool = Stage(
        name="tool",
        steps=(
            Write(path="${out}/bin/tool", text="#!/bin/sh\necho sound; cat", executable=True),
            Write(path="${out}/note", text=NOTE),
            Write(path="${out}/share/doc/empty", text=""),
            Link(path="${out}/link", target="bin/tool"),
        ),
        checks=(Present(paths=("bin/tool",)),),
        runs_on="host",
    )
    origin = Url(address=f"http://127.0.0.1:{port}/data")
    goal = Stage(
        name="goal",
        steps=(
            Run(
                argv=("sh", "-ec", "echo kept >${scratch}/kept; ${need.tool}/link <${source.data}"),
                output="${out}/goal",
            ),
        ),
        sources=(("data", Source(name="data", sha256=DIGEST, size=len(DATA), origins=(origin,))),),
        needs=(("tool", tool),),
        scratch=("tool",),
        checks=(Present(paths=("goal",)),),
        runs_on="host",
    )
    return tool, goal


@dataclass(kw_only=True)
class Site:
    """A cache, a copy of it as it was before it was damaged, and a folder for artefacts."""

    place: Path
    port: int
    keys: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What runs said since the damage; the first may fail of something else."""

    @property
    def bench(self) -> Bench:
        """The engine on the cache."""
        return Bench(cache=self.place / "cache", jobs=1)

    def make(self) -> None:
        """Build everything, and add what other sessions keep in a cache."""
        bench = self.bench
        built = bench.build(*stages(self.port))
        self.keys = {name: entry.key for name, entry in built.items()}
        cache, goal = bench.cache, built["goal"]
        shutil.copytree(goal.folder, bench.store.refused / goal.key, symlinks=True)
        bench.store.marks(goal.key).refuse("f" * 64)
        known = changelog_index.Package(
            newest="1.2-3", entries=(Release(version="1.2-3", cves=("CVE-2024-12345",)),)
        )
        changelog_index.save(
            cache, changelog_index.Known(asked=time.time(), packages={"zlib/trixie": known})
        )
        moved = {"zlib": Moved(replaces="1.2-2", pin=Pin.model_validate(PIN, by_name=True))}
        relock.write(cache / "run-lock.toml", RunLock(moved=moved))  # as a run does it
        bench.build(*stages(self.port))
        self._publish(bench, bench.build(*stages(self.port)))
        shutil.copytree(cache, self.place / "sound", symlinks=True)

    def restore(self) -> None:
        """Have the cache as it was."""
        remove(self.place / "cache")
        shutil.copytree(self.place / "sound", self.place / "cache", symlinks=True)
        remove(self.place / "dist")
        self.notes.clear()

    def run(self) -> None:
        """Do what sessions do: read all of the cache, build, publish."""
        bench = self.bench
        cache, store = bench.cache, bench.store
        notes = self.notes
        with errors.explained(cache):
            changelog_index.is_fresh(changelog_index.load(cache), (), time.time())
            changelog_index.failed_lately(cache, time.time())
            source_sets.drop_if_damaged(cache / "run-lock.toml", notes.append)
            moved = pins.remembered(cache / "run-lock.toml").moved
            assert all(one.pin.sha256 == "a" * 64 for one in moved.values()), "another pin"
        gc.collect(store, 10**12, dry=True)
        built = bench.build(*stages(self.port))
        self._publish(bench, built)
        left = {key: fault for key, fault in store.drop_damaged().items() if UNSEEN not in fault}
        assert not left.keys() & set(self.keys.values()), f"damage that a run left: {left}"

    def _publish(self, bench: Bench, built: dict[str, Entry]) -> None:
        wanted = [
            Artifact(stage="goal", file="goal", destination="goal"),
            Artifact(stage="tool", file="note", destination="note"),
        ]
        publish.publish(
            self.place / "dist", wanted, built, store=bench.store, source_set="debian", possible=()
        )

    def delivered(self) -> dict[str, str]:
        """What is in the folder for artefacts."""
        return {name: (self.place / "dist" / name).read_text() for name in ("goal", "note")}


# --- damage ---------------------------------------------------------------------------------


def kind(path: Path) -> str:
    """What a path of a cache is: entries, logs and stages are as good as each other."""
    parts = path.parts
    match parts[0]:
        case "store" | "refused":
            return "/".join((parts[0], *parts[2:3], *(("…",) if parts[3:] else ())))
        case "downloads" | "runs":
            return "/".join((parts[0], *parts[2:]))
        case _:
            return "/".join(parts[:2])


def flip(path: Path, dice: random.Random) -> None:
    """Change one bit, or some."""
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 1, 2, 8))):
        if content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def rewrite(path: Path, dice: random.Random) -> None:
    """Write something else: other types of JSON, what is too deep, what is too large."""
    text = path.read_text(encoding="utf-8", errors="replace")
    path.write_bytes(
        dice.choice(
            (
                *("", "[]", "{}", "null", "7", '"text"', "1e999", "NaN", "-1", "true"),
                *("[" * 100_000, '{"a":' * 100_000, "9" * 5000, "\0" * 100, "é"),
                text[: dice.randrange(len(text) + 1)],
                text + text,
                text.replace("[", "{").replace("]", "}"),
                "".join(str(10**400) if char.isdecimal() and not dice.randrange(9) else char
                        for char in text[:4000]),
                text.replace('"', '"x": [], "', 1),
                text.replace("{", '{"name": 1, "key": [], "asked": {}, "document": 3,', 1),
                *as_list(text),
            )
        ).encode()
    )  # fmt: skip


def as_list(text: str) -> list[str]:
    """A list of the keys of a text that is one JSON value; a file of events has several."""
    with suppress(ValueError, TypeError):
        return [json.dumps(list(json.loads(text)))]
    return []


def swap(path: Path, dice: random.Random) -> None:
    """Exchange it with something else of the cache."""
    cache = next(one for one in path.parents if one.name == "cache")
    others = [
        other
        for other in sorted(cache.rglob("*"))
        if other.name == path.name or other.parent == path.parent
        if other != path and path not in other.parents and other not in path.parents
    ]
    if others:
        other, aside = dice.choice(others), cache.with_name("aside")
        path.rename(aside)
        other.rename(path)
        aside.rename(other)


def supplant(path: Path, dice: random.Random) -> None:
    """Put something of another type in its place."""
    content = None if path.is_dir() or path.is_symlink() else path.read_bytes()
    remove(path)
    match dice.randrange(7):
        case 0:
            path.mkdir()
        case 1:
            (path / "deep").mkdir(parents=True)
            (path / "deep" / "file").touch()
        case 2:
            path.symlink_to("nowhere")
        case 3:
            path.symlink_to(path.name)
        case 4:
            os.mkfifo(path)
        case 5 if content is not None:
            path.with_name("elsewhere").write_bytes(content)
            path.symlink_to("elsewhere")
        case _:
            path.write_bytes(b"something else")


def rename(path: Path, dice: random.Random) -> None:
    """Change a letter of its name."""
    at = dice.randrange(len(path.name))
    letter = chr(ord(path.name[at]) ^ 1)
    name = path.name[:at] + letter + path.name[at + 1 :]
    if letter not in "/\0" and name not in (".", "..") and not os.path.lexists(path.parent / name):
        path.rename(path.with_name(name))


def drop(path: Path, dice: random.Random) -> None:  # noqa: ARG001  # as the others
    """Remove it."""
    remove(path)


OF_FILES: tuple[Callable[[Path, random.Random], None], ...] = (
    *(flip,) * 6, *(rewrite,) * 3, swap, supplant, rename, drop,
)  # fmt: skip
OF_OTHERS = (swap, supplant, rename, drop)


def harm(cache: Path, dice: random.Random) -> str:
    """Damage something; in words what. Times stay as they were, half of the time."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(cache.rglob("*")):
        kinds.setdefault(kind(path.relative_to(cache)), []).append(path)
    path = dice.choice(kinds[dice.choice(sorted(kinds))])
    state = path.lstat()
    plain = path.is_file() and not path.is_symlink()
    how = dice.choice(OF_FILES if plain else OF_OTHERS)
    for folder in (path.parent, *((path,) if plain else ())):
        folder.chmod(folder.stat().st_mode | 0o700)
    how(path, dice)
    if plain and path.is_file() and not path.is_symlink():
        path.chmod(state.st_mode)
        if dice.randrange(4):
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    return f"{how.__name__} {path.relative_to(cache)}"


# --- runs -----------------------------------------------------------------------------------


def fate(site: Site, dice: random.Random) -> str:
    """Damage the cache and run; `well` or `told`, or what is wrong."""
    site.restore()
    if dice.randrange(2):  # what is built again uses what lies there
        Store(site.place / "cache").drop(site.keys["goal"])
    if not dice.randrange(4):  # an older Muslin's, which nothing vouches for
        for sums in (site.place / "cache").glob(f"*/*/{SUMS}"):
            sums.unlink()
    what = harm(site.place / "cache", dice)
    told = ""
    for _ in range(RUNS):
        try:
            site.run()
        except PipelineError as error:
            told = str(error)
            continue
        except Exception:  # all of it is what is looked for
            return f"{what}: {traceback.format_exc()}"
        if site.delivered() != {"goal": GOAL, "note": NOTE}:
            return f"{what}: wrong artefacts: {site.delivered()}"
        return "told, then well" if told else "well"
    return "told" if told.strip() else f"{what}: not a word"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the download."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name
        pass


@contextlib.contextmanager
def serving() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def batch(start: int, count: int) -> tuple[Counter[str], list[str]]:
    """Damages by their numbers: what became of them, and what went wrong."""
    fates, faults = Counter[str](), list[str]()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a run that hangs ends this process
    with tempfile.TemporaryDirectory() as place, serving() as port:
        site = Site(place=Path(place), port=port)
        site.make()
        for number in range(start, start + count):
            signal.alarm(LONGEST)
            found = fate(site, random.Random(number))
            fates[found if found in ("well", "told", "told, then well") else "wrong"] += 1
            if found not in ("well", "told", "told, then well"):
                faults.append(f"damage {number}: {found}")
            signal.alarm(0)
        remove(site.place / "cache")
        remove(site.place / "sound")
    return fates, faults


def test_a_damaged_cache_ends_no_run_in_a_traceback_and_delivers_nothing_wrong(
    request: pytest.FixtureRequest,
) -> None:
    damages: int = request.config.getoption("--damages")
    fates, faults = Counter[str](), list[str]()
    size = min(BATCH, -(-damages // 2))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        parts = [
            workers.submit(batch, start, min(size, damages - start))
            for start in range(0, damages, size)
        ]
        for part in as_completed(parts):
            more, wrong = part.result()
            fates, faults = fates + more, faults + wrong
            print(f"{fates.total()} of {damages}: {dict(fates)}", *wrong, sep="\n", flush=True)
    assert not faults, "\n".join(faults)
    assert fates.total() == damages
    assert fates["well"] > damages / 2, "most damage is repaired without a word too many"
