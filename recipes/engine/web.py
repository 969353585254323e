"""One file from one address: resumed where it broke off, asked for again, within limits of time.

What arrives goes to a part file that outlives a failure, so that the next try, the next mirror and
the next run go on where this one stopped. Whether pieces of several answers make up the pinned file
is for its digest to say.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recipes import errors
from recipes.engine.addresses import insist_on_tls, look_ahead
from recipes.engine.stage import Source

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16
POLL = 0.2
"""Seconds after which a wait looks whether the run was cancelled."""
REDIRECTIONS = 10
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes of servers that may well answer a moment later (RFC 9110, RFC 6585, RFC 8470)."""
OK, PARTIAL, UNSATISFIABLE = 200, 206, 416
UNKNOWN_SIZE = 250_000_000
"""Bytes that a file of unknown size is given time for; the largest archive of Rust has fewer."""


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
    """For all tries together, and so much more as the file takes at `slowest`."""
    slowest: int = 20_000
    """Bytes a second."""

    def seconds(self, size: int) -> float:
        """What a file of so many bytes may take."""
        return self.patience + size / self.slowest


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
    ) -> None:
        self.pieced = False
        """Whether the part file was begun by another answer than the one that ended it."""
        self._address, self._source, self._part = address, source, part
        self._limits, self._cancelled, self._advance = limits, cancelled, advance
        self._validator = ""
        self._size = source.size
        """Bytes; where the pin does not say it, what the first answer said, and 0 until then."""
        self._started = time.monotonic()

    def run(self) -> None:
        """Fetch the file, or what is missing of it.

        Raises `WrongSize`, `NotTheFile` or `TooSlow`, `UnsafeAddress` before anything is sent, and
        the last try's `requests.RequestException` where no try got to the end.
        """
        insist_on_tls(self._address)
        pause = self._limits.pause
        for left in reversed(range(self._limits.tries)):
            try:
                self._abandonable(self._go_on)
            except OSError as error:
                if left == 0 or not _may_pass(error) or time.monotonic() + pause > self._deadline:
                    raise
            else:
                return
            if self._cancelled.wait(pause):
                self._raise_if_cancelled()
            pause *= 2

    @property
    def _seconds(self) -> float:
        return self._limits.seconds(self._size or UNKNOWN_SIZE)

    @property
    def _deadline(self) -> float:
        return self._started + self._seconds

    def start_over(self) -> None:
        """Forget what has arrived."""
        self._advance(-self._arrived)
        self._part.unlink(missing_ok=True)
        self._validator, self.pieced = "", False

    @property
    def _arrived(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise errors.Interrupted("the end of the run", [self._source.name])

    def _abandonable(self, work: Callable[[], None]) -> None:
        """Wait for the work, or until the run is cancelled.

        A server that says nothing cannot be asked to stop: its thread is left to end by itself.
        """
        outcome: Future[None] = Future()

        def attempt() -> None:
            try:
                work()
            except BaseException as error:  # whatever it is, the waiting thread raises it
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        threading.Thread(target=attempt, daemon=True).start()
        while not wait([outcome], POLL).done:
            self._raise_if_cancelled()
        outcome.result()

    def _go_on(self) -> None:
        import requests  # noqa: PLC0415  # a run that finds everything needs no HTTP client

        # nox lets every library's debug lines through to the terminal.
        logging.getLogger("urllib3").setLevel(logging.INFO)

        arrived = self._arrived
        if self._size and arrived > self._size:
            self.start_over()
            arrived = 0
        if arrived and arrived == self._size:
            self.pieced = True
            return
        headers = {"Accept-Encoding": "identity"}
        if arrived:
            headers["Range"] = f"bytes={arrived}-"
            if self._validator:
                headers["If-Range"] = self._validator
        with requests.Session() as session:
            session.max_redirects = REDIRECTIONS
            with session.get(
                self._address,
                headers=headers,
                stream=True,
                timeout=(self._limits.connect, self._limits.silence),
                hooks={"response": look_ahead},
            ) as answer:
                self._take(answer, arrived)

    def _take(self, answer: requests.Response, arrived: int) -> None:
        if arrived and not self._continues(answer, arrived):
            self.start_over()
            arrived = 0
            if answer.status_code != OK:
                raise _Passing(f"the file at {self._address} is not the one that was begun")
        answer.raise_for_status()
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html") and not self._source.name.endswith(".html"):
            raise errors.NotTheFile(self._source.name, self._address)
        self.pieced = arrived > 0
        if not arrived and not self._source.size:
            self._size = int(answer.headers.get("Content-Length", "0"))
        self._validator = _validator(answer)
        with self._part.open("ab") as file:
            self._write(answer, file.write, arrived)

    def _continues(self, answer: requests.Response, arrived: int) -> bool:
        """Whether the answer is the rest of a file as long as ours; a server may ignore the
        question for a range, or have another file by now."""
        if answer.status_code != PARTIAL:
            # An error says nothing of the file: what has arrived stays.
            return answer.status_code not in (OK, UNSATISFIABLE)
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != arrived:
            return False
        if not self._size and match[2] != "*":
            self._size = int(match[2])  # whether it is the file that was begun, its digest says
        return match[2] in ("*", str(self._size))

    def _write(
        self, answer: requests.Response, write: Callable[[bytes], int], arrived: int
    ) -> None:
        import requests  # noqa: PLC0415  # as above
        import urllib3  # noqa: PLC0415  # it comes with requests, as late as that

        source, size = self._source, self._size
        try:
            # Undecoded: some servers call a .tar.gz an encoding, and the pin is of the file.
            for chunk in answer.raw.stream(CHUNK, decode_content=False):
                self._raise_if_cancelled()
                arrived += len(chunk)
                if size and arrived > size:
                    raise errors.WrongSize(source.name, self._address, size, arrived)
                write(chunk)
                self._advance(len(chunk))
                if time.monotonic() > self._deadline:
                    raise errors.TooSlow(source.name, self._address, self._seconds)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
        if arrived < size:
            raise errors.WrongSize(source.name, self._address, size, arrived)


class _Passing(ConnectionError):
    """A fault of one answer; the next may be right."""


def _may_pass(error: OSError) -> bool:
    """Whether to ask again. What is refused for a reason is refused again."""
    import requests  # noqa: PLC0415  # as above

    match error:
        case requests.exceptions.SSLError():
            return False
        case requests.HTTPError(response=requests.Response(status_code=status)):
            return status in PASSING
        case requests.ConnectionError() | requests.Timeout() | _Passing():
            return True
        case _:
            return False


def _validator(answer: requests.Response) -> str:
    """What tells this version of the file from another; a weak tag is good for no range."""
    tag = answer.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return answer.headers.get("Last-Modified", "")
