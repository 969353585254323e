"""Tests on a copy of the repository that something was put wrong in.

A fault may make the code remove what it should not, or signal whom it should not. So the tests of a
trial can write below the trial's own folder alone (Landlock), have a home of their own, and see no
processes but theirs, all of which end with them (a PID namespace).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from muslin.engine.process import landlock

if TYPE_CHECKING:
    from mutants.faults import Fault

Outcome = Literal["passed", "failed", "ran on"]
WRITABLE = ("/proc", "/var/tmp")  # noqa: S108  # tests ask for it, for what everybody may enter
NOT_COPIED = (".git", ".nox", ".*cache", "__pycache__", "target")
SLACK, LEAST = 3.0, 30.0
"""How much longer tests may take with a fault than without, and seconds that are added."""
SHELL = ("sh", "-c", '"$@"; exit $?', "sh")
"""The first process of a namespace, which takes in those whose parents ended."""
ALONE = ("--pid", "--fork", "--kill-child", "--mount-proc")
WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Words that end a command with the process that started it, however that ends."""


class Unusable(Exception):
    """Why nothing can be tried, in words."""


@dataclass(kw_only=True)
class Trial:
    """A copy of the repository, and the folder that it lies in."""

    project: Path
    folder: Path
    processes: int = 0
    """That tests run in, side by side; 0 for this one alone."""
    _seconds: dict[tuple[str, ...], float] = field(default_factory=dict)
    """What tests take without a fault."""

    @property
    def root(self) -> Path:
        """The copy."""
        return self.folder / "repository"

    def lay_out(self) -> None:
        """Copy the repository, less what was built there."""
        left = shutil.ignore_patterns(*NOT_COPIED)
        shutil.copytree(self.project, self.root, symlinks=True, ignore=left)
        shutil.rmtree(self.root / "dist", ignore_errors=True)  # what was built
        for name in ("home", "tmp"):
            (self.folder / name).mkdir()

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """The copy has the fault."""
        path = self.root / fault.module
        whole = path.read_text(encoding="utf-8")
        path.write_text(fault.text, encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(whole, encoding="utf-8")

    def insist_on_passing(self, tests: Sequence[str]) -> None:
        """Run tests without a fault, once; raises `Unusable` where they fail."""
        key = tuple(tests)
        if not tests or key in self._seconds:
            return
        began = time.monotonic()
        outcome, said = self._run(tests, None)
        if outcome != "passed":
            raise Unusable(f"tests fail where nothing is wrong:\n{said}")
        self._seconds[key] = time.monotonic() - began

    def outcome(self, tests: Sequence[str]) -> Outcome:
        """What became of tests that pass without a fault."""
        if not tests:
            return "passed"
        outcome, _ = self._run(tests, SLACK * self._seconds[tuple(tests)] + LEAST)
        return outcome

    def _run(self, tests: Sequence[str], seconds: float | None) -> tuple[Outcome, str]:
        many = ("--numprocesses", str(self.processes), "--dist=loadfile") if self.processes else ()
        pytest = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *many)
        writable = (str(self.folder), *WRITABLE)
        confined = landlock.command(writable, (*pytest, *tests))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            # One fault may come so soon after the other that their files are of one age.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with subprocess.Popen(
            (*WITH_US, *unshare(), *SHELL, *confined),
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return "ran on", ""
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return ("failed" if process.returncode else "passed"), said


def unshare() -> tuple[str, ...]:
    """The words that put a command into a PID namespace; in one for users where it is not root."""
    user = () if os.geteuid() == 0 else ("--user", "--map-current-user")
    return ("unshare", *user, *ALONE)


def insist_on_walls() -> None:
    """Raise `Unusable` where trials cannot be kept to themselves."""
    if landlock.abi() < landlock.LEAST_ABI:
        raise Unusable("this kernel has no Landlock, which keeps faults from others' files")
    try:
        subprocess.run((*WITH_US, *unshare(), "true"), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise Unusable(
            "no PID namespace can be made, which keeps faults from others' processes: "
            "run it as root, or allow user namespaces"
        ) from None
