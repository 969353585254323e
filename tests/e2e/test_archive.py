"""The real archive with private state: asking, fetching, and an archive that has moved on."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive import machine
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.process.runner import Runner
from muslin.engine.source import ArchiveFile, Source
from muslin.errors import PipelineError
from muslin.models import declaration
from muslin.models import pins as source
from muslin.models.pin_files import Candidates, PinSet
from muslin.models.pins import Pins
from muslin.sources import errors as source_errors
from muslin.sources import relock
from tests.archive import archive
from tests.e2e.test_fetch import Silent

PROJECT = Path(__file__).resolve().parents[2]
SYSTEM = (Path("/var/lib/apt"), Path("/var/cache/apt"), Path("/etc/apt"))
PLANTED = "hunter2-do-not-tell"
MUSL = "1.2.5-3.1~deb13u1"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The real archive, its indexes fetched once for all tests here."""
    return archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture
def pins(real: Archive, tmp_path: Path) -> Pins:
    """The repository's pins, with a run lock of the test's own."""
    return source.load(PROJECT / "recipes" / "pins", tmp_path / "run-lock.toml", host=real.host)


@pytest.fixture
def fetcher(real: Archive, tmp_path: Path) -> Fetcher:
    """Downloads into a folder of the test's own."""
    return Fetcher(
        tmp_path / "downloads", archive=real, progress=Silent(), cancelled=Runner(1).stopping
    )


def patches_of(pins: Pins) -> Source:
    """The archive with musl's patches, which is small."""
    (archive,) = pins.component("musl").series.files
    return archive


def state_of(folders: tuple[Path, ...]) -> set[tuple[str, int, int]]:
    """Every file with its size and time."""
    return {
        (str(path), path.lstat().st_size, path.lstat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
    }


def test_pinned_file_is_located_and_fetched(real: Archive, pins: Pins, tmp_path: Path) -> None:
    starter, progress = Runner(1), Silent()
    fetcher = Fetcher(
        tmp_path / "downloads", archive=real, progress=progress, cancelled=starter.stopping
    )
    wanted = patches_of(pins)
    pins = relock.settle(pins, [wanted], real, print, obtain=fetcher.fetch)
    wanted = patches_of(pins)
    assert fetcher.fetch(wanted).stat().st_size == wanted.size
    assert progress.sizes == {wanted.name: wanted.size}


def test_version_that_never_was_is_not_located(real: Archive) -> None:
    file = ArchiveFile(suite="trixie", package="musl", version="0.0-1", kind="source")
    assert real.locate(file, "musl_0.0.orig.tar.gz") is None


def test_closure_holds_a_dependency_and_not_what_every_host_has(real: Archive) -> None:
    closure = {one.package for one in real.closure("trixie", ["bison"])}
    assert {"bison", "m4"} <= closure
    assert closure.isdisjoint({"libc6", "perl-base", "gcc"})
    assert all(len(one.sha256) == 64 for one in real.closure("trixie", ["bison"]))


def test_dropped_version_is_replaced_by_the_newest_of_its_series(
    real: Archive, pins: Pins, tmp_path: Path, fetcher: Fetcher
) -> None:
    gone = pins.pins["openssl"].model_copy(
        update={"package_version": "3.5.0-1", "file": "openssl_3.5.0.orig.tar.gz"}
    )
    pins = source.with_pin(pins, "openssl", gone)
    notes: list[str] = []
    moved = relock.settle(pins, [pins.source("openssl")], real, notes.append, obtain=fetcher.fetch)
    assert moved.pins["openssl"].version.startswith("3.5.")
    assert moved.pins["openssl"].package_version != "3.5.0-1"
    assert "3.5.0-1 has left the archive" in notes[-1]
    assert moved.component("openssl").series.files, "its patches came along"
    kept = (tmp_path / "run-lock.toml").read_text()
    assert 'replaces = "3.5.0-1"' in kept


def test_pins_are_moved_to_the_newest_of_their_series(
    real: Archive, tmp_path: Path, fetcher: Fetcher
) -> None:
    folder = tmp_path / "pins"
    shutil.copytree(PROJECT / "recipes" / "pins", folder)
    path = folder / "debian.toml"
    pinned = path.read_text()
    path.write_text(re.sub(r'(package = "musl"\npackage-version = )".*"', r'\1"1.2.5-0"', pinned))
    (folder / f"host-{real.host}.toml").unlink(missing_ok=True)
    # Not the large ones: whatever is new is fetched, to see that it can be.
    names = ("musl", *declaration.read(folder / "host.toml", Candidates).groups)
    relock.relock(folder, real, print, host=real.host, obtain=fetcher.fetch, names=names)
    before = declaration.read(PROJECT / "recipes/pins/debian.toml", PinSet)
    after = source.load(folder, tmp_path / "run-lock.toml", host=real.host)
    assert after.pins.keys() == before.pins.keys()
    for name, pin in after.pins.items():
        series = before.pins[name].series
        assert series == "*" or f"{pin.version}.".startswith(f"{series}."), name
    assert after.pins["musl"].package_version != "1.2.5-0"
    assert after.groups.keys() == after.candidates.keys(), "the host's programs are locked too"
    assert path.read_text().startswith("#:schema "), "editors still find the schema"
    assert after.notes == ()


def test_series_that_is_gone_is_an_error_that_says_what_is_there(real: Archive, pins: Pins) -> None:
    gone = pins.pins["musl"].model_copy(update={"package_version": "0.9-1", "series": "0.9"})
    pins = source.with_pin(pins, "musl", gone)
    wanted = Source(
        name="musl_0.9.orig.tar.gz",
        sha256="0" * 64,
        size=1,
        origins=(ArchiveFile(suite="trixie", package="musl", version="0.9-1", kind="source"),),
    )
    with pytest.raises(source_errors.NotInArchive, match=r"another 0\.9; it has 1\.2"):
        relock.settle(pins, [wanted], real, print, obtain=lambda one: Path(one.name))


def test_archive_out_of_reach_is_not_one_that_has_dropped_everything(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    private = archive(tmp_path / "archive")
    with pytest.raises(fetch_errors.ArchiveUnreachable, match="through the proxy"):
        relock.settle(
            pins, [pins.source("musl")], private, print, obtain=lambda one: Path(one.name)
        )
    assert not pins.run_lock.exists()


def test_two_runs_at_once_wait_for_each_other(real: Archive, tmp_path: Path) -> None:
    del real  # only that the archive can be reached
    faults: list[BaseException] = []

    def refresh() -> None:
        try:
            archive(tmp_path / "archive").refresh("trixie")
        except PipelineError as error:
            faults.append(error)

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_file_that_is_not_the_pinned_one_is_refused(
    real: Archive, pins: Pins, tmp_path: Path
) -> None:
    pins = relock.settle(pins, [patches_of(pins)], real, print, obtain=lambda one: Path(one.name))
    starter = Runner(1)
    fetcher = Fetcher(tmp_path / "d", archive=real, progress=Silent(), cancelled=starter.stopping)
    wanted = dataclasses.replace(patches_of(pins), sha256="0" * 64)
    with pytest.raises(fetch_errors.WrongDigest, match="0" * 64):
        fetcher.fetch(wanted)
    assert not fetcher.has(wanted)


def test_nothing_of_the_system_changes(real: Archive, tmp_path: Path) -> None:
    del real
    before = state_of(SYSTEM)
    private = archive(tmp_path / "archive")
    private.refresh("trixie")
    assert private.versions("trixie", "musl", "source")
    assert state_of(SYSTEM) == before


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest keeps its own to itself."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))  # open to all
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user for the trial")
def test_ordinary_user_can_ask(real: Archive, open_folder: Path) -> None:
    del real
    state = open_folder / "archive"
    state.mkdir()
    os.chown(state, 65534, 65534)
    # Imported before the change of user, who may not see the interpreter's own folders.
    program = (
        "import os, sys; from pathlib import Path;"
        "from tests.archive import archive;"
        "import muslin.engine.fetch.request;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "print(archive(Path(sys.argv[1])).versions('trixie', 'musl', 'source'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(state)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert MUSL.partition("-")[0] in done.stdout, done.stderr


class Guarded(BaseHTTPRequestHandler):
    """The machine's own archive, behind a name and a password."""

    archive: ClassVar[str]
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        wanted = base64.b64encode(f"me:{PLANTED}".encode()).decode()
        self.seen.append(self.path)
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="archive"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        answer = requests.get(f"{self.archive}{self.path}", timeout=60)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_password_of_the_systems_files_lets_us_in_and_is_left_nowhere(
    real: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = machine.archive_of(Path("/etc/apt"), real.release)["main"][0]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "left").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "left"))
    monkeypatch.setattr(Guarded, "archive", main.uri, raising=False)
    monkeypatch.setattr(Guarded, "seen", [], raising=False)
    etc = tmp_path / "etc"
    etc.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signed = f"[signed-by={main.signed_by}] " if main.signed_by else ""
    address = f"127.0.0.1:{server.server_address[1]}"
    (etc / "sources.list").write_text(
        f"deb {signed}http://me:{PLANTED}@{address} {real.release} main\n"
    )
    private = archive(tmp_path / "state", etc=etc)
    try:
        (one, *_) = private.files(
            "host", "hello", private.versions("host", "hello", "binary")[0], "binary"
        )
        private.download("host", one, tmp_path / "hello.deb", lambda _: None)
    finally:
        server.shutdown()
        server.server_close()
    assert (tmp_path / "hello.deb").stat().st_size == one.size
    assert any(path.endswith(".deb") for path in Guarded.seen)
    found = [
        path
        for path in (*(tmp_path / "state").rglob("*"), *(tmp_path / "left").rglob("*"))
        if PLANTED in path.name or (path.is_file() and PLANTED.encode() in path.read_bytes())
    ]
    assert found == []
