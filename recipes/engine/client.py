"""A question to a server that may do as it likes: one thread asks and listens, another takes what
comes and may leave at any moment.

Looking up a name, a handshake, headers, interim answers and the framing of a body have limits for a
single read at best, none for all of it. So whoever waits counts the time. When it leaves, the
connection is cut, and the listening thread ends; it has nothing in its hands that others use.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import urllib3

from recipes import errors
from recipes.engine import secrets
from recipes.engine.faults import Fault

CHUNK = 1 << 16
WORTH = 1 << 19
"""Bytes for which whoever waits is woken before its time."""
AHEAD = 1 << 21
"""Bytes that may wait to be taken."""
POLL = 0.2
"""Seconds after which a wait looks whether it is worth while."""
REDIRECTIONS = 10

# nox lets every library's lines through to the terminal, and urllib3 warns with whole addresses.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Head:
    """An answer, as far as it is known before its body."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    """Bytes of the body; None where the server does not say, or nothing that makes sense."""


class Exchange:
    """One question and its answer, redirections followed."""

    def __init__(
        self,
        method: Literal["GET", "HEAD"],
        address: str,
        headers: Mapping[str, str],
        *,
        timeout: tuple[float, float],
        check: Callable[[], None],
    ) -> None:
        """Ask; `timeout` is for a connection and between two signs of life, in seconds.

        `check` is called every now and then while somebody waits, and raises where it is enough.
        """
        self._method, self._address, self._headers = method, address, headers
        self._timeout, self._check = timeout, check
        self._sockets: list[socket.socket] = []
        self._changed = threading.Condition()
        self._head: Head | None = None
        self._body: list[bytes] = []
        """What has come and is not taken."""
        self._waiting = 0
        """Bytes of that."""
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
            for one in self._sockets:
                with suppress(OSError):  # it is closed
                    one.shutdown(socket.SHUT_RDWR)

    def head(self) -> Head:
        """The answer, but for its body; raises `Fault`, `UnsafeAddress`, and what `check` does."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._head or self._is_over, POLL)
                if self._head is not None:
                    return self._head
                self._raise_if_over()
            self._check()

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes, of any encoding; raises as `head`."""
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

    # --- in the other thread ---

    def _listen(self) -> None:
        fault: Exception | None = None
        try:
            with _Session(self._connected) as session, self._asked(session) as answer:
                self._take(answer)
        except errors.UnsafeAddress as error:
            fault = error
        except Exception as error:  # every answer is data: a parser's dismay is the server's fault
            fault = _in_words(error)
        with self._changed:
            self._is_over, self._fault = True, fault
            self._changed.notify_all()
            for one in self._sockets:
                if (number := one.detach()) >= 0:  # urllib3 leaves one behind bad lengths
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
        self._raise_if_left()

    def _raise_if_left(self) -> None:
        if self._is_left:
            raise Fault("is not listened to any more")

    def _asked(self, session: _Session) -> requests.Response:
        try:
            request = self._request(session, self._address)
        except ValueError as error:
            raise errors.UnsafeAddress(secrets.place(self._address)) from error
        for _ in range(REDIRECTIONS + 1):
            answer = session.sent(request, self._timeout)
            try:
                if (elsewhere := session.leads_to(answer)) is None:
                    return answer
                answer.close()
                request = self._request(session, urljoin(answer.url, elsewhere), before=request)
            except ValueError as error:
                why = "redirects to what is not fetched: only https, or http on loopback"
                raise Fault(why, passing=False) from error
        raise Fault(f"redirects more than {REDIRECTIONS} times", passing=False)

    def _request(
        self,
        session: _Session,
        address: str,
        *,
        before: requests.PreparedRequest | None = None,
    ) -> requests.PreparedRequest:
        """The request for an address, looked at as it will be sent: HTTPS, or plain HTTP to this
        machine itself, where no HTTPS led to it. Raises `ValueError`."""
        question = requests.Request(self._method, address, headers=self._headers)
        request = session.prepare_request(question)
        scheme, host = _scheme_and_host(request)
        is_bare = before is None or _scheme_and_host(before)[0] == "http"
        if scheme != "https" and not (scheme == "http" and is_bare and _is_loopback(host)):
            raise ValueError(scheme, host)
        return request


class _Session(requests.Session):
    """Follows no redirection by itself: it would read the whole body of each."""

    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__()
        adapter = _Adapter(connected)
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)

    def sent(
        self, request: requests.PreparedRequest, timeout: tuple[float, float]
    ) -> requests.Response:
        """The answer, up to its body."""
        # Plain HTTP is for this machine alone, which is another one where a proxy asks.
        settings = self.merge_environment_settings(request.url, {"http": ""}, True, None, None)
        return self.send(request, timeout=timeout, allow_redirects=False, **settings)

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  # its name
        """Nowhere, for all that the library does by itself."""
        return

    def leads_to(self, answer: requests.Response) -> str | None:
        """Where the answer redirects to; None if it does not."""
        return super().get_redirect_target(answer)


class _Adapter(requests.adapters.HTTPAdapter):
    """Tells of each connection that it makes."""

    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        self._connected = connected
        super().__init__()

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> urllib3.connectionpool.ConnectionPool:
        """The connections to a server, each of which is told of when it is there."""
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        assert isinstance(pool, urllib3.HTTPConnectionPool)
        connected, kind = self._connected, pool.ConnectionCls

        class Connection(kind):  # type: ignore[valid-type, misc]
            def connect(self) -> None:
                super().connect()
                connected(self.sock)

        pool.ConnectionCls = Connection
        return pool


def _scheme_and_host(request: requests.PreparedRequest) -> tuple[str, str]:
    parts = urlsplit(request.url or "")
    return parts.scheme, parts.hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_words(error: Exception) -> Fault:
    """What a library makes of a connection, an answer or the lack of one, without its words or the
    server's: they hold addresses, and a redirection's may let somebody in."""
    if isinstance(error, Fault):
        return error
    root = _root(error)
    match root:
        case ssl.SSLCertVerificationError():
            return Fault(f"is not trusted: {root.reason}, {root.verify_message}", passing=False)
        case _ if isinstance(error, requests.exceptions.ProxyError):
            why = "cannot be reached through the proxy"
        case TimeoutError() | urllib3.exceptions.TimeoutError():
            why = "does not answer in time"
        case urllib3.exceptions.IncompleteRead(expected=int()):
            why = f"broke off, {root.expected} more bytes expected"
        case ConnectionResetError() | BrokenPipeError() | http.client.IncompleteRead():
            why = "broke off"
        case OSError(strerror=str()):
            why = f"cannot be reached: {root.strerror}"
        case _:
            why = f"gives an answer that makes no sense ({type(root).__name__})"
    return Fault(why)


def _root(error: BaseException) -> BaseException:
    """The error that the others were made of."""
    inner = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    for one in inner:
        if isinstance(one, BaseException):
            return _root(one)
    return error
