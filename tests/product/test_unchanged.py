"""`nox -s build-all` again and again, as a person calls it, in a checkout of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from muslin.cli.up_to_date import Unchanged
from muslin.engine.filesystem.content import file_digest
from tests.product.conftest import PROJECT, Product

LEFT = shutil.ignore_patterns(".git", ".nox", "target", "__pycache__", ".*_cache")

HEARD = """\
import atexit, json, os, runpy, sys

heard = set()


def hear(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        if arguments[2] & os.O_ACCMODE == os.O_RDONLY:
            heard.add(os.path.abspath(arguments[0]))
    elif event in ("os.listdir", "os.scandir"):
        heard.add(os.path.abspath(arguments[0] or ".") + "/")


sys.addaudithook(hear)
file = sys.argv.pop(1)
atexit.register(lambda: open(file, "w").write(json.dumps(sorted(heard))))
runpy.run_module("nox", run_name="__main__", alter_sys=True)
"""
"""Nox, and what it opens to read and lists, into a file."""
OF_PYTHON = (".pyc", ".dist-info/", ".dist-info/METADATA", ".pth", "/pyvenv.cfg")
"""How files end that Python itself and its libraries read, and no run asks."""
OF_THE_CACHE = ("history", "locks", "runs", "store", "unchanged")
"""Of the store a run with nothing to do is led to entries, which are noted with all that they hold;
the rest says when something was built, and is in no answer."""

BUILT = r"hello-c-\S+ +built"


def ask(checkout: Path, *words: str) -> str:
    """What a session says."""
    argv = [sys.executable, "-m", "nox", "-s", *words]
    done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Without whatever was built in the one that the tests are of."""

    def left(folder: str, names: list[str]) -> set[str]:
        built = {"dist"} if Path(folder) == PROJECT else set[str]()  # muslin/dist is code
        return {*LEFT(folder, names)} | built

    shutil.copytree(PROJECT, tmp_path / "checkout", ignore=left)
    return tmp_path / "checkout"


def test_nothing_to_do_is_known_and_a_change_noticed(product: Product, checkout: Path) -> None:
    def run() -> str:
        return ask(checkout, "build-all", "--", product.target.name, "--service", "hello-c")

    def shipped() -> dict[Path, str]:
        return {path: file_digest(path) for path in checkout.glob("dist/**/*") if path.is_file()}

    assert "package: done" in run()
    assert "package: done" in run()  # what has just changed may change once more at the same time
    assert "build-all: nothing to do" in run()
    before = shipped()
    shutil.rmtree(checkout / "dist")
    assert "package: done" in run()
    assert shipped() == before
    assert "package: done" in run()
    assert "build-all: nothing to do" in run()

    source = checkout / "services" / "hello-c" / "src" / "main.c"
    text = source.read_text()
    source.write_text(f"{text}/* {uuid4()}: the cache has no program of it */\n")
    assert re.search(BUILT, run())
    source.write_text(text)
    assert not re.search(BUILT, said := run())
    assert "package: done" in said


def test_a_link_of_the_sdk_is_made_again(product: Product, checkout: Path) -> None:
    """The links are not among what a run remembers, so each run looks at them."""
    name = product.target.name
    ask(checkout, "sdk", "--", name)
    link = checkout / "dist" / "toolchains" / name
    assert link.is_symlink()
    link.unlink()
    assert "nothing to do" not in ask(checkout, "sdk", "--", name)
    assert (link / "env.sh").is_file()


def test_all_that_a_run_reads_is_noted(product: Product, checkout: Path, tmp_path: Path) -> None:
    """A stale answer begins with something that was read and not noted."""
    words = ("build-all", "--", product.target.name, "--service", "hello-c")
    ask(checkout, *words)
    cache = product.pipeline.context.settings.cache
    known = Unchanged(checkout, words[0], words[2:])
    known.path.unlink(missing_ok=True)
    script = [sys.executable, "-c", HEARD, str(tmp_path / "heard"), "-s", *words]
    subprocess.run(script, cwd=checkout, capture_output=True, check=True)
    heard = set(json.loads((tmp_path / "heard").read_text()))
    noted = json.loads(known.path.read_text())["noted"]
    folders = {f"{path}/" for path in noted["folders"]}
    folders |= {f"{Path(root, one).parent}/" for root, one, _ in noted["patterns"]}
    own = tuple(f"{cache}/{name}/" for name in OF_THE_CACHE)
    # Listed to see whether they are a cache, to sweep it, and by Python that looks for modules.
    own_folders = {f"{cache}/", f"{cache}/work/", f"{cache}/scratch/", f"{checkout}/"}
    own_folders |= {f"{checkout}/<unknown>"}  # a line of code for a traceback
    python = tuple(str(Path(one).resolve()) for one in {sys.prefix, sys.base_prefix, *sys.path[1:]})
    missing = {
        path
        for path in heard - set(noted["files"]) - folders
        if not path.endswith(OF_PYTHON)
        and path not in own_folders
        and not path.startswith((*own, *python, "/proc/", "/sys/", "/dev/"))
    }
    assert not missing, sorted(missing)
