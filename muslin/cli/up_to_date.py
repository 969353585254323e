"""A run with nothing to do, known by what the last one looked at.

Reading the pipeline and its libraries takes longer than all that such a run looks at. So one that
found everything leaves a list of what it read, and how it found it. The next compares and says the
same; whatever differs, the pipeline is asked. Imports nothing of the pipeline, nor what takes time.

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
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from muslin import installation, invocation
from muslin.engine import inputs
from muslin.engine.cache import layout
from muslin.engine.redaction import digest

OURS = ("muslin", "recipes")
"""Folders of Muslin that every run reads, wholly or in part."""
DECLARED = ("toolchains", "boards")
"""Folders of declarations, Muslin's and the project's."""
FILES = ("muslin.toml", "pyproject.toml", "noxfile.py", "Cargo.toml", "Cargo.lock")
"""Files of a project that may have settings, or say what is to be built."""
VARIABLES = ("MUSLIN_", "CARGO_", "XDG_", "HOME", "PYTHONPATH", "PATH")
"""How the names of environment variables begin that a run which builds nothing may read."""
FORMAT = 3
"""Of a record; raised when its shape changes."""
PRIVATE = 0o600
KEPT = 50
"""Records that stay, the newest; a clean-up of the cache takes them all."""
BEGAN = time.time_ns()
"""When this process began to read the pipeline: what changed since may have been read before."""
TICK = 50_000_000
"""Nanoseconds in which a file may change twice and keep one time; some four ticks of a kernel."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run found that had nothing to do: it started no process and asked no server."""

    lines: list[str]
    """What it said."""
    entries: list[Path]
    """The folders in the store that it led to."""
    asked: list[Path]
    """Paths in the store that it asked for, and took what follows from that into account."""
    brought: list[Path] = field(default_factory=list)
    """The files in `dist/` that it answers for."""


class Unchanged:
    """What is known of one session of one checkout with these words behind it."""

    def __init__(self, project: Path, session: str, words: Sequence[str]) -> None:
        self._project, self._session = project, session
        self._cache = Path(
            os.environ.get("MUSLIN_CACHE") or platformdirs.user_cache_path("muslin")
        ).expanduser()
        name = hashlib.sha256(
            json.dumps([FORMAT, str(project), invocation.current().value, session, *words]).encode()
        ).hexdigest()
        self.path = self._cache / layout.UNCHANGED / f"{name}.json"
        """Of the record."""

    def repeated(self) -> bool:
        """Say what the last run said, if nothing changed; false, and nothing is said, where that is
        not known or a clean-up is at work."""
        try:
            record = json.loads(_read(self.path))
            with self._in_use():
                if any(_differing(record)):
                    return False
                for path in record["used"]:
                    os.utime(path)
                lines: list[str] = [*record["lines"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            # Spoilt, or something is wrong that the pipeline will say in its own words.
            return False
        last = f"{self._session}: nothing to do; all that the last run looked at is as it was"
        sys.stdout.write("".join(f"{line}\n" for line in (*lines, last)))
        return True

    def keep(self, found: Found) -> None:
        """Remember a run, unless something changed since this process began."""
        for path in (*map(Path, _modules()), *found.asked, *found.brought):
            inputs.file(path)
        ours = {root / name for root in (installation.ROOT, self._project) for name in OURS}
        declared = (
            folder for kind in DECLARED for folder in installation.overlay(self._project, kind)
        )
        for root in (*ours, *declared, *found.entries):
            _note_below(root)
        for name in FILES:
            inputs.file(self._project / name)
        noted = inputs.everything()
        if any(inputs.differing(noted)) or any(_changed_since(noted, BEGAN - TICK)):
            return
        used = [str(entry / "stage.json") for entry in found.entries]
        record = {
            "facts": _facts(),
            "noted": noted,
            "lines": found.lines,
            "used": {path: _size_and_inode(path) for path in used},
        }
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(exist_ok=True)
            aside.touch(mode=PRIVATE)
            aside.write_text(json.dumps(record), encoding="utf-8")
            aside.replace(self.path)
            records = sorted(self.path.parent.glob("*.json"), key=_age)
            # The first format had the values of variables, for everybody to read.
            public = [one for one in records if stat.S_IMODE(one.stat().st_mode) != PRIVATE]
            for old in (*records[:-KEPT], *public):
                old.unlink(missing_ok=True)
        except OSError:  # the run ended well; the next one looks through everything again
            with suppress(OSError):
                aside.unlink()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """As `Store.in_use`; waits for nobody and raises `BlockingIOError`."""
        lock = os.open(self._cache / layout.IN_USE, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield
        finally:
            os.close(lock)


def _read(path: Path) -> str:
    """A file's text; what is no file is not waited for, and raises `OSError`."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(opened, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(f"{path} is no file")
        return file.read()


def _differing(record: dict[str, Any]) -> Iterator[str]:
    """Names of what is not as a record says."""
    if record["facts"] != _facts():
        yield "the environment"
    yield from (path for path, was in record["used"].items() if _size_and_inode(path) != was)
    yield from inputs.differing(record["noted"])


def _facts() -> dict[str, Any]:
    """What a run depends on and no file says."""
    return {
        "python": [sys.version, sys.prefix, *sys.path],
        "host": [platform.machine(), os.confstr("CS_GNU_LIBC_VERSION")],
        "environment": {
            name: digest(value) for name, value in os.environ.items() if name.startswith(VARIABLES)
        },
    }


def _modules() -> Iterator[str]:
    """The files of all that was imported."""
    for module in list(sys.modules.values()):
        if path := getattr(module, "__file__", None):
            yield path


def _note_below(root: Path) -> None:
    """A folder and all below it, less what Python wrote and each use changes."""
    inputs.folder(root)  # or that it is absent
    for here, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        inputs.folder(Path(here))
        for name in (*names, *folders):
            if name != "stage.json":
                inputs.file(Path(here, name))


def _changed_since(noted: dict[str, Any], moment: int) -> Iterator[str]:
    """Files that changed after a moment, and folders to which or from which something went."""
    for path, state in noted["files"].items():
        if state is not None and state[2] >= moment:
            yield path
    for path in noted["folders"]:
        with suppress(OSError):
            if os.stat(path).st_mtime_ns >= moment:  # noqa: PTH116  # hundreds of them
                yield path


def _size_and_inode(path: str) -> list[int]:
    """What no use of an entry changes of its record."""
    state = os.stat(path)  # noqa: PTH116  # a text, as all paths here
    return [state.st_size, state.st_ino]


def _age(path: Path) -> float:
    return path.stat().st_mtime
