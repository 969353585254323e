"""The machine's real apt with private state: asking, fetching, and an archive that has moved on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipes import errors, lock, source
from recipes.engine.apt import HELPER, Apt
from recipes.engine.fetch import Fetcher
from recipes.engine.runner import Runner
from recipes.engine.stage import ArchiveFile, Source
from recipes.source import Pins
from tests.e2e.test_fetch import Silent

PROJECT = Path(__file__).resolve().parents[2]
SYSTEM = (Path("/var/lib/apt"), Path("/var/cache/apt"), Path("/etc/apt"))
MUSL = "1.2.5-3.1~deb13u1"

pytestmark = pytest.mark.skipif(
    not Path(HELPER).exists(), reason="this host has no apt; the debian source set is for Debian"
)


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> Apt:
    """An apt with private state, its indexes fetched once for all tests here."""
    private = Apt(tmp_path_factory.mktemp("apt"), Runner(1))
    private.refresh("trixie")
    return private


@pytest.fixture
def pins(apt: Apt, tmp_path: Path) -> Pins:
    """The repository's pins, with a run lock of the test's own."""
    return source.load(PROJECT / "recipes" / "pins", tmp_path / "run-lock.toml", host=apt.host)


def state_of(folders: tuple[Path, ...]) -> set[tuple[str, int, int]]:
    """Every file with its size and time."""
    return {
        (str(path), path.lstat().st_size, path.lstat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
    }


def test_pinned_file_is_located_and_fetched(apt: Apt, pins: Pins, tmp_path: Path) -> None:
    starter = Runner(1)
    fetcher = Fetcher(
        tmp_path / "downloads", apt=apt, progress=Silent(), cancelled=starter.stopping
    )
    wanted = pins.source("musl-patches")
    pins = lock.settle(pins, [wanted], apt, print)
    wanted = pins.source("musl-patches")
    assert fetcher.fetch(wanted).stat().st_size == wanted.size


def test_version_that_never_was_is_not_located(apt: Apt) -> None:
    file = ArchiveFile(suite="trixie", package="musl", version="0.0-1", kind="source")
    assert apt.locate(file, "musl_0.0.orig.tar.gz") is None


def test_closure_holds_a_dependency_and_not_what_every_host_has(apt: Apt) -> None:
    closure = {one.package for one in apt.closure("trixie", ["bison"])}
    assert {"bison", "m4"} <= closure
    assert closure.isdisjoint({"libc6", "perl-base", "gcc"})
    assert all(len(one.sha256) == 64 for one in apt.closure("trixie", ["bison"]))


def test_dropped_version_is_replaced_by_the_newest_of_its_series(
    apt: Apt, pins: Pins, tmp_path: Path
) -> None:
    gone = pins.pins["openssl"].model_copy(
        update={"package_version": "3.5.0-1", "file": "openssl_3.5.0.orig.tar.gz"}
    )
    pins = source.with_pin(pins, "openssl", gone)
    notes: list[str] = []
    moved = lock.settle(pins, [pins.source("openssl")], apt, notes.append)
    assert moved.pins["openssl"].version.startswith("3.5.")
    assert moved.pins["openssl"].package_version != "3.5.0-1"
    assert len(notes) == 1
    assert "3.5.0-1 has left the archive" in notes[0]
    kept = (tmp_path / "run-lock.toml").read_text()
    assert 'replaces = "3.5.0-1"' in kept


def test_series_that_is_gone_is_an_error_that_says_what_is_there(apt: Apt, pins: Pins) -> None:
    gone = pins.pins["musl"].model_copy(update={"package_version": "0.9-1", "series": "0.9"})
    pins = source.with_pin(pins, "musl", gone)
    wanted = Source(
        name="musl_0.9.orig.tar.gz",
        sha256="0" * 64,
        size=1,
        origins=(ArchiveFile(suite="trixie", package="musl", version="0.9-1", kind="source"),),
    )
    with pytest.raises(errors.NotInArchive, match=r"another 0\.9; it has 1\.2"):
        lock.settle(pins, [wanted], apt, print)


def test_nothing_of_the_system_changes(tmp_path: Path) -> None:
    before = state_of(SYSTEM)
    private = Apt(tmp_path / "apt", Runner(1))
    private.refresh("trixie")
    assert private.versions("trixie", "musl", "source")
    assert state_of(SYSTEM) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user for the trial")
def test_ordinary_user_can_ask(tmp_path: Path) -> None:
    state = tmp_path / "apt"
    state.mkdir()
    os.chown(state, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents):  # pytest keeps its folders to itself
        if folder.stat().st_mode & 0o055 != 0o055 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    # Imported before the change of user, who may not see the interpreter's own folders.
    program = (
        "import os, sys; from pathlib import Path; from recipes.engine.apt import Apt;"
        "from recipes.engine.runner import Runner;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "print(Apt(Path(sys.argv[1]), Runner(1)).versions('trixie', 'musl', 'source'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(state)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert MUSL.partition("-")[0] in done.stdout, done.stderr
