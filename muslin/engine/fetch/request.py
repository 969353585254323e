"""One request to an untrusted server: a thread sends it and reads the response, the caller takes
what was read and may leave at any moment.

Name resolution, handshake, headers, interim responses and the framing of a body have timeouts per
read at best, none for the whole. So the caller keeps the time. When it leaves, the connection is
shut down and the thread ends; it writes to nothing that others use.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from muslin.engine import redaction
from muslin.engine.fetch import errors
from muslin.engine.fetch.failures import Fault
from muslin.engine.fetch.route import Route
from muslin.engine.fetch.transport import Session

CHUNK = 1 << 16
WORTH = 1 << 19
"""Bytes at which the caller is woken before its poll."""
AHEAD = 1 << 21
"""Bytes at which reading pauses until the caller took them."""
POLL = 0.2
"""Seconds between two calls of `check`."""
REDIRECTIONS = 10
SENT_AHEAD = 1 << 18
"""Bytes of a body that the system takes before the server does: what was sent shows how far it is.
"""
Authorize = Callable[[requests.PreparedRequest], requests.PreparedRequest]


@dataclass(frozen=True, kw_only=True)
class Head:
    """The status and headers of a response."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    """Bytes of the body; None where the header is missing or invalid."""


class Body(Protocol):
    """What a request sends, and how long it is."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes."""


# Long: one exchange with a server, and what each answer means.
class Exchange:
    """One request and its response, redirections followed."""

    def __init__(  # noqa: PLR0913  # named at the call
        self,
        method: Literal["GET", "HEAD", "PUT"],
        address: str,
        headers: Mapping[str, str],
        *,
        timeout: tuple[float, float],
        check: Callable[[], None],
        route: Route | None = None,
        authorize: Authorize | None = None,
        body: Body | None = None,
        redirections: int = REDIRECTIONS,
    ) -> None:
        """Set up a request; `timeout` is for connect and for each read, in seconds.

        `check` is called several times a second while the caller waits, and raises to leave.
        `authorize` adds credentials in the place of those that netrc(5) has for the server.
        """
        self._method, self._address, self._headers = method, address, headers
        self._timeout, self._check, self._route = timeout, check, route or Route()
        self._authorize, self._content, self._redirections = authorize, body, redirections
        self._sockets: list[socket.socket] = []
        self._changed = threading.Condition()
        self._head: Head | None = None
        self._body: list[bytes] = []
        """Read and not yet taken."""
        self._waiting = 0
        """Bytes in `_body`."""
        self._fault: Exception | None = None
        self._is_over = self._is_left = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True, name="server").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
            for connection in self._sockets:
                with suppress(OSError):  # closed already
                    connection.shutdown(socket.SHUT_RDWR)

    def head(self) -> Head:
        """Wait for status and headers; raises `Fault`, `UnsafeAddress` and what `check` does."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._head or self._is_over, POLL)
                if self._head is not None:
                    return self._head
                self._raise_if_over()
            self._check()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, not decoded; raises as `head`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting >= WORTH or self._is_over, POLL)
                chunk = b"".join(self._body)
                self._body.clear()
                self._waiting = 0
                self._changed.notify_all()
                if not chunk:
                    self._raise_if_over()
                    if self._is_over:
                        return
            if chunk:
                yield chunk
            self._check()

    def _raise_if_over(self) -> None:
        if self._is_over and self._fault is not None:
            raise self._fault

    # --- in the thread that reads ---

    def _listen(self) -> None:
        fault: Exception | None = None
        try:
            with Session(self._connected) as session, self._asked(session) as answer:
                self._take(answer)
        except errors.UnsafeAddress as error:
            fault = error
        except (
            Exception
        ) as error:  # a response is data: whatever a parser raises is the server's fault
            fault = fault_of(error)
        with self._changed:
            self._is_over, self._fault = True, fault
            self._changed.notify_all()
            for connection in self._sockets:
                if (number := connection.detach()) >= 0:  # urllib3 leaks it after a bad length
                    os.close(number)

    def _take(self, answer: requests.Response) -> None:
        length = answer.raw.length_remaining
        with self._changed:
            self._head = Head(status=answer.status_code, headers=answer.headers, length=length)
            self._changed.notify_all()
        # Undecoded: some servers call a .tar.gz an encoding, and the pin is of the file.
        while chunk := answer.raw.read1(CHUNK, decode_content=False):
            with self._changed:
                self._changed.wait_for(lambda: self._waiting < AHEAD or self._is_left)
                self._raise_if_left()
                self._body.append(chunk)
                self._waiting += len(chunk)
                if self._waiting >= WORTH:
                    self._changed.notify_all()

    def _connected(self, connection: socket.socket) -> None:
        self._sockets.append(connection)
        if self._content is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
        self._raise_if_left()

    def _raise_if_left(self) -> None:
        if self._is_left:
            raise Fault("was abandoned")

    def _asked(self, session: Session) -> requests.Response:
        try:
            request = self._request(session, self._address)
        except ValueError as error:
            raise errors.UnsafeAddress(redaction.place(self._address)) from error
        for _ in range(self._redirections + 1):
            answer = session.sent(request, self._timeout, self._route)
            try:
                if (elsewhere := session.leads_to(answer)) is None:
                    return answer
                answer.close()
                request = self._request(session, urljoin(answer.url, elsewhere), before=request)
            except ValueError as error:
                why = "redirects to an address that is refused: only https, or http on loopback"
                raise Fault(why, passing=False) from error
        if not self._redirections:
            raise Fault("redirects, which is not followed", passing=False)
        raise Fault(f"redirects more than {self._redirections} times", passing=False)

    def _request(
        self,
        session: Session,
        address: str,
        *,
        before: requests.PreparedRequest | None = None,
    ) -> requests.PreparedRequest:
        """Prepare the request for an address, and validate the URL as it will be sent: HTTPS, or
        HTTP on loopback or where the route allows it, unless HTTPS redirected to it. Raises
        `ValueError`."""
        question = requests.Request(
            self._method,
            address,
            headers=self._headers,
            data=self._content,
            auth=self._authorize,
        )
        request = session.prepare_request(question)
        scheme, host = _scheme_and_host(request)
        is_bare = before is None or _scheme_and_host(before)[0] == "http"
        may_be_plain = is_bare and (self._route.plain or is_loopback(host))
        if scheme != "https" and not (scheme == "http" and may_be_plain):
            raise ValueError(scheme, host)
        return request


def _scheme_and_host(request: requests.PreparedRequest) -> tuple[str, str]:
    parts = urlsplit(request.url or "")
    return parts.scheme, parts.hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its address or as `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fault_of(error: Exception) -> Fault:
    """Convert an exception of a library. Texts of libraries and servers are left out: they contain
    URLs, and that of a redirection may contain credentials."""
    if isinstance(error, Fault):
        return error
    root = _root(error)
    match root:
        case ssl.SSLCertVerificationError():
            return Fault(f"is not trusted: {root.reason}, {root.verify_message}", passing=False)
        case _ if isinstance(error, requests.exceptions.ProxyError):
            why = "cannot be reached through the proxy"
        case TimeoutError() | urllib3.exceptions.TimeoutError():
            why = "timed out"
        case urllib3.exceptions.IncompleteRead(expected=int()):
            why = f"closed the connection, {root.expected} more bytes expected"
        case ConnectionResetError() | BrokenPipeError() | http.client.IncompleteRead():
            why = "closed the connection"
        case OSError(strerror=str()):
            why = f"cannot be reached: {root.strerror}"
        case OSError():
            why = "cannot be reached: check the settings of the proxy and the CA bundle"
        case _:
            why = f"sent an invalid response ({type(root).__name__})"
    return Fault(why)


def _root(error: BaseException) -> BaseException:
    """Return the innermost cause of an exception."""
    inner = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    for cause in inner:
        if isinstance(cause, BaseException):
            return _root(cause)
    return error
