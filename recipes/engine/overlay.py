"""A file on its way, and what an answer has of it laid over what had arrived before.

An answer that begins at the beginning costs nothing of what is here as long as both are the same.
From the first piece on that differs the file is the answer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Overlay:
    """A file, open at the byte that an answer begins with."""

    def __init__(self, file: BinaryIO, begin: int, advance: Callable[[int], None]) -> None:
        self._file, self._advance = file, advance
        self._old = file.seek(0, 2)
        """Bytes that were here before and are not known to differ."""
        self.end = file.seek(begin)
        """Where the answer has come to in the file."""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left of what was here before, but for what the answer has too."""
        return self.end >= self._old

    def add(self, chunk: bytes) -> None:
        """Lay on what comes next."""
        if self.end < self._old:
            there = self._file.read(min(len(chunk), self._old - self.end))
            if chunk.startswith(there):
                self.end += len(there)
                chunk = chunk[len(there) :]
            else:
                self.stop_here()
        self._file.write(chunk)
        self.end += len(chunk)
        self._advance(len(chunk))

    def stop_here(self) -> None:
        """Cut off what was here before and the answer has not."""
        if self.end < self._old:
            self._file.truncate(self.end)
            self._file.seek(self.end)
            self._advance(self.end - self._old)
            self._old = self.end

    def take_off(self) -> None:
        """Cut off what the answer brought."""
        if self.end > self._old:
            self._file.truncate(self._old)
            self._advance(self._old - self.end)
            self.end = self._old


@contextmanager
def laid_over(path: Path, begin: int, advance: Callable[[int], None]) -> Iterator[Overlay]:
    """An overlay of a file that need not be there yet."""
    path.touch()
    with path.open("r+b") as file:
        yield Overlay(file, begin, advance)
