"""What this process looks at, noticed as it happens, and whether that is as it was.

Imports nothing that takes time: it is there for runs that have nothing to do.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from importlib.util import source_from_cache
from typing import Any

State = list[Any] | None
"""Of a listing (a path with a slash at its end) the names, of all else mode, size, time, inode and,
where the path is a link, where it leads; None if it is absent."""
RECORDS = "unchanged"
"""The folder of a cache that remembers such states."""
KERNELS = ("/proc/", "/sys/")
"""What has no time that says anything."""
ELSEWHERE = (
    *("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec"),
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"),
)
"""Events after which something came from where nobody here can look."""
ASKING = ("access", "lstat", "stat")
"""Functions of `os` that read without an event: whether something is there, and of what kind."""
ABLE = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids)
"""Where `os` lists the functions that take such words, for who calls them."""
BEGAN = time.time_ns()
"""When this process began to read the pipeline: what changed since may have been read before."""
TICK = 50_000_000
"""Nanoseconds in which a file may change twice and keep one time; some four ticks of a kernel."""


class Watch:
    """Everything that is read, listed or asked for, from now on; what is, or lies below, the paths
    to `leave` does not count."""

    def __init__(self, leave: frozenset[str]) -> None:
        self._leave = leave
        self._seen: dict[str, State] = {}
        self._over = False
        self._looking = threading.local()
        sys.addaudithook(self._hear)
        for name in ASKING:
            function = getattr(os, name)
            noticed = self._noticing(function)
            for able in ABLE:
                if function in able:
                    able.add(noticed)
            setattr(os, name, noticed)

    def states(self) -> dict[str, State]:
        """Every path with the state in which it was found before it was read; nothing at all if
        that is not the whole truth."""
        over, self._over = self._over, True
        if over:
            return {}
        states = dict(self._seen)
        for module in list(sys.modules.values()):
            if path := getattr(module, "__file__", None):
                states.setdefault(path, state_of(path, self._leave))
        kept = {path: state for path, state in states.items() if not _is_below(path, self._leave)}
        for path, state in kept.items():
            if state_of(path, self._leave) != state or _changed_since(state, BEGAN - TICK):
                return {}
        return kept

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._over:
            return
        if event == "open":
            path, _, flags = arguments
            if flags & os.O_ACCMODE == os.O_RDONLY:
                self._note(path)
        elif event in ("os.listdir", "os.scandir"):
            self._note("." if arguments[0] is None else arguments[0], listed=True)
        elif event in ELSEWHERE:
            self._over = True

    def _noticing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def noticed(path: Any, *more: Any, **options: Any) -> Any:  # noqa: ANN401  # whatever it takes
            if not self._over:
                self._note(path)
            return function(path, *more, **options)

        return noticed

    def _note(self, path: Any, *, listed: bool = False) -> None:  # noqa: ANN401  # text, bytes, Path
        if isinstance(path, int) or getattr(self._looking, "now", False):
            return
        self._looking.now = True  # looking is reading, too
        try:
            text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # for every file of a run
            text = f"{text}/" if listed else _source(text)
            if text not in self._seen and not text.startswith(KERNELS):
                self._seen[text] = state_of(text, self._leave)
        except (TypeError, ValueError):  # what is no path is refused where it is used
            self._over = True
        finally:
            self._looking.now = False


def _source(path: str) -> str:
    """Of a compiled module its source, which counts."""
    if "__pycache__" not in path:
        return path
    try:
        return source_from_cache(path)
    except (ValueError, NotImplementedError):  # the folder itself; a Python that keeps none
        return path


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _changed_since(state: State, moment: int) -> bool:
    return state is not None and len(state) > 1 and state[2] >= moment


def state_of(path: str, leave: Collection[str] = ()) -> State:
    """The state of what a path leads to, or of a listing without the paths to `leave`."""
    try:
        if path.endswith("/"):
            names = set(os.listdir(path)) - {"__pycache__"}  # noqa: PTH208  # hundreds of them
            text = "\0".join(sorted(name for name in names if path + name not in leave))
            return [hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()]
        found, leads = os.lstat(path), []
        if stat.S_ISLNK(found.st_mode):
            leads = [os.readlink(path)]  # noqa: PTH115  # as above
            with suppress(FileNotFoundError):
                found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return [found.st_mode, 0, 0, found.st_ino, *leads]
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    return [found.st_mode, found.st_size, changed, found.st_ino, *leads]
