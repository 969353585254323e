"""A run with nothing to do, known by what the last one looked at.

Reading the pipeline and its libraries takes longer than all that such a run looks at. So one that
found everything leaves a list of what it read, and how it found it. The next compares, says the
same, and puts back what `dist/` lacks; whatever differs, the pipeline is asked. Imports nothing of
the pipeline, nor what takes time.

<cache>/unchanged/<digest>.json    one for each checkout, session and choice of words
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from recipes.engine.placing import place
from recipes.engine.secrets import digest
from recipes.engine.watching import RECORDS, State, Watch, state_of

VARIABLES = ("MUSLIN_", "CARGO_", "XDG_", "HOME", "PYTHONPATH", "PATH")
"""How the names of environment variables begin that a run which builds nothing may read."""
FORMAT = 2
PRIVATE = 0o600
"""Of a record; raised when its shape changes."""
KEPT = 50
"""Records that stay, the newest; a clean-up of the cache takes them all."""
LISTING, SUMS = "manifest.json", "SHA256SUMS"
"""The lists of `dist/`."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A file of `dist/`: where in the store it comes from, and its row in the manifest there."""

    path: str
    source: str
    row: list[Any]


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What a run brought to `dist/`, if it brings anything."""

    files: list[Placed] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)
    """The texts of its lists afterwards."""
    whole: bool = True
    """Whether they list nothing else."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run found that had nothing to do."""

    lines: list[str]
    """What it said."""
    entries: list[Path]
    """The folders in the store that it led to."""
    asked: list[str]
    """Paths in the store that it asked for, and took what follows from that into account."""
    brought: Brought


class Unchanged:
    """What is known of one session of one checkout with these words behind it."""

    def __init__(self, project: Path, session: str, words: Sequence[str]) -> None:
        self._dist, self._session = project / "dist", session
        self._cache = Path(
            os.environ.get("MUSLIN_CACHE") or platformdirs.user_cache_path("muslin")
        ).expanduser()
        name = hashlib.sha256(
            json.dumps([FORMAT, str(project), session, *words]).encode()
        ).hexdigest()
        self._path = self._cache / RECORDS / f"{name}.json"
        inner = ("history", "locks", "logs", "runs", "scratch", "store", RECORDS, "work")
        here = str(self._cache.resolve())
        self._leave = frozenset(
            (str(self._dist), *(f"{here}/{one}" for one in (*inner, ".source-set.lock")))
        )

    def watch(self) -> Watch:
        """Begin to notice what is read."""
        return Watch(self._leave)

    def repeated(self) -> bool:
        """Say what the last run said and put back what `dist/` lacks, if nothing changed; false,
        and nothing is said, where that is not known or another run is at work on it."""
        try:
            record = json.loads(self._path.read_text(encoding="utf-8"))
            with self._flock("in-use", fcntl.LOCK_SH), self._filling(record["placed"]):
                if not self._is_as_it_was(record):
                    return False
                missing = self._missing(record)
                if missing is None or not self._put_back(missing, record):
                    return False
                for path in record["used"]:
                    os.utime(path)
                lines: list[str] = [*record["lines"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            # Spoilt, or something is wrong that the pipeline will say in its own words.
            return False
        what = f"{len(missing)} files put back into dist/" if missing else "nothing to do"
        last = f"{self._session}: {what}; all that the last run looked at is as it was"
        sys.stdout.write("".join(f"{line}\n" for line in (*lines, last)))
        return True

    def keep(self, watch: Watch, found: Found) -> None:
        """Remember a run, if all that it looked at is known."""
        states = watch.states()
        if not states:
            return
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            for path in (*found.asked, *_below(found.entries)):
                states[path] = state_of(path, self._leave)
            used = [str(entry / "stage.json") for entry in found.entries]
            record = {
                "facts": _facts(),
                "states": states,
                "lines": found.lines,
                "used": {path: _size_and_inode(path) for path in used},
                "placed": [[one.path, one.source, one.row] for one in found.brought.files],
                "lists": found.brought.lists,
                "whole": found.brought.whole,
            }
            self._path.parent.mkdir(exist_ok=True)
            aside.touch(mode=PRIVATE)
            aside.write_text(json.dumps(record), encoding="utf-8")
            aside.replace(self._path)
            records = sorted(self._path.parent.glob("*.json"), key=_age)
            # The first format had the values of variables, for everybody to read.
            public = [one for one in records if stat.S_IMODE(one.stat().st_mode) != PRIVATE]
            for old in (*records[:-KEPT], *public):
                old.unlink(missing_ok=True)
        except OSError:  # the run ended well; the next one looks through everything again
            with suppress(OSError):
                aside.unlink()

    def _is_as_it_was(self, record: dict[str, Any]) -> bool:
        states: dict[str, State] = record["states"]
        return (
            record["facts"] == _facts()
            and all(_size_and_inode(path) == state for path, state in record["used"].items())
            and all(state_of(path, self._leave) == state for path, state in states.items())
        )

    def _missing(self, record: dict[str, Any]) -> list[Placed] | None:
        """The files that `dist/` lacks; None if it holds something else."""
        missing = []
        for path, source, row in record["placed"]:
            try:
                state = os.lstat(self._dist / path)
            except FileNotFoundError:
                missing.append(Placed(path=path, source=source, row=row))
                continue
            if [state.st_size, state.st_mtime_ns] != row[:2]:
                return None
        if not record["placed"] or self._lists() == record["lists"]:
            return missing
        # Without the lists nothing is known of what other runs brought.
        return missing if record["whole"] and not (self._dist / LISTING).exists() else None

    def _put_back(self, missing: list[Placed], record: dict[str, Any]) -> bool:
        if not record["placed"] or (not missing and self._lists() == record["lists"]):
            return True
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            done = pool.map(
                lambda one: place(Path(one.source), self._dist / one.path, one.row), missing
            )
            if not all(done):
                return False
        write_lists(self._dist, record["lists"])
        return True

    def _lists(self) -> dict[str, str]:
        """The texts of the lists that are there."""
        return {
            name: (self._dist / name).read_text(encoding="utf-8")
            for name in (LISTING, SUMS)
            if (self._dist / name).exists()
        }

    @contextmanager
    def _filling(self, placed: Sequence[object]) -> Iterator[None]:
        """As `Output.mine`, for a run that fills `dist/`."""
        with (
            self._flock(f"{lock_name(self._dist)}.lock", fcntl.LOCK_EX) if placed else nullcontext()
        ):
            yield

    @contextmanager
    def _flock(self, name: str, kind: int) -> Iterator[None]:
        """One of the store's locks; waits for nobody and raises `BlockingIOError`."""
        with (self._cache / "locks" / name).open("a") as file:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            yield


def lock_name(dist: Path) -> str:
    """What the lock is called of who fills this folder."""
    return f"dist-{hashlib.sha256(str(dist).encode()).hexdigest()[:20]}"


def write_lists(dist: Path, texts: dict[str, str]) -> None:
    """Write the lists of `dist/`, each whole or not at all."""
    dist.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        aside = dist / f".{name}.{os.getpid()}"
        aside.write_text(text, encoding="utf-8")
        aside.replace(dist / name)


def _facts() -> dict[str, Any]:
    """What a run depends on and no file says."""
    return {
        "python": [sys.version, sys.prefix],
        "host": [platform.machine(), os.confstr("CS_GNU_LIBC_VERSION")],
        "environment": {
            name: digest(value) for name, value in os.environ.items() if name.startswith(VARIABLES)
        },
    }


def _below(entries: Iterable[Path]) -> Iterator[str]:
    """The files and listings of the store that entries consist of, less what each use changes."""
    for entry in entries:
        for folder, folders, names in os.walk(entry):
            yield f"{folder}/"
            yield from (f"{folder}/{name}" for name in (*names, *folders) if name != "stage.json")


def _size_and_inode(path: str) -> list[int]:
    """What no use of an entry changes of its record."""
    state = os.stat(path)  # noqa: PTH116  # a text, as all paths here
    return [state.st_size, state.st_ino]


def _age(path: Path) -> float:
    return path.stat().st_mtime
