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

from muslin.cli.up_to_date import TICK

PROJECT = Path(__file__).resolve().parents[3]

RUN = """\
import sys
from pathlib import Path
from muslin.engine import inputs
from muslin import installation
from muslin.cli.up_to_date import Found, Unchanged

place = Path(sys.argv[1])
project, cache = place / "project", place / "cache"
installation.ROOT = project  # in the real one other tests are at work
known = Unchanged(project, "build-all", sys.argv[2:])
if known.repeated():
    raise SystemExit
if (project / "early").exists():
    (project / "service" / "main.rs").write_text("fn main() {}")
import helper  # the project's own code

for folder in [inputs.file(one).resolve() for one in inputs.matches(project, "s*/*")]:
    inputs.file(folder / "service.toml").exists()
for path in inputs.folder(project / "service").iterdir():
    if inputs.file(path).is_file():
        path.read_text()
if (project / "late").exists():
    (project / "service" / "main.rs").write_text("fn main() {}")
inputs.program("gcc", f"{place / 'first'}:{place / 'bin'}")
inputs.file(place / "absent").exists()
names = "armv6/demo", "manifest.json", "SHA256SUMS"
known.keep(
    Found(
        lines=["found all"],
        entries=[cache / "store" / "a"],
        asked=[cache / "store" / "b"],
        brought=[] if "toolchain" in sys.argv else [project / "dist" / name for name in names],
    ),
)
print("looked")
"""
"""What a run does that finds everything: it says of all that it reads that it does."""


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
    (root / "code" / "muslin").symlink_to(PROJECT / "muslin")
    write(root / "project" / "helper.py", "said = 1\n")
    write(root / "project" / "pyproject.toml", "")
    write(root / "project" / "recipes" / "pins" / "debian.toml", "")
    write(root / "project" / "service" / "main.rs", "fn main() {}\n")
    (root / "project" / "service" / "data").symlink_to(root / "data")  # which is not there
    for name in ("one", "other"):
        write(root / name / "service.toml", "")
    (root / "project" / "services").mkdir()
    (root / "project" / "services" / "linked").symlink_to(root / "one")
    write(root / "project" / "services" / "none" / "README", "")
    write(root / "bin" / "gcc", "gcc")
    (root / "bin" / "gcc").chmod(0o755)
    write(root / "cache" / "locks" / "in-use", "")
    entry = root / "cache" / "store" / "a"
    write(entry / "tree" / "demo", "program")
    write(entry / "stage.json", "{}")
    write(entry / "manifest.json", "{}")
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


def hide(path: Path, text: str) -> None:
    """Give a file another content of the same length, with its time put back."""
    before = path.stat()
    write(path, text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": lambda root: write(root / "project/service/main.rs", "fn main() { }\n"),
    "a source of the same size and time": lambda root: hide(
        root / "project/service/main.rs", "fn main() ()\n"
    ),
    "a new source": lambda root: write(root / "project/service/lib.rs", ""),
    "a source that went": lambda root: (root / "project/service/main.rs").unlink(),
    "a mode": lambda root: (root / "project/service/main.rs").chmod(0o755),
    "our own code": lambda root: write(root / "project/helper.py", "said = 2\n"),
    "a pin": lambda root: write(root / "project/recipes/pins/debian.toml", "[pins]"),
    "a new recipe": lambda root: write(root / "project/recipes/libraries/new.py", ""),
    "a first target": lambda root: write(root / "project/toolchains/new.toml", ""),
    "settings": lambda root: write(root / "project/pyproject.toml", "[tool]"),
    "a program of the host": lambda root: (root / "bin/gcc").unlink(),
    "a program before that one": lambda root: write(root / "first/gcc", ""),
    "what was absent": lambda root: write(root / "absent", ""),
    "a stored file": lambda root: write(root / "cache/store/a/tree/demo", "Program"),
    "a stored file of the same size and time": lambda root: hide(
        root / "cache/store/a/tree/demo", "Program"
    ),
    "a file among the stored": lambda root: write(root / "cache/store/a/tree/more", ""),
    "a stored file that went": lambda root: (root / "cache/store/a/tree/demo").unlink(),
    "what a link leads to": lambda root: write(root / "data", ""),
    "where a link to a service leads": lambda root: lead(
        root / "project/services/linked", root / "other"
    ),
    "a service in a folder that was none": lambda root: write(
        root / "project/services/none/service.toml", ""
    ),
    "a service in a new folder": lambda root: write(root / "project/services/new/service.toml", ""),
    "a service in a folder beside": lambda root: write(root / "project/some/x/service.toml", ""),
    "another entry": lambda root: (root / "cache/store/b").mkdir(),
    "an entry's own record": lambda root: write(root / "cache/store/a/stage.json", ""),
    "an artefact": lambda root: write(root / "project/dist/armv6/demo", "another"),
    "an artefact of the same size and time": lambda root: hide(
        root / "project/dist/armv6/demo", "Program"
    ),
    "an artefact that went": lambda root: (root / "project/dist/armv6/demo").unlink(),
    "the list of artefacts": lambda root: write(root / "project/dist/manifest.json", "another"),
    "the list of sums": lambda root: (root / "project/dist/SHA256SUMS").unlink(),
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


@pytest.mark.parametrize("when", ["late", "early"])
def test_what_changes_during_a_run_is_not_believed(settled: Place, when: str) -> None:
    """`early` is before this session and after the process began: another session was before."""
    write(settled.root / "project" / when, "")
    assert [settled.run("armv6") for _ in range(3)] == ["looked\n"] * 3
    (settled.root / "project" / when).unlink()
    time.sleep(2 * TICK / 1e9)
    assert settled.run("armv6") == "looked\n"
    assert settled.run("armv6") != "looked\n"


def test_a_run_that_brings_nothing_is_known(settled: Place) -> None:
    assert settled.run("toolchain") == "looked\n"
    assert "nothing to do" in settled.run("toolchain")
    shutil.rmtree(settled.root / "project" / "dist")
    assert "nothing to do" in settled.run("toolchain")
    assert not (settled.root / "project" / "dist").exists()


def test_a_full_disk_only_costs_the_next_look(settled: Place) -> None:
    (record,) = (settled.root / "cache" / "unchanged").iterdir()
    record.unlink()
    record.parent.rmdir()
    write(record.parent, "no folder")
    assert settled.run() == settled.run() == "looked\n"


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"noted": [], "used": [], "facts": 0}', "[" * 5000]
)
def test_a_spoilt_record_only_costs_the_look(settled: Place, text: str) -> None:
    (record,) = (settled.root / "cache" / "unchanged").iterdir()
    known = record.read_text()
    for name in json.loads(known) if text == "[]" else ():
        record.write_text(json.dumps({**json.loads(known), name: []}))
        settled.run()
    record.write_text(text)
    assert not settled.is_known()
    assert settled.is_known()


@pytest.mark.parametrize("place", ["record", "lock"])
def test_a_pipe_in_a_files_place_is_not_waited_for(settled: Place, place: str) -> None:
    (record,) = (settled.root / "cache" / "unchanged").iterdir()
    path = record if place == "record" else settled.root / "cache" / "locks" / "in-use"
    path.unlink()
    os.mkfifo(path)
    said = settled.run()
    assert ("nothing to do" in said) == (place == "lock")


def test_it_imports_nothing_that_takes_time() -> None:
    text = "import sys, nox; before = set(sys.modules); import muslin.cli.up_to_date; "
    text += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    argv = [sys.executable, "-c", text]
    said = subprocess.run(argv, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    # configparser by platformdirs 4.3
    assert set(said.split()) <= {"configparser", "glob", "muslin", "platformdirs"}
