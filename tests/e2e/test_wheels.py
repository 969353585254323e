"""Wheels from a package index on loopback, fetched by a real pip with its own configuration."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.fetch.wheels import Pip
from muslin.engine.process.runner import Runner
from muslin.engine.source import Source, Url, Wheel
from tests.archive import archive
from tests.e2e.test_fetch import Silent

NAME = "tool-1.0-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.whl"
REQUIREMENT = "tool==1.0"


def write_wheel(folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        wheel.writestr("tool/program", "#!/bin/sh\n")
        wheel.writestr(
            "tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n"
        )
        wheel.writestr("tool-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tool-1.0.dist-info/RECORD", "")
    return (folder / NAME).read_bytes()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of a package index with one project, which pip is configured to ask."""
    root = tmp_path / "index"
    write_wheel(root / "simple" / "tool")
    handler = functools.partial(Quiet, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {address}/simple/\nretries = 0\n")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    yield root
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def progress() -> Silent:
    return Silent()


@pytest.fixture
def fetcher(tmp_path: Path, progress: Silent) -> Fetcher:
    starter = Runner(1)
    return Fetcher(
        tmp_path / "downloads",
        archive=archive(tmp_path / "archive"),
        progress=progress,
        cancelled=starter.stopping,
        pip=Pip(starter),
        limits=Limits(pause=0.01, tries=1),
    )


def pinned(body: bytes, *origins: Url) -> Source:
    return Source(
        name=NAME,
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        origins=(*origins, Wheel(requirement=REQUIREMENT)),
    )


def test_pip_brings_the_pinned_wheel(index: Path, fetcher: Fetcher, progress: Silent) -> None:
    body = (index / "simple/tool" / NAME).read_bytes()
    path = fetcher.fetch(pinned(body))
    assert path.read_bytes() == body
    assert progress.sizes == {NAME: len(body)}
    assert [one.name for one in path.parent.iterdir() if not one.name.startswith(".lock")] == [NAME]
    (index / "simple/tool" / NAME).unlink()
    assert fetcher.fetch(pinned(body)) == path  # the index is not asked again


def test_another_file_than_the_pinned_one_is_refused(index: Path, fetcher: Fetcher) -> None:
    body = (index / "simple/tool" / NAME).read_bytes()
    with pytest.raises(errors.WrongDigest, match=r"from pip \(tool==1\.0\)"):
        fetcher.fetch(pinned(body + b"more"))
    assert not fetcher.has(pinned(body + b"more"))


def test_a_folder_of_wheels_without_an_index(
    index: Path, tmp_path: Path, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    (index / "simple/tool" / NAME).unlink()
    body = write_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    assert fetcher.fetch(pinned(body)).read_bytes() == body


def test_a_mirror_is_asked_first(index: Path, fetcher: Fetcher, tmp_path: Path) -> None:
    body = (index / "simple/tool" / NAME).read_bytes()
    settings = (tmp_path / "pip.conf").read_text()
    address = settings.partition("index-url = ")[2].partition("/simple/")[0]
    (index / NAME).write_bytes(body)
    (index / "simple/tool" / NAME).unlink()
    assert fetcher.fetch(pinned(body, Url(address=f"{address}/{NAME}"))).read_bytes() == body


def test_what_pip_says_is_told(index: Path, fetcher: Fetcher) -> None:
    body = (index / "simple/tool" / NAME).read_bytes()
    (index / "simple/tool" / NAME).unlink()
    with pytest.raises(errors.NoNetwork, match=r"(?s)pip did not bring tool-1\.0.*No matching"):
        fetcher.fetch(pinned(body))


def test_without_pip(
    index: Path, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = (index / "simple/tool" / NAME).read_bytes()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.NoNetwork, match="python3-pip"):
        fetcher.fetch(pinned(body))
