"""Copy one installed program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.filesystem.content import file_digest
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Step
from muslin.engine.steps.copy import copy_file

SHOWN = 8
"""Installed files that are named where the wanted one is missing."""


@dataclass(frozen=True, kw_only=True)
class Pick(Step):
    """Copy the program of a name from wherever an installation has put it below a folder; a link of
    that name counts where there is no such file, and leads to a file of the stage's own."""

    revision: ClassVar[int] = 1
    root: str
    name: str
    to: str
    hint: str = field(default="", metadata=UNKEYED)
    """What a person can do where it is not there."""

    def perform(self, sandbox: Sandbox) -> None:
        root = sandbox.path(self.root)
        there = sorted(walk.files(root))
        named = [path for path in there if path.name == self.name and os.access(path, os.X_OK)]
        named = named or _linked(root, self.name, sandbox)
        different = {file_digest(path): path for path in reversed(named)}
        if len(different) != 1:
            shown = [f"/{path.relative_to(root)}" for path in (named or there)]
            listing = ", ".join(shown[:SHOWN]) + (", …" if len(shown) > SHOWN else "")
            if named:
                why = f"several different programs are called {self.name}: {listing}"
            else:
                why = f"no program {self.name} was installed, but {listing or 'nothing at all'}"
            raise errors.StepFailed(sandbox.stage, "install", f"{why}. {self.hint}", sandbox.log)
        to = sandbox.own(self.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        copy_file(str(named[0]), str(to))


def _linked(root: Path, name: str, sandbox: Sandbox) -> list[Path]:
    """The programs that links of a name lead to, which were made for the root folder or for the
    stage's own. Raises `StepFailed` where that is none of the stage's files, and `NotAFile` for
    what is neither file, folder nor link."""
    programs = []
    for entry in walk.entries(root):
        if entry.name != name or entry.is_dir(follow_symlinks=False):
            continue
        if not entry.is_symlink():
            walk.insist_file(Path(entry.path))
            continue
        target = os.readlink(entry.path)  # noqa: PTH115  # a Path would keep a second slash
        for meant in (Path(entry.path), root / target.lstrip("/")):
            place = walk.real(meant)
            if place.is_relative_to(sandbox.work) and place.is_file() and os.access(place, os.X_OK):
                programs.append(place)
                break
        else:
            why = f"{entry.path} is a link to {target}, which is no program of this build"
            raise errors.StepFailed(sandbox.stage, "install", why, sandbox.log)
    return programs
