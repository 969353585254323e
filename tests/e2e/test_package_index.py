"""Wheels through the pinned pip itself: from an index on loopback, found by pip's configuration."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.fetch.package_index import PackageIndex, Platform
from muslin.engine.process.runner import Runner
from muslin.engine.source import IndexFile, Source, Url
from muslin.models import declaration
from muslin.models import pins as source
from muslin.models.pin_files import PIP, Package, WheelLock
from muslin.sources import relock_wheels
from tests.archive import PROJECT, archive
from tests.e2e.test_fetch import Silent

TAGS = (
    *("py3-none-any", "cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64"),
    *("cp39-abi3-manylinux_2_28_x86_64", "py2.py3-none-any"),
    "py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64",
)
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's
        """Say nothing."""


class Index:
    """A directory as pip asks it (PEP 503)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, project: str, version: str, tags: str, *requires: str) -> Package:
        """Put a wheel there."""
        folder = self.root / "simple" / project
        folder.mkdir(parents=True, exist_ok=True)
        file = f"{project.replace('-', '_')}-{version}-{tags}.whl"
        about = f"{project.replace('-', '_')}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        head = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
        with zipfile.ZipFile(folder / file, "w") as wheel:
            wheel.writestr(f"{project}.py", f"tags = {tags!r}\n")
            wheel.writestr(f"{about}/METADATA", f"{head}Requires-Python: >=3.11\n{needs}")
            wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
            wheel.writestr(f"{about}/RECORD", "")
        content = (folder / file).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        with (folder / "index.html").open("a") as page:
            page.write(f'<a href="{file}#sha256={digest}">{file}</a>\n')
        return Package(name=project, version=version, file=file, size=len(content), sha256=digest)


@pytest.fixture(scope="module")
def pip() -> Source:
    """The pinned package with pip."""
    pins = source.load(PROJECT / "recipes/pins", Path("/nonexistent"), host="bookworm-amd64")
    (found,) = pins.group(PIP)
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def runner() -> Iterator[Runner]:
    runner = Runner(2)
    yield runner
    runner.close()


@pytest.fixture
def packages(runner: Runner) -> Iterator[PackageIndex]:
    packages = PackageIndex(runner)
    yield packages
    packages.close()


@pytest.fixture
def progress() -> Silent:
    return Silent()


@pytest.fixture
def fetcher(cache: Path, runner: Runner, packages: PackageIndex, progress: Silent) -> Fetcher:
    return Fetcher(
        cache / "downloads",
        archive=archive(cache / "archive"),
        progress=progress,
        cancelled=runner.stopping,
        index=packages,
        limits=Limits(pause=0.01, tries=1),
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index of the test's own, named by pip's variable alone."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{serving.server_port}/simple")
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield Index(tmp_path)
    serving.shutdown()
    thread.join()
    serving.server_close()


def pinned(package: Package, pip: Source, *mirrored: Url) -> Source:
    origin = IndexFile(project=package.name, version=package.version, pip=pip)
    return Source(
        name=package.file,
        sha256=package.sha256,
        size=package.size,
        origins=(*mirrored, origin),
    )


@pytest.mark.parametrize("tags", TAGS)
def test_a_wheel_of_any_platform_is_fetched(
    fetcher: Fetcher, progress: Silent, index: Index, pip: Source, tags: str
) -> None:
    for other in TAGS:
        index.add("demo-thing", "1.0", other)
    wanted = index.add("demo-thing", "2.0", tags)
    for other in TAGS:
        if other != tags:
            index.add("demo-thing", "2.0", other)
    path = fetcher.fetch(pinned(wanted, pip))
    assert path.name == wanted.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    assert progress.sizes[wanted.file] == wanted.size
    assert [one.name for one in path.parent.iterdir() if one.name != ".lock"] == [path.name]


def test_another_file_of_that_name_is_refused(fetcher: Fetcher, index: Index, pip: Source) -> None:
    wanted = index.add("demo", "1.0", "py3-none-any")
    wrong = wanted.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(errors.WrongDigest, match=r"(?s)index \(demo 1\.0\).*0{64}.*pip compared"):
        fetcher.fetch(pinned(wrong, pip))
    assert not fetcher.has(pinned(wrong, pip))


def test_what_pip_says_is_told(fetcher: Fetcher, index: Index, pip: Source) -> None:
    wanted = index.add("gone", "1.0", "py3-none-any")
    (index.root / "simple/gone/index.html").write_text("", encoding="utf-8")
    told = r"(?s)gone-1\.0.*pip failed.*No matching.*PIP_INDEX_URL.*PIP_FIND_LINKS"
    with pytest.raises(errors.NoNetwork, match=told):
        fetcher.fetch(pinned(wanted, pip))


def test_a_folder_of_wheels_without_an_index(
    fetcher: Fetcher, index: Index, pip: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = index.add("lying", "1.0", "py3-none-any")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.root / "simple/lying"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/")
    assert fetcher.fetch(pinned(wanted, pip)).name == wanted.file


def test_an_index_that_a_file_of_pips_names(
    fetcher: Fetcher, index: Index, pip: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = index.add("configured", "1.0", "py3-none-any")
    settings = index.root / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {os.environ['PIP_INDEX_URL']}\n", encoding="utf-8")
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    assert fetcher.fetch(pinned(wanted, pip)).name == wanted.file


def test_a_mirror_is_asked_first(fetcher: Fetcher, index: Index, pip: Source) -> None:
    wanted = index.add("mirrored", "1.0", "py3-none-any")
    (index.root / "simple/mirrored" / wanted.file).rename(index.root / wanted.file)
    address = os.environ["PIP_INDEX_URL"].removesuffix("simple")
    source = pinned(wanted, pip, Url(address=address + wanted.file))
    assert fetcher.fetch(source).name == wanted.file


def test_a_file_that_was_put_there_needs_no_index(
    fetcher: Fetcher, cache: Path, index: Index, pip: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = index.add("brought", "1.0", "py3-none-any")
    place = cache / "downloads" / wanted.sha256
    place.mkdir(parents=True)
    (index.root / "simple/brought" / wanted.file).rename(place / wanted.file)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/")
    assert fetcher.fetch(pinned(wanted, pip)) == place / wanted.file


def test_a_password_of_the_index_is_not_shown(
    fetcher: Fetcher, index: Index, pip: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = index.add("absent", "1.0", "py3-none-any")
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:swordfish@127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(errors.NoNetwork) as caught:
        fetcher.fetch(pinned(wanted.model_copy(update={"sha256": "1" * 64}), pip))
    assert "swordfish" not in str(caught.value)


def test_the_newest_wheels_of_each_platform_are_pinned(
    fetcher: Fetcher, index: Index, pip: Source, packages: PackageIndex, tmp_path: Path
) -> None:
    minor = HERE.replace(".", "")
    index.add("demo", "1.0", "py3-none-any")
    index.add("demo", "1.1", "py3-none-any", "fast-thing>=2", "old; python_version<'3.0'")
    index.add("demo", "3.0", "py3-none-any")
    index.add("fast-thing", "1.0", "py3-none-any")
    wheels = {
        architecture: index.add("fast-thing", "2.0", f"cp{minor}-cp{minor}-{platform}")
        for architecture, platform in {
            "amd64": "manylinux_2_28_x86_64",
            "arm64": "manylinux2014_aarch64.manylinux_2_17_aarch64",
        }.items()
    }
    index.add("fast-thing", "2.1", f"cp{minor}-cp{minor}-manylinux_2_37_x86_64")  # a newer glibc
    path = tmp_path / "builder-wheels.toml"
    path.write_text(
        f'python = "{HERE}"\nglibc = 36\n[platforms]\namd64 = []\narm64 = []\n', encoding="utf-8"
    )
    relock_wheels.move(
        path,
        packages,
        pytest.fail,
        pip=pip,
        obtain=fetcher.fetch,
        requirements=("demo<2",),
    )
    found = declaration.read(path, WheelLock).platforms
    assert {name: [one.file for one in packages] for name, packages in found.items()} == {
        name: ["demo-1.1-py3-none-any.whl", wheel.file] for name, wheel in wheels.items()
    }
    assert found["amd64"][1] == wheels["amd64"]


def nothing(wanted: Source) -> Path:
    """A download that no test may ask for."""
    pytest.fail(wanted.name)


def test_another_python_moves_no_wheel(packages: PackageIndex, pip: Source, tmp_path: Path) -> None:
    path = tmp_path / "builder-wheels.toml"
    text = 'python = "3.11"\nglibc = 36\n[platforms]\namd64 = []\n'
    path.write_text(text, encoding="utf-8")
    notes: list[str] = []
    relock_wheels.move(
        path,
        packages,
        notes.append,
        pip=pip,
        obtain=nothing,
        requirements=("demo",),
        python=(3, 12),
    )
    assert path.read_text(encoding="utf-8") == text
    assert "Python 3.11 alone" in notes[0]


def test_the_platform_says_all_that_it_takes() -> None:
    options = list(Platform(python="3.11", machine="x86_64", glibc=36).options)
    assert "--platform=manylinux_2_36_x86_64" in options
    assert "--platform=manylinux_2_5_x86_64" in options
    assert "--platform=manylinux_2_37_x86_64" not in options
