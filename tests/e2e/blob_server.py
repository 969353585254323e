"""A server of Bazel's HTTP cache layout on loopback, with the rules that bazel-remote documents: a
blob must have the digest that it is called by, and an action is absent unless all that it names is
there."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TOKEN = "told-to-nobody"  # noqa: S105  # of this server
NAME = re.compile(r"/(ac|cas)/([0-9a-f]{64})")


class Asked(http.server.BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_HEAD(self) -> None:
        self._serve(self._get)

    def do_PUT(self) -> None:
        self._serve(self._put)

    @property
    def blobs(self) -> BlobServer:
        assert isinstance(self.server, BlobServer)
        return self.server

    def _serve(self, answer: Callable[[str, str], None]) -> None:
        with self.blobs.lock:
            self.blobs.asked.append((self.command, self.path))
        if (mood := self.blobs.mood(self)) is not None:
            mood(self)
        elif (match := NAME.fullmatch(self.path)) is None:
            self.answer(404)
        else:
            answer(match[1], match[2])

    def _get(self, kind: str, name: str) -> None:
        content = self.blobs.held[kind].get(name)
        if content is None or (kind == "ac" and not self._is_whole(content)):
            self.answer(404)
            return
        self.answer(200, content)

    def _is_whole(self, action: bytes) -> bool:
        if not self.blobs.validates:
            return True
        outputs = json.loads(action)["outputFiles"]
        return all(one["digest"]["hash"] in self.blobs.held["cas"] for one in outputs)

    def _put(self, kind: str, name: str) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401)
        elif kind == "cas" and hashlib.sha256(content).hexdigest() != name:
            self.answer(400)
        else:
            self.blobs.held[kind][name] = content
            self.answer(200)

    def answer(self, status: int, content: bytes = b"", kind: str = "application/json") -> None:
        """A whole response."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", kind)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


Mood = Callable[[Asked], None]


class BlobServer(http.server.ThreadingHTTPServer):
    """What it holds, what it was asked for, and a mood that answers in its place."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.held: dict[str, dict[str, bytes]] = {"ac": {}, "cas": {}}
        self.asked = list[tuple[str, str]]()
        self.lock = threading.Lock()
        self.validates = True
        self.mood: Callable[[Asked], Mood | None] = lambda _: None
        """What answers a request instead; None for the server itself."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are the tests' matter."""


@contextmanager
def running() -> Iterator[BlobServer]:
    """A server for as long as it is needed."""
    server = BlobServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
