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
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from recipes.engine.placing import place
from recipes.engine.watching import State, Watch, state_of

VARIABLES = ("MUSLIN_", "CARGO_", "XDG_", "HOME", "PYTHONPATH", "PATH")
"""How the names of environment variables begin that a run which builds nothing may read."""
LISTING, SUMS = "manifest.json", "SHA256SUMS"
"""The lists of `dist/`."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A file of `dist/`: where in the store it comes from, and its row in the manifest there."""

    path: str
    source: str
    row: list[Any]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run found that had nothing to do."""

    lines: list[str]
    """What it said."""
    entries: list[Path]
    """The folders in the store that it led to."""
    placed: list[Placed]
    whole: bool
    """Whether `dist/` lists nothing else."""


class Unchanged:
    """What is known of one session of one checkout with these words behind it."""

    def __init__(self, project: Path, session: str, words: Sequence[str]) -> None:
        self._dist, self._session = project / "dist", session
        self._cache = Path(
            os.environ.get("MUSLIN_CACHE") or platformdirs.user_cache_path("muslin")
        ).expanduser()
        name = hashlib.sha256(json.dumps([str(project), session, *words]).encode()).hexdigest()
        self._path = self._cache / "unchanged" / f"{name}.json"
        inner = ("history", "locks", "logs", "runs", "scratch", "store", "unchanged", "work")
        here = str(self._cache.resolve())
        self._leave = frozenset(
            (str(self._dist), *(f"{here}/{one}" for one in (*inner, ".source-set.lock")))
        )

    def watch(self) -> Watch:
        """Begin to notice what is read."""
        return Watch(self._leave)

    def repeated(self) -> bool:
        """Say what the last run said and put back what `dist/` lacks, if nothing changed.

        False where that is not known; everything is then as it was.
        """
        try:
            record = json.loads(self._path.read_text())
            with self._flock("in-use", fcntl.LOCK_SH):
                if record["facts"] != _facts() or not self._is_as_it_was(record["states"]):
                    return False
                missing = self._missing(record)
                if missing is None or not self._put_back(missing, record):
                    return False
                for path in record["used"]:
                    os.utime(path)
        except (OSError, ValueError, LookupError, TypeError):  # the pipeline will say what is wrong
            return False
        what = f"{len(missing)} files put back into dist/" if missing else "nothing to do"
        last = f"{self._session}: {what}; all that the last run looked at is as it was"
        sys.stdout.write("".join(f"{line}\n" for line in (*record["lines"], last)))
        return True

    def keep(self, watch: Watch, found: Found) -> None:
        """Remember a run, if all that it looked at is known."""
        states = watch.states()
        if not states:
            return
        for path in _below(found.entries):
            states[path] = state_of(path, self._leave)
        record = {
            "facts": _facts(),
            "states": states,
            "lines": found.lines,
            "used": [str(entry / "stage.json") for entry in found.entries],
            "placed": [[one.path, one.source, one.row] for one in found.placed],
            "lists": self._lists() if found.placed else {},
            "whole": found.whole,
        }
        self._path.parent.mkdir(exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        aside.write_text(json.dumps(record))
        aside.replace(self._path)

    def _is_as_it_was(self, states: dict[str, State]) -> bool:
        return all(state_of(path, self._leave) == state for path, state in states.items())

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
        if self._lists() == record["lists"]:
            return missing
        # Without the lists nothing is known of what other runs brought.
        return missing if record["whole"] and not (self._dist / LISTING).exists() else None

    def _put_back(self, missing: list[Placed], record: dict[str, Any]) -> bool:
        if not missing and self._lists() == record["lists"]:
            return True
        with (
            self._flock(f"{lock_name(self._dist)}.lock", fcntl.LOCK_EX),
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
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
            name: (self._dist / name).read_text()
            for name in (LISTING, SUMS)
            if (self._dist / name).exists()
        }

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
        aside.write_text(text)
        aside.replace(dist / name)


def _facts() -> dict[str, Any]:
    """What a run depends on and no file says."""
    return {
        "python": [sys.version, sys.prefix],
        "host": [platform.machine(), os.confstr("CS_GNU_LIBC_VERSION")],
        "environment": {
            name: value for name, value in os.environ.items() if name.startswith(VARIABLES)
        },
    }


def _below(entries: Iterable[Path]) -> Iterator[str]:
    """The files and listings of the store that entries consist of, less what each use changes."""
    for entry in entries:
        for folder, folders, names in os.walk(entry):
            yield f"{folder}/"
            yield from (f"{folder}/{name}" for name in (*names, *folders) if name != "stage.json")
