"""Wheels, fetched by pip, whose own configuration says which index has them and how to reach it.

pip chooses no version and trusts no index here: it is given one file's version and platform, and
the fetcher compares what arrives with the pin.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from muslin.engine.fetch import errors
from muslin.engine.process import errors as process_errors
from muslin.engine.process.runner import Runner
from muslin.engine.source import Source, Wheel

NAME = re.compile(
    r"[^-]+-[^-]+(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl"
)
"""<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>"""
PROGRAMS = ("pip3", "pip")
"""Where this Python has no pip of its own."""


class Pip:
    """The user's pip."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def download(self, wheel: Wheel, source: Source, part: Path) -> None:
        """Fetch a wheel to `part`, in one piece.

        Raises `NoPip`, and `PipFailed` with what pip says, if it gave no file of the pinned name.
        """
        with tempfile.TemporaryDirectory(dir=part.parent, prefix=".pip-") as folder:
            place, log = Path(folder, "wheels"), Path(folder, "log")
            place.mkdir()
            argv = (*_program(), *_words(wheel, source.name), f"--dest={place}")
            try:
                # The user's own environment: it holds pip's settings, and proxies.
                self._runner.run(argv, what="pip", cwd=place, env=dict(os.environ), log=log)
            except process_errors.CommandFailed as error:
                raise errors.PipFailed(source.name, error.tail) from error
            got = place / source.name
            if not got.is_file():
                there = sorted(path.name for path in place.iterdir())
                raise errors.PipFailed(source.name, [f"it fetched {', '.join(there) or 'no file'}"])
            got.replace(part)


def _program() -> Sequence[str]:
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    for name in PROGRAMS:
        if found := shutil.which(name):
            return (found,)
    raise errors.NoPip


def _words(wheel: Wheel, name: str) -> Sequence[str]:
    match = NAME.fullmatch(name)
    assert match is not None, name
    return (
        *("download", "--no-deps", "--no-input", "--only-binary=:all:"),
        f"--platform={match['platform'].partition('.')[0]}",
        *(f"--abi={match['abi']}", f"--implementation={match['python'][:2]}"),
        *("--progress-bar=off", "--disable-pip-version-check", wheel.requirement),
    )
