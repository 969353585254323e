"""A request to a server on the loopback interface, and its answer."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Literal

LISTENING = "0A"
SECONDS = 20.0
"""For one answer; a handshake takes some of them on an emulated ARM11."""


def answer(scheme: Literal["http", "https"], port: int, path: str) -> tuple[bool, str]:
    """Whether the answer came with status 200, and its text; the status before it otherwise.

    Raises `OSError` and `http.client.HTTPException` where there is none.
    """
    connection: http.client.HTTPConnection
    if scheme == "https":
        # The certificate is one that the service made for itself; that TLS 1.3 works is the point.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        fine = response.status == http.client.OK
        return fine, text if fine else f"{response.status} {text}"
    finally:
        connection.close()


def listening(process: int) -> set[int]:
    """The TCP ports that a process listens on; proc(5), /proc/PID/net/tcp."""
    folder = Path("/proc", str(process))
    sockets = set[str]()
    for file in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(str(file.readlink()))
    ports = set[int]()
    for name in ("tcp", "tcp6"):
        for line in (folder / "net" / name).read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and f"socket:[{inode}]" in sockets:
                ports.add(int(local.rpartition(":")[2], 16))
    return ports


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
