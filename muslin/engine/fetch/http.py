"""One file from one address: resumed where it broke off, asked for again, within limits of time.

What arrives goes to a part file that outlives a failure, so that the next try, the next mirror and
the next run go on where this one stopped. Whether pieces of several answers make up the pinned file
is for its digest to say.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from muslin.engine import redaction
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch import failures
from muslin.engine.fetch.failures import Fault
from muslin.engine.fetch.resume import Overlay, laid_over
from muslin.engine.fetch.route import Route
from muslin.engine.process import errors as process_errors
from muslin.engine.source import Source

if TYPE_CHECKING:
    from muslin.engine.fetch.request import Head

WHOLE = (200, 203)
"""Status codes of a whole file; whether a proxy changed it (203) is for the digest to say."""
PARTIAL, UNSATISFIABLE = 206, 416
LARGEST = 250_000_000
"""Limit in bytes for a pin without a size; the largest archive of Rust is smaller."""
RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
VALIDATOR = re.compile(r'"[!#-~]{0,200}"|[A-Za-z]{3}, [A-Za-z0-9: ]{1,40}')
"""A strong tag or a date (RFC 9110, 8.8.2 and 8.8.3)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long an address is given, in seconds unless it says otherwise."""

    tries: int = 4
    pause: float = 1.0
    """Before the second try; doubled before each further one."""
    connect: float = 15.0
    silence: float = 30.0
    """Between two pieces of an answer."""
    patience: float = 60.0
    """For all tries together, plus the time that the received bytes take at `slowest`."""
    slowest: int = 20_000
    """Bytes a second."""


class Download:
    """The way of one file from one address into its part file."""

    def __init__(  # noqa: PLR0913  # named at the call
        self,
        address: str,
        source: Source,
        part: Path,
        *,
        limits: Limits,
        cancelled: threading.Event,
        advance: Callable[[int], None],
        route: Route | None = None,
    ) -> None:
        self.pieced = False
        """Whether the part file was begun by another answer than the one that ended it."""
        self._address, self._source, self._part = address, source, part
        self._limits, self._cancelled, self._advance = limits, cancelled, advance
        self._route = route or Route()
        self._validator = ""
        self._distrusted = False
        self._size = source.size
        """Bytes; where the pin does not say it, what the first answer said, and 0 until then."""
        self._received = 0
        """Bytes of all tries."""
        self._started = time.monotonic()

    def run(self) -> None:
        """Fetch the file, or what is missing of it.

        Raises `UnsafeAddress` before anything is sent, `WrongSize`, `TooLarge`, `NotTheFile` or
        `TooSlow`, and `ServerFailed` with the last try's fault where no try got to the end.
        """
        pause = self._limits.pause
        for left in reversed(range(self._limits.tries)):
            try:
                self._ask()
            except Fault as fault:
                if left == 0 or not fault.passing or time.monotonic() + pause > self._deadline:
                    raise fetch_errors.ServerFailed(*self._names, str(fault)) from fault
            else:
                return
            self._cancelled.wait(pause)
            pause *= 2

    def distrust(self) -> None:
        """Request the whole file from now on: the bytes on disk may be of another file."""
        self._distrusted, self._validator = True, ""

    @property
    def _names(self) -> tuple[str, str]:
        return self._source.name, redaction.place(self._address)

    @property
    def _deadline(self) -> float:
        return self._started + self._limits.patience + self._received / self._limits.slowest

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise process_errors.Interrupted("the end of the run", [self._source.name])
        if (now := time.monotonic()) > self._deadline:
            raise fetch_errors.TooSlow(*self._names, self._received, now - self._started)

    def _ask(self) -> None:
        # A run that finds everything needs no HTTP client.
        from muslin.engine.fetch.request import Exchange  # noqa: PLC0415

        self._check()
        arrived = self._part.stat().st_size if self._part.exists() else 0
        if arrived and arrived == self._size and not self._distrusted:
            self.pieced = True
            return
        limits = self._limits
        with Exchange(
            "GET",
            self._address,
            self._wishes(0 if self._distrusted else arrived),
            timeout=(limits.connect, limits.silence),
            check=self._check,
            route=self._route,
        ) as exchange:
            begin = self._begin(exchange.head(), arrived)
            self.pieced = begin > 0
            with laid_over(self._part, begin, self._advance) as overlay:
                self._take(exchange.chunks(), overlay)

    def _wishes(self, arrived: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if arrived and (not self._size or arrived < self._size):
            headers["Range"] = f"bytes={arrived}-"
            if self._validator:
                headers["If-Range"] = self._validator
        return headers

    def _begin(self, head: Head, arrived: int) -> int:
        """Return the offset at which a response begins; raises if it is unusable, and leaves the
        part file as it is."""
        span = RANGE.fullmatch(head.headers.get("Content-Range", ""))
        if head.status in WHOLE:
            begin, total = 0, head.length
        elif head.status == PARTIAL and span is not None:
            begin, total = int(span[1]), None if span[2] == "*" else int(span[2])
        elif head.status in (PARTIAL, UNSATISFIABLE) and arrived:
            self.distrust()
            raise Fault("does not serve the rest of the file")
        else:
            raise failures.of_status(head.status)
        kind = head.headers.get("Content-Type", "").lower()
        if kind.startswith("text/html") and not self._source.name.endswith(".html"):
            raise fetch_errors.NotTheFile(*self._names)
        if begin > arrived or (begin and total not in (None, self._size) and self._size):
            self.distrust()
            raise Fault("serves another file or range")
        self._learn(total, begin)
        tag = head.headers.get("ETag", "")
        validator = (
            tag if tag and not tag.startswith("W/") else head.headers.get("Last-Modified", "")
        )
        self._validator = validator if VALIDATOR.fullmatch(validator) else ""
        return begin

    def _learn(self, total: int | None, begin: int) -> None:
        """Validate the size in a response against the pin, or store it if the pin has none."""
        if self._source.size:
            if total not in (None, self._source.size):
                raise fetch_errors.WrongSize(*self._names, self._source.size, total)
        elif total is not None and total > LARGEST:
            raise fetch_errors.DownloadTooLarge(*self._names, LARGEST)
        elif total is not None or not begin:
            self._size = total or 0

    def _take(self, chunks: Iterator[bytes], overlay: Overlay) -> None:
        """Write a body; it ends at the pinned size, whatever the server sends behind it."""
        most = self._source.size or LARGEST
        for chunk in chunks:
            self._received += len(chunk)
            overlay.add(chunk[: most - overlay.end])
            if overlay.is_all:
                self._distrusted = False
            if overlay.end == most:
                break
        if overlay.end < self._size:
            raise Fault(f"closed the connection, {self._size - overlay.end} more bytes expected")
        if overlay.end > self._source.size and overlay.end == LARGEST:
            overlay.take_off()
            raise fetch_errors.DownloadTooLarge(*self._names, LARGEST)
        overlay.stop_here()
