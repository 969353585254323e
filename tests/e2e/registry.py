"""A registry of the OCI distribution specification on loopback, in memory, which can be told to
misbehave; and its server for tokens, on a port of its own.

It refuses what refers to something that is not there yet, as registries do.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

UPLOADS = re.compile(r"/v2/(.+)/blobs/uploads/([0-9]*)")
BLOB = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})")
MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)")
USER, PASSWORD = "me", "hunter2-do-not-tell"
TOKEN = "token-do-not-tell"  # noqa: S105  # of a test alone
IDENTITY = "identity-do-not-tell"
SECRETS = (PASSWORD, TOKEN, IDENTITY, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
Ways = Literal["open", "basic", "bearer"]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    authorization: str = field(repr=False)
    body: int
    """Bytes of it."""


Behaviour = Callable[["Handler"], bool]
"""Answers a request, or returns False to let the registry do so."""


@dataclass(kw_only=True)
class Fault:
    """What happens to the next requests of a kind."""

    method: str
    path: str
    """A regular expression for a part of it."""
    behaviour: Behaviour
    times: int = 1

    def is_about(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and re.search(self.path, path) is not None


class Registry(http.server.ThreadingHTTPServer):
    """Blobs and manifests by repository, and what was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *, way: Ways = "open", says_digests: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.way: Ways = way
        self.says_digests = says_digests
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.manifests: dict[str, dict[str, tuple[str, bytes]]] = {}
        """By repository, then by digest or tag."""
        self.uploads = 0
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.tokens: list[Asked] = []
        """What its server for tokens was asked."""
        self.accepted = TOKEN
        self.lock = threading.Lock()
        self.issuer: Registry | None = None
        """The server for tokens."""

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def origin(self) -> str:
        return f"http://{self.name}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests look for."""

    def fails(self, method: str, path: str, behaviour: Behaviour, times: int = 1) -> None:
        """Let the next requests of this kind go wrong."""
        self.faults.append(Fault(method=method, path=path, behaviour=behaviour, times=times))

    def requests(self, method: str, path: str = "") -> list[str]:
        """The paths that were asked for so."""
        return [
            one.path for one in self.asked if one.method == method and re.search(path, one.path)
        ]


class Handler(http.server.BaseHTTPRequestHandler):
    """A request."""

    protocol_version = "HTTP/1.1"
    server: Registry
    other_digest = ""
    """Said instead of the right one."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_HEAD(self) -> None:
        self._serve("HEAD")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def body(self, most: int = 1 << 30) -> bytes:
        """What comes with the request, or its beginning."""
        return self.rfile.read(min(most, int(self.headers.get("Content-Length", "0"))))

    def answer(self, status: int, content: bytes = b"", /, **headers: str) -> bool:
        """Send an answer; names of headers have _ for -."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return True

    def refuse(self, status: int, code: str, **headers: str) -> bool:
        """Send an error as registries do; its message repeats what came."""
        message = f"{self.path} {self.headers.get('Authorization', '')}"
        table = {"errors": [{"code": code, "message": message}]}
        return self.answer(status, json.dumps(table).encode(), **headers)

    def reset(self) -> bool:
        """End the connection as a crash does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        return True

    # --- the registry ---

    def _serve(self, method: str) -> None:
        with self.server.lock:
            fault = next(
                (one for one in self.server.faults if one.is_about(method, self.path)), None
            )
            if fault is not None:
                fault.times -= 1
        asked = Asked(
            method=method,
            path=self.path,
            authorization=self.headers.get("Authorization", ""),
            body=int(self.headers.get("Content-Length", "0")),
        )
        self.server.asked.append(asked)
        if fault is not None and fault.behaviour(self):
            return
        body = self.body()
        path, _, query = self.path.partition("?")
        if path == "/token":
            self._token(asked, query, body)
        elif not self._is_let_in():
            pass
        elif match := UPLOADS.fullmatch(path):
            self._upload(match[1], match[2], dict(urllib.parse.parse_qsl(query)), body)
        elif match := BLOB.fullmatch(path):
            found = self.server.blobs.get(match[1], {}).get(match[2])
            self._found(found, match[2], "application/octet-stream")
        elif match := MANIFEST.fullmatch(path):
            if method == "PUT":
                self._put_manifest(match[1], match[2], body)
            else:
                kind, found = self.server.manifests.get(match[1], {}).get(match[2], ("", None))
                self._found(found, digest(found or b""), kind)
        else:
            self.refuse(404, "NAME_UNKNOWN")

    def _is_let_in(self) -> bool:
        said = self.headers.get("Authorization", "")
        if self.server.way == "open":
            return True
        if self.server.way == "basic":
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if said == f"Basic {pair}":
                return True
            self.refuse(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="it, really"')
            return False
        if said == f"Bearer {self.server.accepted}":
            return True
        assert self.server.issuer is not None
        realm = f'Bearer realm="{self.server.issuer.origin}/token",service="a registry, and more"'
        self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=f'{realm},scope="repository:x:pull"')
        return False

    def _token(self, asked: Asked, query: str, body: bytes) -> None:
        self.server.tokens.append(asked)
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if asked.method == "GET" and asked.authorization == f"Basic {pair}":
            scopes = [text for name, text in urllib.parse.parse_qsl(query) if name == "scope"]
            assert all(scope.startswith("repository:") for scope in scopes)
            assert scopes
            self.answer(200, json.dumps({"token": self.server.accepted}).encode())
        elif form.get("refresh_token") == IDENTITY and form["grant_type"] == "refresh_token":
            self.answer(200, json.dumps({"access_token": self.server.accepted}).encode())
        else:
            self.refuse(401, "UNAUTHORIZED")

    def _digest(self, said: str) -> dict[str, str]:
        if not self.server.says_digests:
            return {}
        return {"Docker_Content_Digest": self.other_digest or said}

    def _found(self, content: bytes | None, name: str, kind: str) -> None:
        if content is None:
            self.refuse(404, "BLOB_UNKNOWN")
            return
        self.answer(200, content, Content_Type=kind, **self._digest(name))

    def _upload(self, name: str, number: str, query: dict[str, str], body: bytes) -> None:
        blobs = self.server.blobs.setdefault(name, {})
        if self.command == "POST":
            mounted = self.server.blobs.get(query.get("from", ""), {}).get(query.get("mount", ""))
            if mounted is not None:
                blobs[query["mount"]] = mounted
                self.answer(201, b"", Location="/", **self._digest(query["mount"]))
                return
            self.server.uploads += 1
            place = f"/v2/{name}/blobs/uploads/{self.server.uploads}?_state=of-the-upload"
            self.answer(202, Location=place)
        elif not number or digest(body) != query.get("digest"):
            self.refuse(400, "DIGEST_INVALID")
        else:
            assert query["_state"] == "of-the-upload"
            blobs[query["digest"]] = body
            self.answer(201, b"", Location="/", **self._digest(query["digest"]))

    def _put_manifest(self, name: str, reference: str, body: bytes) -> None:
        table = json.loads(body)
        there = self.server.manifests.setdefault(name, {})
        blobs = self.server.blobs.get(name, {})
        needed: Iterable[str] = [one["digest"] for one in table.get("manifests", [])]
        blobs_needed = [one["digest"] for one in [*table.get("layers", [])]]
        if "config" in table:
            blobs_needed.append(table["config"]["digest"])
        if any(one not in there for one in needed) or any(one not in blobs for one in blobs_needed):
            self.refuse(400, "MANIFEST_BLOB_UNKNOWN")
            return
        if reference.startswith("sha256:") and reference != digest(body):
            self.refuse(400, "DIGEST_INVALID")
            return
        for key in (digest(body), reference):
            there[key] = (self.headers["Content-Type"], body)
        self.answer(201, b"", Location="/", **self._digest(digest(body)))
