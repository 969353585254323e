"""`nox -s build-all` again and again, as a person calls it, in a checkout of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from recipes.engine.manifest import file_digest
from tests.product.conftest import PROJECT, Product

LEFT = shutil.ignore_patterns(".git", ".nox", "dist", "target", "__pycache__", ".*_cache")

BUILT = r"hello-c-\S+ +built"


def test_nothing_to_do_is_known_and_a_change_noticed(product: Product, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(PROJECT, checkout, ignore=LEFT)
    words = ("build-all", "--", product.target.name, "--service", "hello-c")

    def run() -> str:
        argv = [sys.executable, "-m", "nox", "-s", *words]
        done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

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
