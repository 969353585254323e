"""A request to a server on the loopback interface, and its answer."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LISTENING = "0A"


class Unending(Exception):
    """An answer had begun and was not over when its time was, or was longer than it may be; its
    text says which."""


def answer(
    scheme: Literal["http", "https"], port: int, path: str, *, seconds: float, most: int
) -> tuple[bool, str]:
    """Whether the answer came with status 200, and its text; the status before it otherwise.

    `seconds` are for all of it from the first packet on, `most` are its bytes with all that
    surrounds them. Raises `Unending`, and `OSError` and `http.client.HTTPException` where there is
    no answer.
    """
    deadline = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as plain:
        plain.settimeout(max(0.001, deadline - time.monotonic()))
        with _encrypted(plain) if scheme == "https" else plain as line:
            incoming = _Incoming(line, deadline=deadline, most=most)
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.sock = cast("socket.socket", _Line(line, incoming))
            connection.request("GET", path)
            try:
                with connection.getresponse() as response:
                    text = response.read().decode(errors="replace")
            except TimeoutError as error:
                if incoming.bytes == 0:
                    raise
                fault = f"no end of the answer in {seconds:.0f} s, and {incoming.bytes} bytes of it"
                raise Unending(fault) from error
            finally:
                connection.close()
    fine = response.status == http.client.OK
    return fine, text if fine else f"{response.status} {text}"


def _encrypted(plain: socket.socket) -> ssl.SSLSocket:
    # The certificate is one that the service made for itself; that TLS 1.3 works is the point.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context.wrap_socket(plain)


class _Incoming(io.RawIOBase):
    """What arrives: in all until a deadline, in all so many bytes."""

    def __init__(self, line: socket.socket, *, deadline: float, most: int) -> None:
        self.bytes = 0
        self._line, self._deadline, self._most = line, deadline, most

    def readable(self) -> bool:
        """It can be read, as a stream tells."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Some of it; raises `TimeoutError` and `Unending`."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._line.settimeout(left)
        size = self._line.recv_into(buffer)
        self.bytes += size
        if self.bytes > self._most:
            raise Unending(f"more than {self._most / 1e6:g} MB of answer")
        return size


class _Line:
    """What `http.client` asks of a socket."""

    def __init__(self, line: socket.socket, incoming: _Incoming) -> None:
        self.sendall = line.sendall
        self._incoming = incoming

    def close(self) -> None:
        """The answer may still be coming: who opened the line closes it."""

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What arrives, as a file."""
        return io.BufferedReader(self._incoming)


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
