"""Unpack a zip archive."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.filesystem.walk import MOST
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Unzip(Step):
    """Unpack files of a zip archive such as a wheel; refuses names that lead outside. Of a member's
    metadata nothing is kept; `programs` become executable."""

    revision: ClassVar[int] = 1
    archive: str
    into: str = "${out}"
    only: tuple[str, ...]
    """Path prefixes to take; each must have a member."""
    strip: int = 0
    """Leading path components to drop."""
    programs: tuple[str, ...] = ()
    """Paths of programs, after `strip`."""

    def perform(self, sandbox: Sandbox) -> None:
        archive, into = sandbox.path(self.archive), sandbox.own(self.into)
        try:
            with zipfile.ZipFile(archive) as opened:
                self._take(opened, archive, into, sandbox)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise errors.BrokenArchive(archive, str(error)) from error
        for name in self.programs:
            program = into / name
            walk.insist_file(program)
            program.chmod(0o755)

    def _take(self, opened: zipfile.ZipFile, archive: Path, into: Path, sandbox: Sandbox) -> None:
        missing, total = set(self.only), 0
        for member in opened.infolist():
            sandbox.runner.raise_if_stopping(sandbox.stage)
            below = [one for one in self.only if f"{member.filename}/".startswith(f"{one}/")]
            if not below or member.is_dir():
                continue
            missing.difference_update(below)
            total += member.file_size
            if total > MOST:
                raise errors.BrokenArchive(archive, f"its files have more than {MOST} bytes")
            path = into / self._inside(archive, member.filename)
            sandbox.insist_own(path.parent)
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, path.open("xb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            path.chmod(0o644)
        if missing:
            names = ", ".join(sorted(missing))
            raise errors.BrokenArchive(archive, f"it holds nothing below {names}")

    def _inside(self, archive: Path, name: str) -> str:
        """The path below `into`."""
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\\" in name:
            raise errors.UnsafeArchive(archive, name, "has a path that leads outside")
        return "/".join(parts[self.strip :])
