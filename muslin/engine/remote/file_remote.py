"""A remote in a directory, such as one on a network file system or a CI's own cache."""

from __future__ import annotations

import io
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from muslin.engine.fetch.failures import Fault
from muslin.engine.filesystem import atomic
from muslin.engine.remote.client import Refused

CHUNK = 1 << 20


@dataclass(frozen=True)
class FileRemote:
    """Files below a directory, each written aside and renamed."""

    root: Path

    @property
    def place(self) -> str:
        """As `Remote.place`."""
        return f"file://{self.root}"

    def action(self, key: str) -> bytes | None:
        """As `Remote.action`."""
        content = io.BytesIO()
        return content.getvalue() if self._read("ac", key, content.write) else None

    def blob(self, sha256: str, take: Callable[[bytes], object]) -> bool:
        """As `Remote.blob`."""
        return self._read("cas", sha256, take)

    def put_blob(self, sha256: str, size: int, content: IO[bytes]) -> None:  # noqa: ARG002  # of the protocol
        """As `Remote.put_blob`."""
        self._write("cas", sha256, content)

    def put_action(self, key: str, action: bytes) -> None:
        """As `Remote.put_action`."""
        self._write("ac", key, io.BytesIO(action))

    def _read(self, kind: str, name: str, take: Callable[[bytes], object]) -> bool:
        path = self.root / kind / name
        try:
            # A FIFO is not waited for.
            opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(opened, "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(opened).st_mode):
                    return False
                while chunk := file.read(CHUNK):
                    take(chunk)
        except (FileNotFoundError, NotADirectoryError):
            if not self.root.is_dir():
                raise Fault("is no directory", passing=False) from None
            return False
        except OSError as error:
            raise Fault(f"cannot be read: {error.strerror}") from error
        return True

    def _write(self, kind: str, name: str, content: IO[bytes]) -> None:
        path = self.root / kind / name
        try:
            path.parent.mkdir(exist_ok=True)
            with atomic.replacing(path) as aside, closing(aside.open("xb")) as file:
                shutil.copyfileobj(content, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Refused(f"cannot be written: {error.strerror}", passing=False) from error
