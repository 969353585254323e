"""A remote on a web server: GET and PUT, as Bazel's HTTP cache has them.

Credentials are a bearer token or an entry of netrc(5), sent over HTTPS or to this machine only,
and never to where a server redirects: nothing is followed.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from muslin.engine import redaction
from muslin.engine.fetch.failures import Fault, of_status
from muslin.engine.fetch.route import Route
from muslin.engine.remote.client import Refused
from muslin.engine.remote.patience import Patience

if TYPE_CHECKING:
    import requests

    from muslin.engine.fetch.request import Authorize, Exchange

CONNECT = 2.0
"""Seconds; for all else `Patience` keeps the time."""
SILENCE = 60.0
"""Seconds after which a thread ends for which nobody waits any more."""
LARGEST = 1 << 20
"""Bytes of an action; one has some hundred."""
FORBIDDEN = (401, 403, 405, 407)
ABSENT = (404, 410)
DONE = (200, 201, 202, 204)


@dataclass(frozen=True, kw_only=True)
class HttpRemote:
    """An address on a web server."""

    address: str
    """Without a slash at its end, credentials and a query."""
    token: str = field(default="", repr=False)
    patience: Patience
    cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def place(self) -> str:
        """As `Remote.place`."""
        return redaction.place(self.address)

    @property
    def has_credentials(self) -> bool:
        """Whether there is something to write with."""
        return self._is_private and (bool(self.token) or self._netrc() is not None)

    def action(self, key: str) -> bytes | None:
        """As `Remote.action`."""
        content = io.BytesIO()

        def take(chunk: bytes) -> None:
            content.write(chunk)
            if content.tell() > LARGEST:
                raise Fault("sends more than an action has", passing=False)

        return content.getvalue() if self._get(f"ac/{key}", take) else None

    def blob(self, sha256: str, take: Callable[[bytes], object]) -> bool:
        """As `Remote.blob`."""
        return self._get(f"cas/{sha256}", take)

    def put_blob(self, sha256: str, size: int, content: IO[bytes]) -> None:
        """As `Remote.put_blob`."""
        self._put(f"cas/{sha256}", "application/octet-stream", size, content)

    def put_action(self, key: str, action: bytes) -> None:
        """As `Remote.put_action`."""
        self._put(f"ac/{key}", "application/json", len(action), io.BytesIO(action))

    def _get(self, path: str, take: Callable[[bytes], object]) -> bool:
        kind = "application/json" if path.startswith("ac/") else "*/*"
        headers = {"Accept": kind, "Accept-Encoding": "identity"}
        with self.patience.request(), self._exchange("GET", path, headers) as exchange:
            head = exchange.head()
            if head.status in ABSENT:
                return False
            if head.status != 200:
                raise of_status(head.status)
            if head.headers.get("Content-Type", "").lower().startswith("text/html"):
                raise Fault("answers with a web page", passing=False)
            if head.headers.get("Content-Encoding", "identity") != "identity":
                raise Fault("compresses what it was asked to send as it is", passing=False)
            received = 0
            for chunk in exchange.chunks():
                self.patience.moved(len(chunk))
                received += len(chunk)
                take(chunk)
            if head.length is not None and received < head.length:
                raise Fault(f"closed the connection, {head.length - received} more bytes expected")
            return True

    def _put(self, path: str, kind: str, size: int, content: IO[bytes]) -> None:
        body = _Body(content, size, self.patience.moved)
        headers = {"Content-Type": kind}
        with self.patience.request(), self._exchange("PUT", path, headers, body) as exchange:
            status = exchange.head().status
        if status in FORBIDDEN:
            raise Refused(f"does not let this run write: it {of_status(status)}", passing=False)
        if status not in DONE:
            raise of_status(status)

    def _exchange(
        self,
        method: Literal["GET", "PUT"],
        path: str,
        headers: dict[str, str],
        body: _Body | None = None,
    ) -> Exchange:
        # A run that finds everything needs no HTTP client.
        from muslin.engine.fetch.request import Exchange  # noqa: PLC0415

        return Exchange(
            method,
            f"{self.address}/{path}",
            headers,
            timeout=(CONNECT, SILENCE),
            check=self._check,
            # What arrives is signed, so that reading it over plain HTTP will do.
            route=Route(plain=not self._is_private),
            authorize=self._authorization(),
            body=body,
            redirections=0,
        )

    def _check(self) -> None:
        if self.cancelled.is_set():
            raise Fault("is not waited for: the run ends")
        self.patience.check()

    def _authorization(self) -> Authorize:
        from requests.auth import HTTPBasicAuth  # noqa: PLC0415  # as above

        if not self._is_private:
            return _unchanged
        if self.token:
            return self._bear
        found = self._netrc()
        return HTTPBasicAuth(*found) if found else _unchanged

    def _bear(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    @property
    def _is_private(self) -> bool:
        """Whether nobody on the way reads what is sent."""
        from muslin.engine.fetch.request import is_loopback  # noqa: PLC0415  # as above

        parts = urlsplit(self.address)
        return parts.scheme == "https" or is_loopback(parts.hostname or "")

    def _netrc(self) -> tuple[str, str] | None:
        from requests.utils import get_netrc_auth  # noqa: PLC0415  # as above

        found = get_netrc_auth(self.address)
        return (str(found[0]), str(found[1])) if found else None


class _Body:
    """A file to be sent, whose progress is known."""

    def __init__(self, content: IO[bytes], size: int, moved: Callable[[int], None]) -> None:
        self._content, self._size, self._moved = content, size, moved

    def __len__(self) -> int:
        return self._size

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._content.read(count)
        self._moved(len(chunk))
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(1 << 16):
            yield chunk


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, those of netrc(5) neither, which the library would add."""
    return request
