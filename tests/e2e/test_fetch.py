"""Downloads from a real server on loopback: the right file, or an error that says what came."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.cache.store import remove
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.process import errors as process_errors
from muslin.engine.process.runner import Runner
from muslin.engine.source import Source, Url
from tests.archive import archive

BODY = b"the pinned content\n" * 5000
ServeBody = Callable[[http.server.BaseHTTPRequestHandler], None]


class Silent:
    """Progress that keeps its notes and counts bytes."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.sizes: dict[str, int] = {}

    def start(self, name: str, total_bytes: int) -> None:
        pass

    def advance(self, name: str, bytes_: int) -> None:
        self.sizes[name] = self.sizes.get(name, 0) + bytes_

    def done(self, name: str) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


class Server:
    """A web server whose answers a test writes; counts requests."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.pages: dict[str, bytes] = {"/file": BODY}
        self.announced: int | None = None
        """Content-Length, if it is to differ from the body's."""
        self.encoding = ""
        self.ranges = False
        """Whether the rest of a file is given to those who ask for it."""
        self.sent = 0
        """Bytes of the last answer."""
        self.redirections = {"/to-http": "http://files.example.org/file", "/to-file": "/file"}
        self.released = threading.Event()
        """Ends the wait of a request for `/stalls`."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                if self.path.startswith("/to-"):
                    self.send_response(302)
                    self.send_header("Location", outer.redirections[self.path])
                    self.end_headers()
                    return
                body = outer.pages.get(self.path)
                asked = self.headers.get("Range", "") if outer.ranges and body else ""
                if asked and body:
                    start = int(asked.removeprefix("bytes=").rstrip("-"))
                    whole, body = len(body), body[start:]
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
                else:
                    self.send_response(200 if body is not None else 404)
                outer.sent = len(body or b"")
                length = outer.announced or len(body or b"")
                self.send_header("Content-Length", str(length))
                if outer.encoding:
                    self.send_header("Content-Encoding", outer.encoding)
                self.end_headers()
                self.wfile.write(body or b"")
                if self.path == "/stalls":
                    outer.released.wait()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def progress() -> Silent:
    return Silent()


@pytest.fixture
def fetcher(tmp_path: Path, progress: Silent) -> Fetcher:
    starter = Runner(1)
    there = archive(tmp_path / "archive")
    return Fetcher(
        tmp_path / "downloads",
        archive=there,
        progress=progress,
        cancelled=starter.stopping,
        limits=Limits(pause=0.01),
    )


def source(*addresses: str, body: bytes = BODY) -> Source:
    """The pinned file at these addresses."""
    return Source(
        name="file.tar",
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        origins=tuple(Url(address=address) for address in addresses),
    )


def names(folder: Path) -> set[str]:
    """Every visible file below a folder."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


def test_right_file_arrives_and_is_asked_for_once(
    server: Server, fetcher: Fetcher, progress: Silent
) -> None:
    wanted = source(f"{server.address}/file")
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert server.requests == ["/file"]
    assert progress.sizes == {wanted.name: wanted.size}


def test_wrong_digest_shows_both_and_keeps_the_file_aside(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    other = b"X" * len(BODY)
    server.pages["/file"] = other
    wanted = source(f"{server.address}/file")
    with pytest.raises(fetch_errors.WrongDigest) as caught:
        fetcher.fetch(wanted)
    got = hashlib.sha256(other).hexdigest()
    assert wanted.sha256 in str(caught.value)
    assert got in str(caught.value)
    kept = tmp_path / "downloads" / "rejected" / f"file.tar.{got[:12]}"
    assert str(kept) in str(caught.value)
    assert kept.read_bytes() == other
    assert not fetcher.has(wanted)


def test_second_origin_makes_up_for_a_wrong_first(
    server: Server, fetcher: Fetcher, progress: Silent
) -> None:
    server.pages |= {"/wrong": b"X" * len(BODY)}
    path = fetcher.fetch(source(f"{server.address}/wrong", f"{server.address}/file"))
    assert path.read_bytes() == BODY
    assert any("/wrong" in note for note in progress.notes)


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x", b"<html>not found</html>", b""])
def test_wrong_length_leaves_nothing(
    server: Server, fetcher: Fetcher, tmp_path: Path, body: bytes
) -> None:
    server.pages["/file"] = body
    with pytest.raises(fetch_errors.NoNetwork, match=r"bytes where \d+ are pinned"):
        fetcher.fetch(source(f"{server.address}/file"))
    assert names(tmp_path / "downloads") == set()


def test_nobody_answers(server: Server, fetcher: Fetcher) -> None:
    address = server.address
    server.pages.clear()
    with pytest.raises(fetch_errors.NoNetwork) as caught:
        fetcher.fetch(source(f"{address}/file", "http://127.0.0.1:1/file"))
    assert "404" in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
    assert "network" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        *("http://files.example.org/file", "file:///etc/passwd", "ftp://127.0.0.1/file"),
        *("http://10.0.0.1/file", "http://192.168.0.1/file", "http://169.254.0.1/file"),
        *("http://[fd00::1]/file", "http://0.0.0.0/file", "http://localhost.example.org/file"),
    ],
)
def test_unsafe_address_is_refused(fetcher: Fetcher, address: str) -> None:
    with pytest.raises(fetch_errors.NoNetwork, match="only https"):
        fetcher.fetch(source(address))


def test_a_full_disk_is_no_fault_of_the_network(server: Server, fetcher: Fetcher) -> None:
    wanted = source(f"{server.address}/file", f"{server.address}/elsewhere")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY) // 2, hard))  # as a quota would
    try:
        with pytest.raises(OSError, match="File too large"):
            fetcher.fetch(wanted)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert server.requests == ["/file"], "the next origin would not find more room"


def test_redirection_is_followed(server: Server, fetcher: Fetcher) -> None:
    assert fetcher.fetch(source(f"{server.address}/to-file")).read_bytes() == BODY
    assert server.requests == ["/to-file", "/file"]


def test_redirection_to_plain_http_is_refused(server: Server, fetcher: Fetcher) -> None:
    with pytest.raises(
        fetch_errors.NoNetwork,
        match=r"/to-http: the server redirects to an address that is refused",
    ):
        fetcher.fetch(source(f"{server.address}/to-http"))


def test_changed_download_is_fetched_anew(
    server: Server, fetcher: Fetcher, progress: Silent
) -> None:
    wanted = source(f"{server.address}/file")
    fetcher.fetch(wanted).write_bytes(b"Y" * len(BODY))
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert len(server.requests) == 2
    assert any("changed" in note for note in progress.notes)


def test_two_at_once_ask_once(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    starter = Runner(1)
    there = archive(tmp_path / "archive")
    other = Fetcher(
        tmp_path / "downloads", archive=there, progress=Silent(), cancelled=starter.stopping
    )
    wanted = source(f"{server.address}/file")
    threads = [threading.Thread(target=each.fetch, args=(wanted,)) for each in (fetcher, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.requests == ["/file"]


def test_several_are_fetched_at_one_time(server: Server, fetcher: Fetcher) -> None:
    bodies = {f"/{number}": f"file {number}".encode() for number in range(6)}
    server.pages |= bodies
    first_two = threading.Barrier(2, timeout=30)

    class Meeting(dict[str, bytes]):
        """Pages of which two have to be asked for before the first is given."""

        def get(self, path: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
            if path in ("/0", "/1"):
                first_two.wait()
            return super().get(path, default)

    server.pages = Meeting(server.pages)
    wanted = [source(f"{server.address}{path}", body=body) for path, body in bodies.items()]
    found = [(each, path.read_bytes()) for each, path in fetcher.fetch_all(wanted)]
    assert found == list(zip(wanted, bodies.values(), strict=True))


def test_one_that_fails_gives_up_the_others(server: Server, fetcher: Fetcher) -> None:
    server.pages["/stalls"] = BODY[:1000]
    server.announced = len(BODY)
    wanted = [source(f"{server.address}/absent", body=b"1"), source(f"{server.address}/stalls")]
    began = time.monotonic()
    with pytest.raises(fetch_errors.NoNetwork):
        list(fetcher.fetch_all(wanted))
    assert time.monotonic() - began < 20


def test_cancelled_fetch_ends(server: Server, tmp_path: Path) -> None:
    starter = Runner(1)
    starter.stopping.set()
    there = archive(tmp_path / "archive")
    stopped = Fetcher(
        tmp_path / "downloads", archive=there, progress=Silent(), cancelled=starter.stopping
    )
    with pytest.raises(process_errors.Interrupted):
        stopped.fetch(source(f"{server.address}/file"))
    assert names(tmp_path / "downloads") == set()


def cancel_in(seconds: float, fetcher_of: Runner) -> threading.Timer:
    timer = threading.Timer(seconds, fetcher_of.stopping.set)
    timer.start()
    return timer


def test_cancelling_ends_a_download_whose_server_says_no_more(
    server: Server, tmp_path: Path
) -> None:
    server.pages["/stalls"] = BODY[:1000]
    server.announced = len(BODY)
    starter = Runner(1)
    there = archive(tmp_path / "archive")
    waiting = Fetcher(tmp_path / "d", archive=there, progress=Silent(), cancelled=starter.stopping)
    cancel_in(0.3, starter)
    started = time.monotonic()
    with pytest.raises(process_errors.Interrupted, match=r"file\.tar"):
        waiting.fetch(source(f"{server.address}/stalls"))
    assert time.monotonic() - started < 5
    assert server.requests == ["/stalls"]
    assert names(tmp_path / "d") == set()


def test_cancelling_ends_the_wait_for_another_run(server: Server, tmp_path: Path) -> None:
    wanted = source(f"{server.address}/file")
    folder = tmp_path / "d" / wanted.sha256
    folder.mkdir(parents=True)
    starter = Runner(1)
    there = archive(tmp_path / "archive")
    waiting = Fetcher(tmp_path / "d", archive=there, progress=Silent(), cancelled=starter.stopping)
    with filelock.FileLock(folder / ".lock"):
        cancel_in(0.3, starter)
        with pytest.raises(process_errors.Interrupted):
            waiting.fetch(wanted)
    assert server.requests == []


def test_a_compressed_file_is_taken_as_it_is(server: Server, fetcher: Fetcher) -> None:
    """Some servers announce a .tar.gz as an encoding of the tar."""
    packed = gzip.compress(BODY, mtime=0)
    server.pages["/file"] = packed
    server.encoding = "gzip"
    assert fetcher.fetch(source(f"{server.address}/file", body=packed)).read_bytes() == packed


# --- a file whose size no record says ------------------------------------------------------------


def test_a_file_of_unknown_size(server: Server, fetcher: Fetcher) -> None:
    wanted = dataclasses.replace(source(f"{server.address}/file"), size=0)
    assert not fetcher.has(wanted)
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert fetcher.has(wanted)


def test_a_short_file_of_unknown_size(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    server.announced = len(BODY) + 1
    wanted = dataclasses.replace(source(f"{server.address}/file"), size=0)
    with pytest.raises(fetch_errors.NoNetwork, match="1 more bytes expected"):
        fetcher.fetch(wanted)
    assert names(tmp_path / "downloads") == set()


def test_a_file_of_unknown_size_is_resumed(server: Server, fetcher: Fetcher) -> None:
    """The rest of it, where the server gives a range; the digest says whether it is the same."""
    wanted = dataclasses.replace(source(f"{server.address}/file"), size=0)
    part = fetcher._path(wanted).with_name(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:40_000])
    server.ranges = True
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert server.sent == len(BODY) - 40_000


def test_a_part_of_unknown_size_from_another_file(server: Server, fetcher: Fetcher) -> None:
    wanted = dataclasses.replace(source(f"{server.address}/file"), size=0)
    part = fetcher._path(wanted).with_name(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"?" * 40_000)
    server.ranges = True
    assert fetcher.fetch(wanted).read_bytes() == BODY


def test_another_file_of_unknown_size(server: Server, fetcher: Fetcher) -> None:
    server.pages["/file"] = b"another one"
    wanted = dataclasses.replace(source(f"{server.address}/file"), size=0)
    with pytest.raises(fetch_errors.WrongDigest):
        fetcher.fetch(wanted)
    assert not fetcher.has(wanted)


# --- what lies in the place of a download ----------------------------------------------------


def put(path: Path, kind: str) -> None:
    """Put something of a kind where something else was."""
    remove(path)
    match kind:
        case "folder":
            (path / "deep").mkdir(parents=True)
        case "FIFO":
            os.mkfifo(path)
        case "link":
            path.symlink_to("nowhere")
        case _:
            path.write_text(kind, encoding="utf-8")


@pytest.mark.parametrize("kind", ["folder", "FIFO", "link", "file"])
@pytest.mark.parametrize("name", ["", "file.tar", ".lock", ".part"])
def test_what_lies_in_the_place_of_a_download_is_replaced(
    fetcher: Fetcher, server: Server, name: str, kind: str
) -> None:
    wanted = source(f"{server.address}/file")
    path = fetcher.fetch(wanted)
    if name == ".part":
        path.unlink()
    put(path.parent / name if name else path.parent, kind)
    assert fetcher.fetch(wanted).read_bytes() == BODY


def test_a_changed_bit_that_kept_size_and_time_is_not_built_from(
    fetcher: Fetcher, server: Server, progress: Silent
) -> None:
    wanted = source(f"{server.address}/file")
    path = fetcher.fetch(wanted)
    state = path.stat()
    path.write_bytes(BODY.replace(b"pinned", b"pinneD", 1))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert fetcher.fetch(wanted).read_bytes() == BODY
    assert "was changed after its download" in progress.notes[0]


def test_a_full_disk_is_not_called_the_network(
    tmp_path: Path, fetcher: Fetcher, server: Server
) -> None:
    wanted = source(f"{server.address}/file", f"{server.address}/file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY) // 2, hard))
    try:
        with (
            pytest.raises(engine_errors.DiskFull, match="File too large"),
            engine_errors.explained(tmp_path),
        ):
            fetcher.fetch(wanted)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(server.requests) == 1, "another origin finds no more room"
    assert fetcher.fetch(wanted).read_bytes() == BODY
