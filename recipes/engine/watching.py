"""What this process reads, noticed by the interpreter itself, and whether that is as it was.

Imports nothing that takes time: it is there for runs that have nothing to do.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
import time
from collections.abc import Collection, Iterable
from importlib.util import source_from_cache
from typing import Any

State = list[Any] | None
"""Of a file its mode, size, times and number, of a folder the names in it; None if it is absent."""
KERNELS = ("/proc/", "/sys/", "/dev/")
"""What has no time that says anything."""
ELSEWHERE = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "socket.connect")
"""Events after which something came from where nobody here can look."""
TICK = 50_000_000
"""Nanoseconds in which a file may change twice and keep one time; some four ticks of a kernel."""


class Watch:
    """Everything that is opened to be read, and every folder that is listed, from now on; what
    is, or lies below, the paths to `leave` does not count."""

    def __init__(self, leave: frozenset[str]) -> None:
        self._leave = leave
        self._began = time.time_ns()
        self._seen: dict[str, State] = {}
        self._elsewhere = False
        self._looking = threading.local()
        sys.addaudithook(self._hear)

    def states(self) -> dict[str, State]:
        """Every path with the state in which it was found before it was read; nothing at all if
        that is not the whole truth."""
        if self._elsewhere:
            return {}
        states = {
            path: state
            for path, state in self._seen.items()
            # What this process made or removed itself is of no interest.
            if os.path.lexists(path) == (state is not None)
        }
        for module in list(sys.modules.values()):
            if path := getattr(module, "__file__", None):
                states.setdefault(path, state_of(path, self._leave))
        kept = {path: state for path, state in states.items() if not _is_below(path, self._leave)}
        if any(_changed_since(state, self._began - TICK) for state in kept.values()):
            return {}
        return kept

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & os.O_ACCMODE == os.O_RDONLY:
                self._note(path)
        elif event in ("os.listdir", "os.scandir"):
            self._note(arguments[0])
        elif event in ELSEWHERE:
            self._elsewhere = True

    def _note(self, path: Any) -> None:  # noqa: ANN401  # the interpreter hands on what it got
        if isinstance(path, int) or getattr(self._looking, "now", False):
            return
        self._looking.now = True  # looking is reading, too
        try:
            text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # for every file of a run
            if text not in self._seen and not text.startswith(KERNELS):
                self._seen[text] = None  # in case what follows fails
                text = _source(text)
                self._seen[text] = state_of(text, self._leave)
        finally:
            self._looking.now = False


def _source(path: str) -> str:
    if "__pycache__" not in path:
        return path
    try:
        return source_from_cache(path)
    except (ValueError, NotImplementedError):  # the folder itself
        return path


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _changed_since(state: State, moment: int) -> bool:
    return state is not None and len(state) > 1 and state[2] >= moment


def state_of(path: str, leave: Collection[str] = ()) -> State:
    """The state of what a path leads to."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a text, for there are hundreds of them
        if not stat.S_ISDIR(found.st_mode):
            changed = max(found.st_mtime_ns, found.st_ctime_ns)
            return [found.st_mode, found.st_size, changed, found.st_ino]
        names = set(os.listdir(path)) - {"__pycache__"}  # noqa: PTH208
    except OSError:
        return None
    text = "\0".join(sorted(name for name in names if f"{path}/{name}" not in leave))
    return [hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()]
