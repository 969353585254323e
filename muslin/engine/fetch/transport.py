"""Sessions of requests whose connections are known and which follow no redirection."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping

import requests
import requests.adapters
import urllib3

from muslin.engine.fetch.route import Route

# nox lets every library's lines through to the terminal, and urllib3 warns with whole addresses.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class Session(requests.Session):
    """Does not follow redirections: the library would read the whole body of each."""

    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__()
        adapter = Adapter(connected)
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)

    def sent(
        self, request: requests.PreparedRequest, timeout: tuple[float, float], route: Route
    ) -> requests.Response:
        """Send a request and return the response, its body unread."""
        # Other HTTP is for loopback alone, and a proxy's loopback is another machine.
        proxies = dict(route.proxies) if route.plain else {"http": ""}
        settings = self.merge_environment_settings(request.url, proxies, True, None, None)
        return self.send(request, timeout=timeout, allow_redirects=False, **settings)

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  # its name
        """Return None, so that the library follows nothing."""
        return

    def leads_to(self, answer: requests.Response) -> str | None:
        """Return the target of a redirection, or None."""
        return super().get_redirect_target(answer)


class Adapter(requests.adapters.HTTPAdapter):
    """Reports each connection that it makes."""

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
        """Return the pool for a server, whose connections are reported once they are made."""
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        assert isinstance(pool, urllib3.HTTPConnectionPool)
        connected, kind = self._connected, pool.ConnectionCls

        class Connection(kind):  # type: ignore[valid-type, misc]
            def connect(self) -> None:
                super().connect()
                connected(self.sock)

        pool.ConnectionCls = Connection
        return pool
