"""Servers on a bad day, for real on loopback: the right file comes in the end, or words for why
not that name the file and the mirror; nothing half-written is ever taken for the file."""

from __future__ import annotations

import http.server
import itertools
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.fetch.request import CHUNK
from muslin.engine.process.runner import Runner
from tests.archive import archive
from tests.e2e.test_fetch import BODY, Silent, names, source

OTHER = BODY.replace(b"pinned", b"other!")
HALF = len(BODY) // 2
QUICK = Limits(pause=0.02, connect=2.0, silence=0.5, patience=20.0, slowest=10_000_000)


class Asked(http.server.BaseHTTPRequestHandler):
    """One request, answered as the test's list says."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Mirror)
        with server.lock:
            server.asked.append(self.headers.get("Range", ""))
            mood = server.moods[min(len(server.asked), len(server.moods)) - 1]
        mood(self)

    def log_message(self, *_: object) -> None:
        pass


Mood = Callable[[Asked], None]


class Mirror(http.server.ThreadingHTTPServer):
    """A web server with a list of moods, one for each request; the last one stays."""

    daemon_threads = True

    def __init__(self, *moods: Mood) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.moods, self.asked, self.lock = moods, list[str](), threading.Lock()
        self.scheme, self.connections, self.times = "http", 0, list[float]()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/file"

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        self.connections += 1
        self.times.append(time.monotonic())
        connection: socket.socket
        connection, peer = super().get_request()
        return connection, peer

    def handle_error(self, *_: object) -> None:
        """Clients hang up on some of these moods; what they make of them is the tests' matter."""

    def start(self) -> Mirror:
        self._thread.start()
        return self

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def begins_at(asked: Asked) -> int:
    """The first byte that was asked for."""
    return int(asked.headers.get("Range", "bytes=0-")[6:-1])


def answer(
    asked: Asked, body: bytes, *, tag: str = "", stop: int | None = None, total: int | None = None
) -> None:
    """A sound answer for a file, ranges and all, but for what `stop` breaks off."""
    start = begins_at(asked)
    if tag and asked.headers.get("If-Range", tag) != tag:
        start = 0
    asked.send_response(206 if start else 200)
    if start:
        asked.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{total or len(body)}")
    if tag:
        asked.send_header("ETag", tag)
    asked.send_header("Content-Length", str(len(body) - start))
    asked.end_headers()
    asked.wfile.write(body[start:stop])


def sound(asked: Asked) -> None:
    answer(asked, BODY)


def cut(asked: Asked) -> None:
    answer(asked, BODY, stop=begins_at(asked) + HALF // 2)


def stalled(asked: Asked) -> None:
    answer(asked, BODY, stop=CHUNK)
    asked.wfile.flush()
    time.sleep(1.0)  # twice the silence that the test's limits bear


def range_ignored(asked: Asked) -> None:
    del asked.headers["Range"]
    sound(asked)


def status(code: int) -> Mood:
    def mood(asked: Asked) -> None:
        asked.send_response(code)
        asked.send_header("Content-Length", "0")
        asked.end_headers()

    return mood


def whole(body: bytes, kind: str = "application/x-tar") -> Mood:
    """An answer that ignores ranges and says what it is."""

    def mood(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Type", kind)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    return mood


def to_itself(asked: Asked) -> None:
    asked.send_response(302)
    asked.send_header("Location", asked.path)
    asked.send_header("Content-Length", "0")
    asked.end_headers()


@pytest.fixture
def mirror() -> Iterator[Callable[..., Mirror]]:
    running: list[Mirror] = []

    def start(*moods: Mood) -> Mirror:
        running.append(Mirror(*moods).start())
        return running[-1]

    yield start
    for one in running:
        one.end()


class Client:
    """A fetcher with little patience, and what it told its user."""

    def __init__(self, folder: Path, limits: Limits = QUICK) -> None:
        starter = Runner(1)
        self.folder, self.progress = folder, Silent()
        self.fetcher = Fetcher(
            folder,
            archive=archive(folder / "archive"),
            progress=self.progress,
            cancelled=starter.stopping,
            limits=limits,
        )

    def fetch(self, *addresses: str) -> bytes:
        wanted = source(*addresses)
        content = self.fetcher.fetch(wanted).read_bytes()
        assert self.progress.sizes == {wanted.name: wanted.size}, "what was shown adds up"
        assert not list(self.folder.rglob(".part*"))
        return content

    def refused(self, *addresses: str) -> str:
        """The words for a failure; nothing has the file's name."""
        with pytest.raises((errors.NoNetwork, errors.WrongDigest)) as caught:
            self.fetcher.fetch(source(*addresses))
        message = str(caught.value)
        assert "file.tar" in message
        assert all(address in message for address in addresses), message
        assert not [name for name in names(self.folder) if name == "file.tar"]
        return message


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "downloads")


# --- what ends well -------------------------------------------------------------------------


def test_a_cut_connection_is_resumed_where_it_broke(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(cut, cut, sound)
    assert client.fetch(server.address) == BODY
    assert server.asked == ["", f"bytes={HALF // 2}-", f"bytes={2 * (HALF // 2)}-"]


def test_a_stalled_transfer_is_resumed(client: Client, mirror: Callable[..., Mirror]) -> None:
    server = mirror(stalled, sound)
    assert client.fetch(server.address) == BODY
    assert server.asked == ["", f"bytes={CHUNK}-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(cut, range_ignored)
    assert client.fetch(server.address) == BODY
    assert len(server.asked) == 2


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(
    client: Client, mirror: Callable[..., Mirror], code: int
) -> None:
    server = mirror(status(code), status(code), sound)
    assert client.fetch(server.address) == BODY
    assert len(server.asked) == 3


def test_pauses_between_tries_grow(tmp_path: Path, mirror: Callable[..., Mirror]) -> None:
    server = mirror(status(503), status(503), status(503), sound)
    assert Client(tmp_path / "d", Limits(pause=0.1)).fetch(server.address) == BODY
    gaps = [after - before for before, after in itertools.pairwise(server.times)]
    assert [gap >= pause for gap, pause in zip(gaps, (0.1, 0.2, 0.4), strict=True)] == [True] * 3


def test_a_busy_server_in_between_loses_nothing(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(cut, status(503), sound)
    assert client.fetch(server.address) == BODY
    assert server.asked == ["", *[f"bytes={HALF // 2}-"] * 2]


def test_a_file_changed_between_two_ranges_is_fetched_whole_by_its_tag(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(
        lambda asked: answer(asked, OTHER, tag='"old"', stop=HALF),
        lambda asked: answer(asked, BODY, tag='"new"'),
    )
    assert client.fetch(server.address) == BODY
    assert len(server.asked) == 2, "the tag told it, no digest had to"


def test_a_file_changed_between_two_ranges_is_seen_by_its_digest(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(lambda asked: answer(asked, OTHER, stop=HALF), sound)
    assert client.fetch(server.address) == BODY
    assert server.asked == ["", f"bytes={HALF}-", ""]
    assert any("not of one file" in note for note in client.progress.notes)


@pytest.mark.parametrize("code", [206, 416])
def test_a_file_that_has_another_length_by_now_is_begun_anew(
    client: Client, mirror: Callable[..., Mirror], code: int
) -> None:
    changed = status(416) if code == 416 else lambda asked: answer(asked, BODY, total=len(BODY) + 9)
    server = mirror(cut, changed, sound)
    assert client.fetch(server.address) == BODY
    assert server.asked == ["", f"bytes={HALF // 2}-", ""]


def test_the_next_mirror_goes_on_where_the_first_one_died(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    dying, fine = mirror(cut, status(404)), mirror(sound)
    assert client.fetch(dying.address, fine.address) == BODY
    assert fine.asked == [f"bytes={HALF // 2}-"]
    (note,) = client.progress.notes
    assert dying.address in note


def test_the_next_run_goes_on_where_this_one_failed(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(cut, status(404), sound)
    client.refused(server.address)
    again = Client(client.folder)
    assert again.fetch(server.address) == BODY
    assert server.asked[-1] == f"bytes={HALF // 2}-"


def test_what_a_killed_run_left_complete_is_not_fetched_again(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    server = mirror(status(500))
    left = client.folder / source().sha256 / ".part"
    left.parent.mkdir(parents=True)
    left.write_bytes(BODY)
    assert client.fetch(server.address) == BODY
    assert server.asked == []


@pytest.mark.parametrize("left", [OTHER, OTHER + b"more", OTHER[:HALF]], ids=len)
def test_what_another_program_left_does_no_harm(
    client: Client, mirror: Callable[..., Mirror], left: bytes
) -> None:
    path = client.folder / source().sha256 / ".part"
    path.parent.mkdir(parents=True)
    path.write_bytes(left)
    assert client.fetch(mirror(sound).address) == BODY


def test_a_dead_mirror_is_passed_over(client: Client, mirror: Callable[..., Mirror]) -> None:
    dead = "http://127.0.0.1:1/file"
    assert client.fetch(dead, mirror(sound).address) == BODY
    assert any(dead in note for note in client.progress.notes)


# --- what cannot end well -------------------------------------------------------------------


def test_all_mirrors_dead(client: Client, mirror: Callable[..., Mirror]) -> None:
    gone = mirror(status(410))
    message = client.refused("http://127.0.0.1:1/file", gone.address)
    assert "410" in message
    assert "the network" in message
    assert len(gone.asked) == 1, "what is gone is not asked for again"


def test_a_connection_that_is_always_cut(client: Client, mirror: Callable[..., Mirror]) -> None:
    server = mirror(lambda asked: answer(asked, BODY, stop=begins_at(asked)))
    client.refused(server.address)
    assert len(server.asked) == QUICK.tries


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x"], ids=["short", "long"])
def test_a_body_of_another_length(
    client: Client, mirror: Callable[..., Mirror], body: bytes
) -> None:
    server = mirror(whole(body))
    assert f"bytes where {len(BODY)} are pinned" in client.refused(server.address)
    assert len(server.asked) == 1
    assert not list(client.folder.rglob(".part"))


def test_a_wrong_file(client: Client, mirror: Callable[..., Mirror]) -> None:
    message = client.refused(mirror(whole(OTHER)).address)
    assert "received:" in message
    assert names(client.folder) != set(), "it is kept for a look"


def test_a_wrong_file_from_one_and_a_dead_second_mirror_name_both(
    client: Client, mirror: Callable[..., Mirror]
) -> None:
    client.refused(mirror(whole(OTHER)).address)
    wrong, dead = mirror(whole(OTHER)).address, "http://127.0.0.1:1/file"
    with pytest.raises(errors.WrongDigest) as caught:
        client.fetcher.fetch(source(wrong, dead))
    assert wrong in str(caught.value)
    assert any(dead in note for note in client.progress.notes)


def test_a_page_for_people_with_status_200(client: Client, mirror: Callable[..., Mirror]) -> None:
    server = mirror(whole(b"<html>log in</html>".ljust(len(BODY)), "text/html; charset=utf-8"))
    assert "answered with an HTML page instead of file.tar" in client.refused(server.address)
    assert not list(client.folder.rglob("*.tar*")), "a page is nothing to keep"


def test_a_redirect_loop(client: Client, mirror: Callable[..., Mirror]) -> None:
    server = mirror(to_itself)
    assert "redirects" in client.refused(server.address)
    assert len(server.asked) < 20


def test_a_trickle_ends_at_the_limit(tmp_path: Path, mirror: Callable[..., Mirror]) -> None:
    def trickling(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", str(len(BODY)))
        asked.end_headers()
        for at in range(0, len(BODY), 2000):
            time.sleep(0.1)
            asked.wfile.write(BODY[at : at + 2000])
            asked.wfile.flush()

    impatient = Client(tmp_path / "d", Limits(patience=0.5, slowest=10_000_000))
    began = time.monotonic()
    assert "bytes received in 1 s" in impatient.refused(mirror(trickling).address)
    assert time.monotonic() - began < 4


def test_a_certificate_that_nobody_signed(
    client: Client, mirror: Callable[..., Mirror], tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    server = mirror(sound)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    assert "CERTIFICATE_VERIFY_FAILED" in client.refused(server.address)
    assert server.asked == []
    assert server.connections == 1, "it would be refused again"
