"""A run with nothing to do: it is known when nothing changed, and whatever changes is noticed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recipes.engine.manifest import file_digest
from recipes.engine.watching import TICK
from recipes.unchanged import lock_name

PROJECT = Path(__file__).resolve().parents[2]

RUN = """\
import json, shutil, sys
from pathlib import Path
from recipes import unchanged
from recipes.unchanged import Brought, Found, Placed, Unchanged


def changed(known):  # what a record says otherwise than it is, for a reader of a failure
    try:
        record = json.loads(known._path.read_text())
        if record["facts"] != unchanged._facts():
            yield "the facts differ"
        for path, state in record["states"].items():
            if (now := unchanged.state_of(path, known._leave)) != state:
                yield f"{path}: {state} -> {now}"
    except Exception as error:
        yield f"no record: {error!r}"


place = Path(sys.argv[1])
project, entry = place / "project", place / "cache" / "store" / "a"
known = Unchanged(project, "build-all", sys.argv[2:])
if known.repeated():
    raise SystemExit
for line in changed(known):
    print(line, file=sys.stderr)
if (project / "early").exists():
    (project / "service" / "main.rs").write_text("fn main() {}")
watch = known.watch()
import helper  # the project's own code

if (project / "late").exists():
    (project / "service" / "main.rs").write_text("fn main() {}")
for path in sorted((project / "service").iterdir()):
    if path.is_file():
        path.read_text()
linked = (project / "linked").resolve()
if (project / "name").exists():
    import contextlib, socket

    with contextlib.suppress(OSError):
        socket.getaddrinfo("nowhere.invalid", 80)
if (project / "run").exists():
    import subprocess

    subprocess.run(["true"], check=True)
shutil.which("gcc", path=str(place / "bin"))
(place / "absent").exists()
rows = json.loads((entry / "manifest.json").read_text())
brought = Brought(
    files=[
        Placed(path=f"armv6/{name}", source=str(entry / "tree" / name), row=row)
        for name, row in rows.items()
    ],
    lists={name: (project / "dist" / name).read_text() for name in ("manifest.json", "SHA256SUMS")}
    if (project / "dist").exists()
    else {},
    whole=not (place / "others").exists(),
)
known.keep(
    watch,
    Found(
        lines=["found all"],
        entries=[entry],
        asked=[str(place / "cache" / "store" / "b")],
        brought=Brought() if "toolchain" in sys.argv else brought,
    ),
)
print("looked")
"""


@dataclass
class Place:
    """A checkout and a cache, and a run that reads both as the pipeline does."""

    root: Path

    def run(self, *words: str, **variables: str) -> str:
        """What it says."""
        environment = {
            "MUSLIN_CACHE": str(self.root / "cache"),
            "PYTHONPATH": f"{self.root / 'code'}:{self.root / 'project'}",
            "PATH": os.environ["PATH"],
            **variables,
        }
        argv = [sys.executable, "-c", RUN, str(self.root), *words]
        done = subprocess.run(
            argv, cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        sys.stdout.write(done.stderr)  # why it was looked at, if that is not what a test expects
        return done.stdout

    def is_known(self) -> bool:
        """Whether a run is known to have nothing to do."""
        said = self.run()
        assert said == "looked\n" or said.startswith("found all\nbuild-all: ")
        return said != "looked\n"


def write(path: Path, text: str) -> None:
    """A file that was there long before any run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lead(link: Path, to: Path) -> None:
    """Let a link lead elsewhere."""
    link.unlink()
    link.symlink_to(to)


def settle(root: Path) -> Place:
    """A place whose last run had nothing to do."""
    # Python lists the folders that it looks for modules in; others are at work in the project's.
    (root / "code").mkdir(parents=True)
    (root / "code" / "recipes").symlink_to(PROJECT / "recipes")
    write(root / "project" / "helper.py", "said = 1\n")
    write(root / "project" / "service" / "main.rs", "fn main() {}\n")
    (root / "project" / "service" / "data").symlink_to(root / "data")  # which is not there
    for name in ("one", "other"):
        (root / name).mkdir()
    (root / "project" / "linked").symlink_to(root / "one")
    write(root / "bin" / "gcc", "gcc")
    (root / "bin" / "gcc").chmod(0o755)
    write(root / "cache" / "locks" / "in-use", "")
    entry = root / "cache" / "store" / "a"
    write(entry / "tree" / "demo", "program")
    write(entry / "stage.json", "{}")
    state = (entry / "tree" / "demo").stat()
    row = [state.st_size, state.st_mtime_ns, 0o444, file_digest(entry / "tree" / "demo")]
    write(entry / "manifest.json", json.dumps({"demo": row}))
    dist = root / "project" / "dist"
    (dist / "armv6").mkdir(parents=True)
    shutil.copy2(entry / "tree" / "demo", dist / "armv6" / "demo")
    write(dist / "manifest.json", "the list")
    write(dist / "SHA256SUMS", "the sums")
    time.sleep(2 * TICK / 1e9)  # what changes while it is looked at is not believed
    place = Place(root)
    assert not place.is_known()
    return place


@pytest.fixture
def settled(tmp_path: Path) -> Place:
    """As `settle`."""
    return settle(tmp_path / "place")


def test_a_second_run_says_the_same_and_uses_what_it_found(settled: Place) -> None:
    record = settled.root / "cache" / "store" / "a" / "stage.json"
    os.utime(record, (1, 1))
    said = "found all\nbuild-all: nothing to do; all that the last run looked at is as it was\n"
    assert settled.run() == settled.run() == said
    assert record.stat().st_mtime > 1  # or a clean-up would take it first


def test_it_is_of_one_session_with_its_words(settled: Place) -> None:
    assert settled.run("armv6") == "looked\n"
    assert settled.is_known()


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": lambda root: write(root / "project/service/main.rs", "fn main() { }\n"),
    "a new source": lambda root: write(root / "project/service/lib.rs", ""),
    "a source that went": lambda root: (root / "project/service/main.rs").unlink(),
    "a mode": lambda root: (root / "project/service/main.rs").chmod(0o755),
    "our own code": lambda root: write(root / "project/helper.py", "said = 2\n"),
    "a program of the host": lambda root: (root / "bin/gcc").unlink(),
    "what was absent": lambda root: write(root / "absent", ""),
    "a stored file": lambda root: write(root / "cache/store/a/tree/demo", "Program"),
    "a file among the stored": lambda root: write(root / "cache/store/a/tree/more", ""),
    "a stored file that went": lambda root: (root / "cache/store/a/tree/demo").unlink(),
    "what a link leads to": lambda root: write(root / "data", ""),
    "where a link to a folder leads": lambda root: lead(root / "project/linked", root / "other"),
    "another entry": lambda root: (root / "cache/store/b").mkdir(),
    "an entry's own record": lambda root: write(root / "cache/store/a/stage.json", ""),
    "an artefact": lambda root: write(root / "project/dist/armv6/demo", "Program"),
    "the list of artefacts": lambda root: write(root / "project/dist/manifest.json", "another"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(settled: Place, what: str) -> None:
    assert settled.is_known()
    CHANGES[what](settled.root)
    assert not settled.is_known()


def test_a_checkout_in_memory_is_looked_at_too() -> None:
    """Below /dev lie files of the kernel, and people's: /dev/shm."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        place = settle(Path(folder) / "place")
        assert place.is_known()
        CHANGES["a source"](place.root)
        assert not place.is_known()


def test_a_clean_up_is_not_disturbed(settled: Place) -> None:
    with (settled.root / "cache" / "locks" / "in-use").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not settled.is_known()
    assert settled.is_known()


@pytest.mark.parametrize("change", [{"MUSLIN_JOBS": "1"}, {"CARGO_HOME": "/x"}, {"HOME": "/x"}])
def test_the_environment_counts(settled: Place, change: dict[str, str]) -> None:
    assert settled.is_known()
    assert settled.run(**change) == "looked\n"


def test_equal_size_and_time_hide_nothing(settled: Place) -> None:
    source = settled.root / "project" / "service" / "main.rs"
    before = source.stat()
    source.write_text("fn main() ()\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.stat().st_size == before.st_size
    assert not settled.is_known()


@pytest.mark.parametrize("when", ["late", "early"])
def test_what_changes_during_a_run_is_not_believed(settled: Place, when: str) -> None:
    """`early` is before this session and after the process began: another session was before."""
    write(settled.root / "project" / when, "")
    assert [settled.run("armv6") for _ in range(3)] == ["looked\n"] * 3
    (settled.root / "project" / when).unlink()
    time.sleep(2 * TICK / 1e9)
    assert settled.run("armv6") == "looked\n"
    assert settled.run("armv6") != "looked\n"


@pytest.mark.parametrize("what", ["run", "name"])
def test_what_a_process_or_a_server_said_is_not_known(settled: Place, what: str) -> None:
    write(settled.root / "project" / what, "")
    assert [settled.run("armv6") for _ in range(3)] == ["looked\n"] * 3


def test_a_run_that_brings_nothing_is_known(settled: Place) -> None:
    assert settled.run("toolchain") == "looked\n"
    assert "nothing to do" in settled.run("toolchain")
    shutil.rmtree(settled.root / "project" / "dist")
    assert "nothing to do" in settled.run("toolchain")
    assert not (settled.root / "project" / "dist").exists()


def test_who_fills_dist_is_not_disturbed(settled: Place) -> None:
    name = lock_name(settled.root / "project" / "dist")
    with (settled.root / "cache" / "locks" / f"{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not settled.is_known()
    assert settled.is_known()


def test_a_full_disk_only_costs_the_next_look(settled: Place) -> None:
    (record,) = (settled.root / "cache" / "unchanged").iterdir()
    record.unlink()
    record.parent.rmdir()
    write(record.parent, "no folder")
    assert settled.run() == settled.run() == "looked\n"


def test_what_dist_lacks_is_put_back(settled: Place) -> None:
    dist = settled.root / "project" / "dist"
    before = {path: path.read_text() for path in dist.rglob("*") if path.is_file()}
    shutil.rmtree(dist)
    assert "build-all: 1 files put back into dist/" in settled.run()
    assert {path: path.read_text() for path in dist.rglob("*") if path.is_file()} == before
    assert (dist / "armv6" / "demo").stat().st_mode & 0o777 == 0o644
    (dist / "armv6" / "demo").unlink()
    assert "1 files put back" in settled.run()
    assert "nothing to do" in settled.run()


def test_a_list_of_more_than_this_run_brought_is_not_written_anew(settled: Place) -> None:
    write(settled.root / "others", "")
    (settled.root / "project" / "helper.py").touch()  # so that it is looked at once more
    time.sleep(2 * TICK / 1e9)
    assert not settled.is_known()
    assert settled.is_known()
    shutil.rmtree(settled.root / "project" / "dist")
    assert not settled.is_known()


def test_spoilt_content_is_not_put_back(settled: Place) -> None:
    stored = settled.root / "cache" / "store" / "a" / "manifest.json"
    stored.write_text(
        stored.read_text().replace(
            file_digest(settled.root / "cache" / "store" / "a" / "tree" / "demo"), "0" * 64
        )
    )
    time.sleep(2 * TICK / 1e9)
    assert not settled.is_known()
    artefact = settled.root / "project" / "dist" / "armv6" / "demo"
    artefact.unlink()
    assert not settled.is_known()
    assert not artefact.exists()


def test_functions_of_os_take_what_they_took(settled: Place) -> None:
    text = (
        "import os, shutil; from recipes.engine.watching import Watch; Watch(frozenset()); "
        "shutil.copytree('bin', 'copied'); print(os.stat in os.supports_follow_symlinks)"
    )
    argv = [sys.executable, "-c", text]
    environment = {"PYTHONPATH": str(PROJECT)}
    said = subprocess.run(
        argv, cwd=settled.root, env=environment, check=True, capture_output=True, text=True
    )
    assert said.stdout == "True\n"
    assert (settled.root / "copied" / "gcc").read_text() == "gcc"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"placed": [], "used": [], "facts": 0}'])
def test_a_spoilt_record_only_costs_the_look(settled: Place, text: str) -> None:
    (record,) = (settled.root / "cache" / "unchanged").iterdir()
    known = record.read_text()
    for name in json.loads(known) if text == "[]" else ():
        record.write_text(json.dumps({**json.loads(known), name: []}))
        settled.run()
    record.write_text(text)
    assert not settled.is_known()
    assert settled.is_known()


def test_it_imports_nothing_that_takes_time() -> None:
    text = "import sys, nox; before = set(sys.modules); import recipes.unchanged; "
    text += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    argv = [sys.executable, "-c", text]
    said = subprocess.run(argv, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    assert set(said.split()) <= {"recipes", "platformdirs", "concurrent", "queue", "_queue"} | {
        "heapq",
        "_heapq",
        "configparser",  # by platformdirs 4.3
    }
