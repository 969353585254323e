"""Servers that do as they like: raw sockets on loopback, and a table of what they do.

Each behaviour is told of its request and sends what it likes; what it repeats of the request and of
its own secrets shows whether a client repeats it to a person.
"""

from __future__ import annotations

import itertools
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

BODY = b"the pinned content\n" * 5000
SIZE = len(BODY)
HALF = SIZE // 2
PLANTED = "hunter2-do-not-tell"
"""What lets somebody in: it is in the address, and every redirection and error page repeats it."""
PAUSE = 0.05
"""Seconds between two signs of life of a server that never comes to an end."""


@dataclass(kw_only=True)
class Line:
    """One connection of a client, its request read."""

    socket: socket.socket
    request: bytes
    server: Server
    number: int
    """How many requests came to the server before this one."""

    @property
    def wanted(self) -> str:
        """The range that was asked for; empty for the whole file."""
        for row in self.request.split(b"\r\n"):
            if row.lower().startswith(b"range: "):
                return row[7:].decode()
        return ""

    @property
    def start(self) -> int:
        """The first byte that was asked for."""
        return int(self.wanted.removeprefix("bytes=").rstrip("-") or 0)

    def send(self, *pieces: bytes | str) -> None:
        """Send a part of an answer."""
        for piece in pieces:
            self.socket.sendall(piece.encode("latin-1") if isinstance(piece, str) else piece)

    def trickle(self, pieces: Iterable[bytes]) -> None:
        """Send pieces, one at a time, for as long as there are any and the client listens."""
        for piece in pieces:
            self.send(piece)
            if self.server.over.wait(PAUSE):
                return

    def stall(self) -> None:
        """Say nothing until the client hangs up."""
        with suppress(OSError):
            while self.socket.recv(1 << 16):
                pass

    def reset(self) -> None:
        """End the connection as a crash does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Behaviour = Callable[[Line], None]


class Server(socketserver.ThreadingTCPServer):
    """A server that behaves in one way."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 50

    def __init__(self, behaviour: Behaviour, *, reads: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.behaviour, self.reads = behaviour, reads
        self.over, self.lock = threading.Event(), threading.Lock()
        self.asked: list[str] = []
        """The ranges that were asked for."""
        self.open = 0
        """Connections that the client has not left."""
        self.idle = threading.Condition(self.lock)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def address(self, scheme: str = "http") -> str:
        """Where the file lies, with what lets its user in."""
        user, token = f"me:{PLANTED}", f"token={PLANTED}"
        return f"{scheme}://{user}@127.0.0.1:{self.server_address[1]}/file?{token}"

    @property
    def place(self) -> str:
        """How the address is shown."""
        return f"://***@127.0.0.1:{self.server_address[1]}/file?***"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def is_left(self, seconds: float) -> bool:
        """Whether all clients hang up within some seconds."""
        with self.idle:
            return self.idle.wait_for(lambda: self.open == 0, seconds)

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what the tests look for."""


class _Connection(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        server = self.server
        with server.lock:
            server.open += 1
        try:
            self._answer()
        finally:
            with server.idle:
                server.open -= 1
                server.idle.notify_all()

    def _answer(self) -> None:
        request = b""
        while self.server.reads and b"\r\n\r\n" not in request:
            if not (piece := self.request.recv(1 << 16)):
                return
            request += piece
        with self.server.lock:
            number = len(self.server.asked)
            line = Line(socket=self.request, request=request, server=self.server, number=number)
            self.server.asked.append(line.wanted)
        with suppress(OSError):
            self.server.behaviour(line)


def sound(line: Line) -> None:
    """A server as it should be, ranges and all."""
    rest = BODY[line.start :]
    if line.start:
        span = f"bytes {line.start}-{SIZE - 1}/{SIZE}"
        line.send(head(206, f"Content-Range: {span}", f"Content-Length: {len(rest)}"), rest)
    else:
        line.send(head(200, f"Content-Length: {SIZE}"), rest)


def head(status: int | str, *headers: str | bytes, close: bool = True) -> bytes:
    """A status line and headers, whose reason and one header let somebody in."""
    rows = [f"HTTP/1.1 {status} {PLANTED}", f"X-Echo: https://a/?jwt={PLANTED}", *headers]
    rows += ["Connection: close"] if close else []
    encoded = [row.encode("latin-1") if isinstance(row, str) else row for row in rows]
    return b"\r\n".join([*encoded, b"", b""])


LENGTH = f"Content-Length: {SIZE}"
CHUNKED = "Transfer-Encoding: chunked"


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """A piece of a chunked body."""
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


Pieces = Callable[[], Iterable[bytes]]


def forever(piece: bytes) -> Pieces:
    """The same again and again."""
    return lambda: itertools.repeat(piece)


def letters() -> Iterator[bytes]:
    """A header that has no end, letter by letter: a library counts lines."""
    return itertools.chain([b"A: "], itertools.repeat(b"b"))


def bit_by_bit(framed: Callable[[bytes], bytes] = bytes) -> Pieces:
    """The file, a byte at a time."""
    return lambda: (framed(BODY[at : at + 1]) for at in range(SIZE))


def says(*pieces: bytes) -> Behaviour:
    """Send some bytes and hang up."""
    return lambda line: line.send(*pieces)


def stalls(*pieces: bytes) -> Behaviour:
    """Send some bytes, and nothing more."""

    def behave(line: Line) -> None:
        line.send(*pieces)
        line.stall()

    return behave


def trickles(*pieces: bytes, more: Pieces) -> Behaviour:
    """Send some bytes, and others bit by bit."""

    def behave(line: Line) -> None:
        line.send(*pieces)
        line.trickle(more())

    return behave


def leads(location: bytes | str, *, status: int = 302, body: bytes = b"") -> Behaviour:
    """Redirect; to a path of the same server with the request's own secrets, if it is `.`."""
    row = location.encode("latin-1") if isinstance(location, str) else location
    return says(head(status, b"Location: " + row, f"Content-Length: {len(body)}"), body)


def once(*behaviours: Behaviour) -> Behaviour:
    """Behave in the first way at the first request, and so on, the last one for the rest."""
    return lambda line: behaviours[min(line.number, len(behaviours) - 1)](line)


def resets_at(count: int) -> Behaviour:
    """Send so much of the file, and crash."""

    def behave(line: Line) -> None:
        line.send(head(200, LENGTH), BODY[:count])
        line.server.over.wait(PAUSE)  # what was sent may arrive
        line.reset()

    return behave


def redirects_endlessly(line: Line) -> None:
    """A redirection whose own body never ends; the file is where it leads to."""
    if b"GET /there" in line.request:
        sound(line)
    else:
        line.send(head(302, f"Location: /there?sig={PLANTED}"))
        line.trickle(itertools.repeat(b"x" * 1000))


def to_other_host(line: Line) -> None:
    """Two parsers see two hosts in this address: one of them is this server."""
    port = line.server.server_address[1]
    if b"%5C" in line.request or b"\\" in line.request:
        line.server.asked.append("asked by the other name")
    line.send(head(302, f"Location: http://localhost.invalid:{port}\\@127.0.0.1:{port}/x"))


FILE = "the file"
"""It comes from this server, and no other is asked."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A behaviour, and what comes of it."""

    behaviour: Behaviour
    outcome: str
    """A pattern of what is said of the server, or `FILE`."""
    kept: int | None = 0
    """Bytes of the file that the next mirror need not send; None where it depends on the time."""
    scheme: str = "http"
    reads: bool = True
    """Whether it waits for the request before it does anything."""


SLOW = "bytes received in|timed out"
"""Which of both comes first depends on what else this machine does."""
BROKE = "closed the connection"
NONSENSE = "sent an invalid response"
NOT_FETCHED = "redirects to an address that is refused"
EARLY = b"HTTP/1.1 100 Continue\r\n\r\n"


def case(behaviour: Behaviour, outcome: str, **words: int | str | bool | None) -> Case:
    """A row of the table."""
    return Case(behaviour=behaviour, outcome=outcome, **words)  # type: ignore[arg-type]


# --- the table -----------------------------------------------------------------------------------

NEVER_ENDING = {
    "says nothing": case(stalls(), SLOW),
    "reads nothing and says nothing": case(stalls(), SLOW, reads=False),
    "a status line byte by byte": case(trickles(b"HTTP/1.1 ", more=forever(b"2")), SLOW),
    "a header byte by byte": case(trickles(b"HTTP/1.1 200 OK\r\nX: ", more=forever(b"x")), SLOW),
    "headers one by one": case(trickles(b"HTTP/1.1 200 OK\r\n", more=letters), SLOW),
    "endless 100 Continue": case(trickles(more=forever(EARLY)), SLOW),
    "the headers of 100 Continue": case(trickles(b"HTTP/1.1 100 Continue\r\n", more=letters), SLOW),
    "a body byte by byte": case(trickles(head(200, LENGTH), more=bit_by_bit()), SLOW, kept=None),
    "a body without a length byte by byte": case(
        trickles(head(200), more=bit_by_bit()), SLOW, kept=None
    ),
    "chunks of a byte": case(trickles(head(200, CHUNKED), more=bit_by_bit(chunk)), SLOW, kept=None),
    "an extension of a chunk": case(
        trickles(head(200, CHUNKED), chunk(BODY[:HALF]), b"5;a=", more=forever(b"b")),
        SLOW,
        kept=HALF,
    ),
    "the size of a chunk": case(
        trickles(head(200, CHUNKED), chunk(BODY[:HALF]), more=forever(b"0")), SLOW, kept=HALF
    ),
    "trailers before the end of the file": case(
        trickles(head(200, CHUNKED), chunk(BODY[:HALF]), b"0\r\n", more=letters),
        SLOW,
        kept=HALF,
    ),
    "half a file and silence": case(stalls(head(200, LENGTH), BODY[:HALF]), SLOW, kept=HALF),
    "an error page that never ends": case(
        trickles(head(404, CHUNKED), more=forever(chunk(b"x" * 100))), r"answers 404 \(Not Found\)"
    ),
    "a handshake that never begins": case(stalls(), SLOW, scheme="https", reads=False),
    "a handshake byte by byte": case(
        trickles(b"\x16\x03\x03\x40\x00", more=forever(b"\x02")),
        SLOW,
        scheme="https",
        reads=False,
    ),
    "trailers behind the whole file": case(
        trickles(head(200, CHUNKED), chunk(BODY), b"0\r\n", more=letters), FILE
    ),
    "the whole file and no last chunk": case(stalls(head(200, CHUNKED), chunk(BODY)), FILE),
    "the whole file and no end": case(stalls(head(200), BODY), FILE),
    "the file and endlessly more": case(
        trickles(head(200, CHUNKED), chunk(BODY), more=forever(chunk(b"more"))), FILE
    ),
    "a redirection with an endless body": case(redirects_endlessly, FILE),
}
BREAKING = {
    "hangs up": case(says(), BROKE),
    "hangs up before it is asked": case(says(), BROKE, reads=False),
    "crashes": case(lambda line: line.reset(), BROKE),
    "hangs up in the status line": case(says(b"HTTP/1.1 2"), ""),
    "hangs up in the headers": case(says(b"HTTP/1.1 200 OK\r\nContent-Le"), ""),
    "half a file": case(says(head(200, LENGTH), BODY[:HALF]), BROKE, kept=HALF),
    "half a file and a crash": case(resets_at(HALF), BROKE, kept=HALF),
    "half a file without a length": case(says(head(200), BODY[:HALF]), BROKE, kept=HALF),
    "half a file in HTTP/1.0": case(
        says(b"HTTP/1.0 200 OK\r\n\r\n", BODY[:HALF]), BROKE, kept=HALF
    ),
    "half a chunk": case(says(head(200, CHUNKED), b"%x\r\n" % SIZE, BODY[:HALF]), BROKE, kept=HALF),
    "chunks without an end": case(says(head(200, CHUNKED), chunk(BODY[:HALF])), "", kept=HALF),
    "no file": case(says(head(200, "Content-Length: 0")), "has only 0 bytes"),
    "no file and no length": case(says(head(200)), BROKE),
    "no chunk": case(says(head(200, CHUNKED), b"0\r\n\r\n"), BROKE),
    "no handshake": case(says(b"SSH-2.0-OpenSSH_9.2\r\n"), "", scheme="https", reads=False),
}
LENGTHS = {
    "a length that is a word": case(says(head(200, "Content-Length: abc"), BODY), FILE),
    "a length twice in a header": case(
        says(head(200, "Content-Length: 300000, 300000"), BODY), "has more than"
    ),
    "two lengths in a header": case(says(head(200, f"Content-Length: 7, {SIZE}"), BODY), NONSENSE),
    "two headers with lengths": case(says(head(200, "Content-Length: 7", LENGTH), BODY), NONSENSE),
    "a negative length": case(says(head(200, "Content-Length: -5"), BODY), FILE),
    "a length of a petabyte": case(
        says(head(200, "Content-Length: 1000000000000000"), BODY), "has more than"
    ),
    "a length of 1e15": case(says(head(200, "Content-Length: 1e15"), BODY), FILE),
    "a length of 5000 digits": case(says(head(200, "Content-Length: " + "9" * 5000), BODY), FILE),
    "a length beyond ASCII": case(says(head(200, "Content-Length: \xb2\xb3"), BODY), FILE),
    "a length one short": case(says(head(200, f"Content-Length: {SIZE - 1}"), BODY), "has only"),
    "a length one long": case(says(head(200, f"Content-Length: {SIZE + 1}"), BODY), "has more"),
    "a length and chunks": case(
        says(head(200, "Content-Length: 7", CHUNKED), chunk(BODY), b"0\r\n\r\n"), FILE
    ),
    "a chunk that is a word": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF]), b"zz\r\n"), NONSENSE, kept=HALF
    ),
    "a negative chunk": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF]), b"-5\r\n"), "", kept=HALF
    ),
    "a chunk of 2**80 bytes": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF]), b"f" * 20 + b"\r\n"), "", kept=HALF
    ),
    "a chunk of 2**80 bytes that holds the rest": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF]), b"f" * 20 + b"\r\n", BODY[HALF:]), FILE
    ),
    "a chunk without its end": case(
        says(head(200, CHUNKED), b"a\r\n", BODY[:10], b"XXXX"), "", kept=10
    ),
    "a line of a chunk of 100 kB": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF]), b"5;" + b"a" * 100_000), "", kept=HALF
    ),
    "chunks with extensions": case(
        says(head(200, CHUNKED), chunk(BODY[:HALF], b";a=b"), chunk(BODY[HALF:]), b"0\r\n\r\n"),
        FILE,
    ),
    "an unknown coding": case(
        says(head(200, "Transfer-Encoding: gzip, chunked"), chunk(BODY), b"0\r\n\r\n"), "pinned"
    ),
}
HEADS = {
    "another protocol": case(says(b"SSH-2.0-OpenSSH_9.2\r\n"), NONSENSE),
    "another protocol's noise": case(says(bytes(range(256)) * 40), NONSENSE),
    "HTTP/9.9": case(says(b"HTTP/9.9 200 OK\r\n\r\n", BODY), NONSENSE),
    "a status that is a word": case(says(b"HTTP/1.1 abc OK\r\n\r\n", BODY), NONSENSE),
    "a status of 99999": case(says(head("99999", LENGTH), BODY), NONSENSE),
    "a status of -200": case(says(head("-200", LENGTH), BODY), NONSENSE),
    "no status": case(says(b"HTTP/1.1\r\n\r\n", BODY), NONSENSE),
    "an empty line": case(says(b"\r\n\r\n", BODY), ""),
    "HTML and no head": case(says(f"<html>{PLANTED}</html>".encode()), NONSENSE),
    "a header without a colon": case(says(head(200, f"no colon {PLANTED}", LENGTH), BODY), FILE),
    "a header beyond ASCII": case(says(head(200, b"X-\xff: \xfe\x80", LENGTH), BODY), FILE),
    "a header with a NUL": case(says(head(200, b"X: a\0b", LENGTH), BODY), FILE),
    "a folded header": case(says(head(200, b"X: a\r\n b", LENGTH), BODY), FILE),
    "1000 headers": case(says(head(200, *["A: b"] * 1000, LENGTH), BODY), NONSENSE),
    "a header of 100 kB": case(says(head(200, "A: " + "b" * 100_000, LENGTH), BODY), NONSENSE),
    "lines that end in LF": case(
        says(f"HTTP/1.1 200 OK\nContent-Length: {SIZE}\n\n".encode(), BODY), FILE
    ),
    "HTTP/1.0": case(says(b"HTTP/1.0 200 OK\r\n\r\n", BODY), FILE),
    "one 100 Continue": case(says(EARLY, head(200, LENGTH), BODY), FILE),
    "cookies of all kinds": case(
        says(
            head(200, "Set-Cookie: =;;=\xff; expires=Wed, 99 Foo 0000; max-age=x", LENGTH),
            BODY,
        ),
        FILE,
    ),
    "a tag in two lines, and a cut": case(
        once(says(head(200, b'ETag: "a\r\n b"', LENGTH), BODY[:HALF]), sound), FILE
    ),
    "a tag beyond ASCII, and a cut": case(
        once(says(head(200, b'ETag: "\xff"', LENGTH), BODY[:HALF]), sound), FILE
    ),
    "a plain file called gzip": case(says(head(200, "Content-Encoding: gzip", LENGTH), BODY), FILE),
    "a wrong file": case(says(head(200, LENGTH), BODY.swapcase()), "pinned"),
    "a page for people": case(
        says(head(200, "content-TYPE: Text/HTML;charset=x", LENGTH), BODY), "an HTML page"
    ),
}
STATUSES = {
    f"answers {status}": case(
        says(head(status, "Retry-After: 100000", f"Content-Length: {HALF}"), BODY[:HALF]),
        f"answers {status}",
    )
    for status in (
        *(101, 102, 103, 199, 201, 202, 204, 205, 206, 207, 226, 299, 300, 302, 304, 305, 399),
        *(400, 401, 403, 404, 407, 410, 416, 418, 429, 451, 500, 503, 511, 599, 999),
    )
} | {
    "answers 203 with the file": case(says(head(203, LENGTH), BODY), FILE),
    "answers 206 with all of the file": case(
        says(head(206, f"Content-Range: bytes 0-{SIZE - 1}/{SIZE}", LENGTH), BODY), FILE
    ),
    "is busy once": case(once(says(head(503, "Content-Length: 0")), sound), FILE),
}
LOCATIONS = {
    "redirects to half an IPv6 address": case(leads(f"http://[::1/x?sig={PLANTED}"), NOT_FETCHED),
    "redirects beyond ASCII": case(leads(b"http://\xff\xfe/\x80?sig=" + PLANTED.encode()), ""),
    "redirects to itself": case(leads(f"?sig={PLANTED}"), "redirects more than 10 times"),
    "redirects to nothing": case(leads(""), "redirects more than 10 times"),
    "redirects to longer and longer paths": case(
        lambda line: leads(line.request.split()[1] + b"/a")(line), "redirects more than 10 times"
    ),
    "redirects nowhere": case(says(head(302, "Content-Length: 0")), r"answers 302 \(Found\)"),
    "redirects to plain HTTP": case(
        leads(f"http://files.example.org/x?sig={PLANTED}"), NOT_FETCHED
    ),
    "redirects to plain HTTP by its name alone": case(leads("//files.example.org/x"), NOT_FETCHED),
    "redirects to a file": case(leads("file:///etc/passwd"), NOT_FETCHED),
    "redirects to FTP": case(leads("ftp://127.0.0.1/x"), NOT_FETCHED),
    "redirects to a script": case(leads("javascript:alert(1)"), NOT_FETCHED),
    "redirects to a port of 99999": case(leads("http://127.0.0.1:99999/x"), NOT_FETCHED),
    "redirects to a port that is a word": case(leads("http://127.0.0.1:x/x"), NOT_FETCHED),
    "redirects to no host": case(leads("http:///x"), "redirects more than 10 times"),
    "redirects to a host of 300 characters": case(leads("https://" + "a" * 300 + "/x"), ""),
    "redirects to an empty label": case(leads("https://a..b/x"), ""),
    "redirects to a host with a backslash": case(to_other_host, NOT_FETCHED),
    "redirects to a host with a blank": case(leads("http://127.0.0.1 .example.org/x"), NOT_FETCHED),
    "redirects to a shortened loopback": case(leads("http://127.1/x"), NOT_FETCHED),
    "redirects to a dead port": case(
        leads(f"http://me:{PLANTED}@127.0.0.1:1/x?sig={PLANTED}"), "cannot be reached"
    ),
    "redirects once": case(once(leads(f"/there?sig={PLANTED}"), sound), FILE),
    "redirects once more with a body": case(once(leads("/there", body=b"x" * 100), sound), FILE),
}
TABLE = NEVER_ENDING | BREAKING | LENGTHS | HEADS | STATUSES | LOCATIONS

REST = f"Content-Range: bytes {HALF}-{SIZE - 1}/{SIZE}"
UPON_RESUME = {
    "203 with the whole file": case(says(head(203, LENGTH), BODY), FILE),
    "200 with the whole file": case(says(head(200, LENGTH), BODY), FILE),
    "200 with another file first": case(
        once(says(head(200, LENGTH), BODY.swapcase()[:100]), says(head(200, LENGTH), BODY)), FILE
    ),
    "206 from the first byte on": case(
        says(head(206, f"Content-Range: bytes 0-{SIZE - 1}/{SIZE}", LENGTH), BODY), FILE
    ),
    "206 from an earlier byte on": case(
        says(head(206, f"Content-Range: bytes 1000-{SIZE - 1}/{SIZE}"), BODY[1000:]), FILE
    ),
    "206 bit by bit": case(
        once(
            says(head(206, f"Content-Range: bytes {HALF}-{HALF + 9}/{SIZE}"), BODY[HALF:][:10]),
            sound,
        ),
        FILE,
    ),
    "416 and then the whole file": case(once(says(head(416)), says(head(200, LENGTH), BODY)), FILE),
    "304": case(says(head(304)), r"answers 304 \(Not Modified\)", kept=HALF),
    "204": case(says(head(204)), "answers 204", kept=HALF),
    "404": case(says(head(404, "Content-Length: 5"), b"gone\n"), "answers 404", kept=HALF),
    "503": case(says(head(503, "Content-Length: 0")), "answers 503", kept=HALF),
    "416": case(says(head(416)), "the rest of the file", kept=HALF),
    "a page for people": case(
        says(head(200, "Content-Type: text/html", LENGTH), BODY), "an HTML page", kept=HALF
    ),
    "a page for people with 206": case(
        says(head(206, REST, "Content-Type: text/html"), BODY), "an HTML page", kept=HALF
    ),
    "a short file": case(says(head(200, "Content-Length: 5"), b"gone\n"), "has only 5", kept=HALF),
    "a long file": case(
        says(head(200, f"Content-Length: {SIZE + 1}"), BODY), "has more", kept=HALF
    ),
    "the beginning and a cut": case(says(head(200, LENGTH), BODY[:100]), BROKE, kept=HALF),
    "the beginning and silence": case(stalls(head(200, LENGTH), BODY[:100]), SLOW, kept=HALF),
    "the beginning bit by bit": case(
        trickles(head(200, LENGTH), more=bit_by_bit()), SLOW, kept=HALF
    ),
    "headers that never end": case(
        trickles(b"HTTP/1.1 206 OK\r\nX: ", more=forever(b"x")), SLOW, kept=HALF
    ),
    "no more of it": case(says(head(206, REST)), BROKE, kept=HALF),
    "a range without numbers": case(
        says(head(206, "Content-Range: bytes a-b/c"), BODY[HALF:]), "the rest of", kept=HALF
    ),
    "a range of 5000 digits": case(
        says(head(206, "Content-Range: bytes " + "9" * 5000 + "-9/9"), BODY), "the rest", kept=HALF
    ),
    "no range": case(says(head(206), BODY[HALF:]), "the rest of the file", kept=HALF),
    "several ranges": case(
        says(head(206, "Content-Type: multipart/byteranges; boundary=x"), b"--x\r\n"),
        "the rest of the file",
        kept=HALF,
    ),
    "another range": case(
        says(head(206, f"Content-Range: bytes {HALF + 1}-{SIZE - 1}/{SIZE}"), BODY[HALF + 1 :]),
        "another file or range",
        kept=HALF,
    ),
    "the range of another file": case(
        says(head(206, f"Content-Range: bytes {HALF}-{SIZE}/{SIZE + 1}"), BODY[HALF:]),
        "another file or range",
        kept=HALF,
    ),
}
"""What servers do when the rest of a file is asked for."""
