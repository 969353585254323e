"""How long what a run starts may take, and how much it may print."""

from __future__ import annotations

from dataclasses import dataclass

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
