"""What holds for every question to a server, whatever is asked: time, threads, proxies, TLS."""

from __future__ import annotations

import dataclasses
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch import http
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.process import errors as process_errors
from muslin.engine.process.runner import Runner
from tests.archive import archive
from tests.e2e import hostile
from tests.e2e.hostile import BODY, HALF, LENGTH, PLANTED, SIZE, Line, Server, head
from tests.e2e.test_fetch import Silent
from tests.e2e.test_hostile_servers import AMPLE, SHORT, source


class Client:
    """A fetcher, and what it told its user."""

    def __init__(self, folder: Path, limits: Limits = SHORT) -> None:
        self.starter, self.progress, self.folder = Runner(1), Silent(), folder
        self.fetcher = Fetcher(
            folder,
            archive=archive(folder / "archive"),
            progress=self.progress,
            cancelled=self.starter.stopping,
            limits=limits,
        )

    def fetch(self, *places: str, size: int = SIZE) -> bytes:
        """The file from one of these addresses."""
        return self.fetcher.fetch(source(*places, size=size)).read_bytes()

    def refused(self, *places: str, size: int = SIZE) -> str:
        """What a person reads where there is no file."""
        with pytest.raises((fetch_errors.NoNetwork, fetch_errors.WrongDigest)) as caught:
            self.fetch(*places, size=size)
        words = "\n".join((*self.progress.notes, str(caught.value)))
        assert PLANTED not in words
        return words

    @property
    def part(self) -> Path:
        """What has arrived."""
        return self.folder / source().sha256 / ".part"


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "downloads")


# --- time -----------------------------------------------------------------------------------------


def test_a_large_file_is_given_up_as_soon_as_a_small_one(tmp_path: Path) -> None:
    """What has arrived buys time, not what is announced or pinned."""
    client = Client(tmp_path, Limits(patience=1.0))
    with Server(hostile.NEVER_ENDING["headers one by one"].behaviour) as server:
        began = time.monotonic()
        assert "only 0 bytes received in" in client.refused(server.address(), size=10**12)
    assert time.monotonic() - began < AMPLE


def test_a_petabyte_of_unknown_size_buys_no_time(tmp_path: Path) -> None:
    client = Client(tmp_path, Limits(patience=1.0))
    behaviour = hostile.stalls(head(200, "Content-Length: 1000000000000000"), BODY[:HALF])
    with Server(behaviour) as server:
        began = time.monotonic()
        assert "has more than 250000000 bytes" in client.refused(server.address(), size=0)
    assert time.monotonic() - began < AMPLE


def test_a_file_of_unknown_size_does_not_fill_the_disk(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST", 1_000_000)

    def flood(line: Line) -> None:
        line.send(head(200))
        while True:
            line.send(b"x" * 100_000)

    with Server(flood) as server, Server(hostile.sound) as sound:
        assert client.fetch(server.address(), sound.address(), size=0) == BODY
        assert sound.asked == [""], "nothing of it was kept"
        assert server.is_left(AMPLE)
    assert "has more than 1000000 bytes" in client.progress.notes[0]
    assert client.progress.sizes == {"file.tar": SIZE}


def test_what_is_begun_of_unknown_size_outlives_a_flood(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST", 1_000_000)
    client.part.parent.mkdir(parents=True)
    client.part.write_bytes(BODY[:HALF])

    def flood(line: Line) -> None:
        line.send(head(206, f"Content-Range: bytes {HALF}-999/*"))
        while True:
            line.send(b"x" * 100_000)

    with Server(flood) as server, Server(hostile.sound) as sound:
        assert client.fetch(server.address(), sound.address(), size=0) == BODY
        assert sound.asked == [f"bytes={HALF}-"]


# --- threads --------------------------------------------------------------------------------------


def test_a_server_that_was_given_up_writes_no_more(tmp_path: Path) -> None:
    """It sends on while the next mirror is read, up to the moment when it sees nobody listens."""
    client = Client(tmp_path, dataclasses.replace(SHORT, tries=1, patience=6.0))
    left = threading.Event()

    def goes_on(line: Line) -> None:
        line.send(head(200, LENGTH), BODY[:1000])
        try:
            for at in range(1000, SIZE):
                line.send(BODY[at : at + 1])
                time.sleep(0.01)
        finally:
            left.set()

    def waits(line: Line) -> None:
        rest = BODY[line.start :]
        span = f"Content-Range: bytes {line.start}-{SIZE - 1}/{SIZE}"
        line.send(head(206, span, f"Content-Length: {len(rest)}"), rest[:1000])
        assert left.wait(AMPLE)
        line.send(rest[1000:])

    with Server(goes_on) as first, Server(waits) as second:
        assert client.fetch(first.address(), second.address()) == BODY
        assert len(second.asked) == 1, "no byte came twice"
        assert client.progress.sizes == {"file.tar": SIZE}


def test_no_thread_and_no_connection_is_left(tmp_path: Path) -> None:
    client = Client(tmp_path, Limits(tries=1, patience=0.5))
    before = threading.active_count()
    for row in hostile.NEVER_ENDING.values():
        if row.outcome == hostile.SLOW:
            with Server(row.behaviour) as server:
                client.refused(server.address())
                assert server.is_left(AMPLE)
    ends = time.monotonic() + AMPLE
    while threading.active_count() > before and time.monotonic() < ends:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_a_run_that_ends_does_not_wait_for_a_trickle(client: Client) -> None:
    with Server(hostile.NEVER_ENDING["endless 100 Continue"].behaviour) as server:
        timer = threading.Timer(0.3, client.starter.stopping.set)
        timer.start()
        with pytest.raises(process_errors.Interrupted):
            client.fetch(server.address())
        assert server.is_left(AMPLE)


def test_a_disk_without_room_is_no_fault_of_the_server(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor would another one find more room."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("muslin.engine.fetch.resume.Overlay.add", full)
    with Server(hostile.sound) as server, Server(hostile.sound) as other:
        with pytest.raises(OSError, match="No space left"):
            client.fetch(server.address(), other.address())
        assert other.asked == []


# --- which host is asked --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://files.example.org\\@127.0.0.1/x",
        "http://files.example.org#@127.0.0.1/x",
        "http://files.example.org?@127.0.0.1/x",
        "http://127.0.0.1@files.example.org/x",
        "http://127.0.0.1.example.org/x",
        "http://[::1/x",
        "http://[::1]x/",
        "http:/127.0.0.1/x",
        "http://",
        "https://",
        "https:\\\\files.example.org\\x",
        "https://files.example.org:99999/x",
        f"https://me:{PLANTED}/{PLANTED}@files.example.org/x",
    ],
)
def test_an_address_with_two_readings_is_not_asked(client: Client, address: str) -> None:
    assert "is not fetched: only https, or http on loopback" in client.refused(address)


def test_this_machine_is_asked_through_no_proxy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy's loopback is another machine's."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Server(hostile.says()) as proxy, Server(hostile.sound) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address())
        assert client.fetch(server.address()) == BODY
        assert proxy.asked == []


@pytest.mark.parametrize(
    "behaviour",
    [
        hostile.says(head(407, f"Proxy-Authenticate: Basic realm={PLANTED}")),
        hostile.says(b"SSH-2.0-OpenSSH_9.2\r\n"),
        hostile.trickles(b"HTTP/1.1 200 OK\r\n", more=hostile.forever(b"A: b\r\n")),
        hostile.stalls(),
    ],
    ids=["refuses", "speaks something else", "trickles", "is silent"],
)
def test_a_proxy_is_a_server_too(
    client: Client, monkeypatch: pytest.MonkeyPatch, behaviour: hostile.Behaviour
) -> None:
    with Server(behaviour) as proxy, Server(hostile.sound) as sound:
        monkeypatch.setenv("https_proxy", f"http://me:{PLANTED}@{proxy.address().split('@')[1]}")
        far = f"https://me:{PLANTED}@files.example.org/x?token={PLANTED}"
        assert client.fetch(far, sound.address()) == BODY
    assert "https://***@files.example.org/x?***: " in client.progress.notes[0]
    assert PLANTED not in client.progress.notes[0]


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS, which clients trust."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    return context


def over_tls(context: ssl.SSLContext, behaviour: hostile.Behaviour) -> Server:
    """A server that speaks TLS; each connection's handshake is its own thread's."""

    def behave(line: Line) -> None:
        secure = context.wrap_socket(line.socket, server_side=True)
        request = b""
        while b"\r\n\r\n" not in request:
            if not (piece := secure.recv(1 << 16)):
                return
            request += piece
        inner = dataclasses.replace(line, socket=secure, request=request)
        with secure:
            behaviour(inner)

    return Server(behave, reads=False)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("a body byte by byte", hostile.SLOW),
        ("half a file and silence", hostile.SLOW),
        ("half a file", hostile.BROKE),
        ("the whole file and no end", hostile.FILE),
        ("a negative length", hostile.FILE),
    ],
)
def test_over_tls(client: Client, trusted: ssl.SSLContext, name: str, outcome: str) -> None:
    with over_tls(trusted, hostile.TABLE[name].behaviour) as server, Server(hostile.sound) as sound:
        assert client.fetch(server.address("https"), sound.address()) == BODY
        assert (sound.asked == []) == (outcome == hostile.FILE)
        assert server.is_left(AMPLE)


def test_a_bundle_of_certificates_that_does_not_exist(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with Server(hostile.says()) as server:
        words = client.refused(server.address("https"))
    assert "the server cannot be reached: check the settings of the proxy and the CA" in words


def test_nothing_that_came_by_tls_leads_to_plain_http(
    client: Client, trusted: ssl.SSLContext
) -> None:
    with Server(hostile.sound) as inner:
        with over_tls(trusted, hostile.leads(inner.address())) as server:
            assert hostile.NOT_FETCHED in client.refused(server.address("https"))
        assert inner.asked == []
