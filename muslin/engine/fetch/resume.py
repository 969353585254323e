"""A partial file, overwritten by a response only where both differ.

A server that ignores a range sends the file from its first byte. As long as its bytes are equal to
those on disk nothing is lost; from the first chunk that differs, the file is the new response's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Overlay:
    """A partial file, open at the first byte of a response."""

    def __init__(self, file: BinaryIO, begin: int, advance: Callable[[int], None]) -> None:
        self._file, self._advance = file, advance
        self._old = file.seek(0, 2)
        """Bytes of earlier responses that are still in the file."""
        self.end = file.seek(begin)
        """Offset of the next byte of the response."""

    @property
    def is_all(self) -> bool:
        """Whether every byte in the file is also the response's, if it began at 0."""
        return self.end >= self._old

    def add(self, chunk: bytes) -> None:
        """Compare or write the next chunk."""
        if self.end < self._old:
            old = self._file.read(min(len(chunk), self._old - self.end))
            if chunk.startswith(old):
                self.end += len(old)
                chunk = chunk[len(old) :]
            else:
                self.stop_here()
        self._file.write(chunk)
        self.end += len(chunk)
        self._advance(len(chunk))

    def stop_here(self) -> None:
        """Truncate the file behind the response."""
        if self.end < self._old:
            self._file.truncate(self.end)
            self._file.seek(self.end)
            self._advance(self.end - self._old)
            self._old = self.end

    def take_off(self) -> None:
        """Truncate the file to what earlier responses left."""
        if self.end > self._old:
            self._file.truncate(self._old)
            self._advance(self._old - self.end)
            self.end = self._old


@contextmanager
def laid_over(path: Path, begin: int, advance: Callable[[int], None]) -> Iterator[Overlay]:
    """Open a file, which may not exist yet, for a response that begins at an offset."""
    path.touch()
    with path.open("r+b") as file:
        yield Overlay(file, begin, advance)
