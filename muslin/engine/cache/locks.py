"""Who may do what in a cache, between the processes of one machine.

<cache>/locks/in-use        shared by runs; a clean-up has it alone
<cache>/locks/<key>.lock    one builder per key
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from muslin.engine import errors
from muslin.engine.cache import layout
from muslin.engine.filesystem import atomic


class Locks:
    """The locks of a cache."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.locks = cache / layout.LOCKS
        self._held: dict[str, int] = {}
        """Key -> thread of this process that holds its lock."""

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Hold the cache beside other runs; waits for a clean-up that is at work."""
        with errors.explained(self.cache), self._in_use() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No run uses the cache meanwhile; raises `CacheInUse` where one does."""
        with errors.explained(self.cache), self._in_use() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise errors.CacheInUse(self.cache) from None
            yield

    @contextmanager
    def _in_use(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC  # O_RDWR waits for no FIFO
        file = os.open(self.cache / layout.IN_USE, flags, 0o666)
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def lock(
        self, key: str, waiting: Callable[[], None], still: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """One builder per key; `waiting` is called once if another run has it, `still` again and
        again until it has not, and ends the waiting by raising."""
        lock = self._lock_of(key)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            waiting()
            while not lock.is_locked:
                still()
                with suppress(filelock.Timeout):
                    lock.acquire(timeout=0.5, poll_interval=0.1)
        self._held[key] = threading.get_ident()
        try:
            yield
        finally:
            del self._held[key]
            lock.release()

    def _lock_of(self, key: str) -> filelock.BaseFileLock:
        path = self.locks / f"{key}.lock"
        atomic.clear(path)
        return filelock.FileLock(path, thread_local=False)

    @contextmanager
    def at_once(self, key: str) -> Iterator[bool]:
        """A key's lock if nobody else has it; whether it is held."""
        if self._held.get(key) == threading.get_ident():
            yield True
            return
        lock = self._lock_of(key)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()
