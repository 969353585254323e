"""How long what a run starts may take, and how much it may print."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from muslin.engine.process import errors

HOURS = 3600.0
MEGABYTE = 1_000_000
SAID_BYTES = 16 * MEGABYTE
"""What a check reads: all that a program printed, or a server answered."""
BUILD_VARIABLE = "MUSLIN_BUILD_HOURS"
CHECK_VARIABLE = "MUSLIN_CHECK_SECONDS"
LOG_VARIABLE = "MUSLIN_LOG_MEGABYTES"
VARIABLES = (BUILD_VARIABLE, CHECK_VARIABLE, LOG_VARIABLE)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one program gets, and where a person gives it more."""

    seconds: float
    printed: int
    """Bytes that it may print, beside its log; of an answer, all of it."""
    more_time: str
    more_room: str


class Fault(Protocol):
    """What looks whether something is amiss with a program, that runs or has ended."""

    def __call__(self, *, runs: bool) -> errors.BeyondLimit | None: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What every program of a run gets whose declaration says nothing."""

    build_seconds: float = 24 * HOURS
    check_seconds: float = 300.0
    """An emulator on a busy machine takes ten times as long as a processor."""
    log_bytes: int = 500 * MEGABYTE

    def build(self) -> Allowance:
        """What a command of a build gets."""
        return Allowance(
            seconds=self.build_seconds,
            printed=self.log_bytes,
            more_time=f"{BUILD_VARIABLE}, or build-hours in [tool.muslin] of pyproject.toml,",
            more_room=f"{LOG_VARIABLE}, or log-megabytes in [tool.muslin] of pyproject.toml,",
        )

    def check(self, seconds: float = 0.0, printed: int = 0) -> Allowance:
        """What a program gets that a check starts, and a server's answer."""
        own = "in the [[run]] or [[serve]] of its service.toml"
        return Allowance(
            seconds=seconds or self.check_seconds,
            printed=printed or SAID_BYTES,
            more_time=f"`seconds` {own}, or {CHECK_VARIABLE} for every check,",
            more_room=f"`megabytes` {own}",
        )

    def fault(
        self,
        argv: Sequence[str],
        what: str,
        log: IO[bytes],
        output: IO[bytes] | None,
        allowance: Allowance | None = None,
    ) -> Fault:
        """What says how a command that starts now is beyond its allowance, a build's by default, if
        it is. The log is that of all commands of a stage."""
        built, path = self.build(), Path(log.name)
        own = allowance or built
        deadline = time.monotonic() + own.seconds

        def fault(*, runs: bool) -> errors.BeyondLimit | None:
            if runs and time.monotonic() > deadline:
                return errors.TookTooLong(what, argv, own.seconds, own.more_time, path)
            for file, most, more in (
                (log, built.printed, built.more_room),
                (output, own.printed, own.more_room),
            ):
                if file is not None and os.fstat(file.fileno()).st_size > most:
                    return errors.PrintedTooMuch(what, argv, most, more, path)
            return None

        return fault
