"""A crates registry on loopback: a sparse index and its archives, as cargo asks for them.
<https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol>"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

CONFIGURATION = """\
[source.crates-io]
replace-with = "near"
[source.near]
registry = "sparse+{address}/index/"
"""


@dataclass
class Registry:
    """What it has; tests publish into it."""

    address: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def configuration(self) -> str:
        """The user's own configuration of cargo that has it in the public registry's place."""
        return CONFIGURATION.format(address=self.address)

    def publish(
        self,
        name: str,
        version: str,
        files: Mapping[str, str],
        *,
        needs: Mapping[str, str] | None = None,
        yanked: bool = False,
        rust_version: str = "",
    ) -> None:
        """Add a release; `needs` are its dependencies, by name, with what they must be."""
        archive = _archive(f"{name}-{version}", files)
        self.pages[f"/crates/{name}/{version}/download"] = archive
        row = {
            "name": name,
            "vers": version,
            "deps": [_dependency(*one) for one in (needs or {}).items()],
            "cksum": hashlib.sha256(archive).hexdigest(),
            "features": {},
            "yanked": yanked,
            **({"rust_version": rust_version} if rust_version else {}),
        }
        index = f"/index/{name[:2]}/{name[2:4]}/{name}"
        self.pages[index] = self.pages.get(index, b"") + json.dumps(row).encode() + b"\n"

    def damage(self, name: str, version: str) -> None:
        """Put another archive in the place of a release's."""
        path = f"/crates/{name}/{version}/download"
        self.pages[path] = _archive(f"{name}-{version}", {"Cargo.toml": "# something else\n"})


def _dependency(name: str, requirement: str) -> dict[str, object]:
    return {
        "name": name,
        "req": requirement,
        "features": [],
        "optional": False,
        "default_features": True,
        "target": None,
        "kind": "normal",
    }


def _archive(folder: str, files: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@contextmanager
def served() -> Iterator[Registry]:
    """An empty registry, until the end of the block."""
    registry = Registry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            page = registry.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.address = f"http://127.0.0.1:{server.server_port}"
    configured = {"dl": f"{registry.address}/crates"}
    registry.pages["/index/config.json"] = json.dumps(configured).encode()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
