"""One pool of CPU slots for everything a run starts: make 4.3, make 4.4 and cargo alike.

GNU make's jobserver protocol over a FIFO. Every child gets file descriptors of its own on it,
passed as `--jobserver-auth=R,W`: make 4.3 does not know the `fifo:` form, make 4.4 and cargo
know both. <https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html>
"""

from __future__ import annotations

import os
import select
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

TOKEN = b"+"


class Jobserver:
    """A pool of `slots` tokens; whoever runs a process holds one for it."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        # Kept open for the whole run: a FIFO that nobody holds open forgets its tokens. It needs a
        # name to be opened once, and a run that is killed leaves none behind.
        with tempfile.TemporaryDirectory(prefix="muslin-jobs-") as folder:
            fifo = Path(folder, "tokens")
            os.mkfifo(fifo)
            self._pool = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._holders = 0
        self._lock = threading.Lock()
        os.write(self._pool, TOKEN * slots)

    @contextmanager
    def slot(self, stopping: threading.Event) -> Iterator[None]:
        """Hold one token, which a process needs to run; none once `stopping` is set."""
        took = self._take(stopping)
        try:
            yield
        finally:
            if took:
                self._give_back()

    def _take(self, stopping: threading.Event) -> bool:
        ready = select.poll()  # select(2) knows no descriptor above 1023
        ready.register(self._pool, select.POLLIN)
        while not stopping.is_set():
            ready.poll(200)
            with self._lock, suppress(BlockingIOError):  # a child may have been quicker
                os.read(self._pool, 1)
                self._holders += 1
                return True
        return False

    def _give_back(self) -> None:
        with self._lock:
            os.write(self._pool, TOKEN)
            self._holders -= 1
            if self._holders == 0:
                self._refill()

    def _refill(self) -> None:
        """A killed client takes its tokens to the grave: nobody runs now, though some may wait to,
        so count anew."""
        try:
            while os.read(self._pool, 4096):
                pass
        except BlockingIOError:
            pass
        os.write(self._pool, TOKEN * self.slots)

    @contextmanager
    def handed(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Descriptors for one child and the MAKEFLAGS that name them."""
        again = f"/proc/self/fd/{self._pool}"
        with ExitStack() as opened:
            read, write = (self._opened(again, opened) for _ in range(2))
            yield (read, write), f"-j{self.slots} --jobserver-auth={read},{write}"

    def _opened(self, path: str, opened: ExitStack) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        opened.callback(os.close, descriptor)
        return descriptor

    def close(self) -> None:
        """Give the pool up."""
        os.close(self._pool)
