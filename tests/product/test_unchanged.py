"""`nox -s build-all` again and again, as a person calls it, in a checkout of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from recipes.engine.manifest import file_digest
from tests.product.conftest import PROJECT, Product

LEFT = shutil.ignore_patterns(".git", ".nox", "dist", "target", "__pycache__", ".*_cache")

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
    shutil.copytree(PROJECT, tmp_path / "checkout", ignore=LEFT)
    return tmp_path / "checkout"


def test_nothing_to_do_is_known_and_a_change_noticed(product: Product, checkout: Path) -> None:
    def run() -> str:
        return ask(checkout, "build-all", "--", product.target.name, "--service", "hello-c")

    def shipped() -> dict[Path, str]:
        return {path: file_digest(path) for path in checkout.glob("dist/**/*") if path.is_file()}

    assert "package: done" in run()
    assert "build-all: nothing to do" in run()
    before = shipped()
    shutil.rmtree(checkout / "dist")
    assert "files put back into dist/" in run()
    assert shipped() == before

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
