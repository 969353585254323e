"""Copy a file or the content of a folder."""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import patterns, walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Copy(Step):
    """Copy a file, or what a folder holds, to a path; the copy is writable. Existing files stay
    an error for single files and are merged for folders."""

    revision: ClassVar[int] = 1
    source: str
    to: str
    omit: tuple[str, ...] = ()
    """Glob patterns, relative to the source, that stay behind."""
    follow: bool = False
    """Copy what symbolic links point to instead of the links."""

    def perform(self, sandbox: Sandbox) -> None:
        source, to = sandbox.path(self.source), sandbox.path(self.to)
        if source.is_dir():
            self._merge(source, to, sandbox)
        elif not source.exists():
            raise errors.StepFailed(sandbox.stage, "copy", f"there is no {source}", sandbox.log)
        elif to.exists():
            raise errors.StepFailed(sandbox.stage, "copy", f"{to} is there already", sandbox.log)
        else:
            sandbox.insist_own(to.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            copy_file(str(source), str(to))

    def _merge(self, source: Path, to: Path, sandbox: Sandbox) -> None:
        walk.insist(source, follow=self.follow)

        def omitted(folder: str, names: list[str]) -> set[str]:
            here = Path(folder).relative_to(source)
            sandbox.insist_own(to / here)
            left = {name for name in names if patterns.matches_text(str(here / name), self.omit)}
            for name in set(names) - left:  # merging: copytree replaces files, but no links
                if Path(folder, name).is_symlink() and (to / here / name).is_symlink():
                    (to / here / name).unlink()
            return left

        first: list[OSError] = []

        def copied(path: str, target: str) -> None:
            try:
                copy_file(path, target)
            except OSError as error:
                first.append(error)
                raise

        try:
            shutil.copytree(
                source,
                to,
                symlinks=not self.follow,
                dirs_exist_ok=True,
                copy_function=copied,
                ignore=omitted,
            )
        except shutil.Error:  # a list of texts, without what the system said
            if first:
                raise first[0] from None
            raise
        _make_writable(to)
        for entry in walk.entries(to):
            if entry.is_dir(follow_symlinks=False):
                _make_writable(Path(entry.path))


def copy_file(source: str, to: str) -> None:
    """Copy a file in the place of a file or link; the copy is writable."""
    walk.insist_file(Path(source))
    there = Path(to)
    if there.is_symlink():  # merging: what comes later wins
        there.unlink()
    elif there.exists():
        walk.insist_file(there)
    shutil.copy2(source, to)
    _make_writable(Path(to))


def _make_writable(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)
