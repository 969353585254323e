"""Requests to one registry: redirections, retries, and a limit to everything.

Authorization goes to the registry's own origin and to no other: storage behind a registry has its
own in the address. Interface: OCI distribution specification 1.1.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from muslin.dist.registry import errors
from muslin.dist.registry.answer import Answer, joined
from muslin.dist.registry.reference import Registry
from muslin.dist.registry.retries import Limits, Retries
from muslin.engine import redaction
from muslin.engine.fetch import request
from muslin.engine.fetch.failures import Fault
from muslin.engine.fetch.route import Route
from muslin.engine.fetch.transport import Session
from muslin.engine.formats.oci_layout import Section

Method = Literal["GET", "HEAD", "POST", "PUT"]
REDIRECTIONS = 5
KEEPS_METHOD = (307, 308)
"""After other redirections clients repeat a POST or PUT as a GET."""
LARGEST_ANSWER = 1 << 20
"""Bytes."""


class Connection:
    """A registry on the line."""

    def __init__(
        self,
        registry: Registry,
        *,
        stopping: threading.Event,
        limits: Limits | None = None,
        plain_http: bool = False,
    ) -> None:
        """Nothing is sent yet. `stopping` ends a wait, with `Interrupted`."""
        self.registry = registry
        self.retries = Retries(limits=limits or Limits(), stopping=stopping)
        self._route = Route(plain=plain_http)
        self._sockets: list[socket.socket] = []
        self._session = Session(self._sockets.append)
        self._session.headers.update({"User-Agent": "muslin", "Accept-Encoding": "identity"})
        self._session.auth = _keep  # or the library takes what ~/.netrc has for a host

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def address(self, path: str) -> str:
        """The address of something below the registry's interface."""
        return f"{self.registry.origin}/v2/{path}"

    def ask(  # noqa: PLR0913  # named at the call
        self,
        method: Method,
        address: str,
        *,
        what: str,
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        body: Callable[[], Section | bytes] = bytes,
    ) -> Answer:
        """Send a request and follow redirections; `authorization` goes to the registry alone.

        Raises `Fault` if nothing comes that can be read, `BadRedirection`.
        """
        for _ in range(REDIRECTIONS + 1):
            self._insist_on_safe(address, what)
            own = (
                {"Authorization": authorization} if authorization and self._is_own(address) else {}
            )
            answer = self.once(method, address, {**(headers or {}), **own}, body())
            elsewhere = answer.headers.get("Location", "")
            if answer.status not in (301, 302, 303, *KEEPS_METHOD) or not elsewhere:
                return answer
            if method in ("POST", "PUT") and answer.status not in KEEPS_METHOD:
                raise self._redirection(what, "an upload as if it were a page")
            address = joined(address, elsewhere)
        raise self._redirection(what, f"more than {REDIRECTIONS} times")

    def once(
        self, method: Method, address: str, headers: Mapping[str, str], body: Section | bytes
    ) -> Answer:
        """Send a request and read the answer, whatever it is. Raises `Fault`."""
        limits = self.retries.limits
        try:
            prepared = self._session.prepare_request(
                requests.Request(method, address, headers=dict(headers), data=body or None)
            )
            if method in ("POST", "PUT") and not body:
                prepared.headers["Content-Length"] = "0"
            with self._in_time(limits.patience + len(body) / limits.slowest):
                timeout = (limits.connect, limits.silence)
                with self._session.sent(prepared, timeout, self._route) as answer:
                    content = _read(answer)
        except ValueError as error:  # among them an address that is none
            raise Fault("names an address that cannot be used", passing=False) from error
        except Exception as error:  # an answer is data: whatever a parser raises is its fault
            raise request.fault_of(error) from error
        return Answer(
            status=answer.status_code, headers=answer.headers, content=content, address=address
        )

    def may_go_to(self, address: str) -> bool:
        """Whether a request may go to an address: HTTPS, or HTTP if the registry itself has no
        TLS, then on loopback or where the user said so."""
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme == "https":
            return bool(host)
        plain = self.registry.scheme == "http" and parts.scheme == "http"
        return plain and (self._route.plain or request.is_loopback(host))

    def _is_own(self, address: str) -> bool:
        own, other = urlsplit(self.registry.origin), urlsplit(address)
        return (own.scheme, own.hostname, _port(own.scheme, own.port)) == (
            other.scheme,
            other.hostname,
            _port(other.scheme, other.port),
        )

    def _insist_on_safe(self, address: str, what: str) -> None:
        if not self.may_go_to(address):
            raise self._redirection(what, f"to an unsafe address, {redaction.place(address)}")

    def _redirection(self, what: str, why: str) -> errors.BadRedirection:
        return errors.BadRedirection(self.registry.name, what, why)

    @contextmanager
    def _in_time(self, seconds: float) -> Iterator[None]:
        """Hang up once the time is over, and raise `Fault`: a socket's timeout is for each read."""
        over = threading.Event()

        def end() -> None:
            over.set()
            self._hang_up()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if over.is_set():
                raise Fault(f"has not answered in {seconds:.0f} s")

    def _hang_up(self) -> None:
        for connection in self._sockets:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


def _port(scheme: str, port: int | None) -> int:
    return port or {"https": 443}.get(scheme, 80)


def _read(answer: requests.Response) -> bytes:
    """The body as it was sent; what is too long is cut off and its connection left."""
    content = b""
    for chunk in answer.raw.stream(1 << 16, decode_content=False):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            answer.close()
            return content[:LARGEST_ANSWER]
    return content


def _keep(prepared: requests.PreparedRequest) -> Any:  # noqa: ANN401  # as the library types it
    return prepared
