"""The audit as a verification has it: its own files and no others of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from muslin.models import source_trees
from recipes import verify
from tests.archive import PROJECT


def test_the_files_of_a_verification_are_enough(tmp_path: Path) -> None:
    for file in source_trees.tree(PROJECT, verify.CODE).files:
        to = tmp_path / file.path
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / file.path, to)
    done = subprocess.run(
        [sys.executable, "-c", "import muslin.audit.__main__ as it; print(it.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
