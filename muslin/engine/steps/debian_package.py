"""Write a Debian package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.formats import deb
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class DebianPackage(Step):
    """Write a `.deb` of what a folder holds; size and MD5 sums are added to what is said of it."""

    revision: ClassVar[int] = 1
    path: str
    root: str
    """Folder of the files, as they are installed."""
    fields: tuple[tuple[str, str], ...]
    """Of the control file, in their order; empty ones are left out."""
    scripts: tuple[tuple[str, str], ...] = ()
    """Maintainer scripts, by their names."""
    conffiles: tuple[str, ...] = ()
    """Paths of files that belong to the administrator."""
    time: int
    """Of every file, in seconds since 1970."""

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        deb.write(
            path,
            root=sandbox.path(self.root),
            fields=dict(self.fields),
            scripts=dict(self.scripts),
            conffiles=self.conffiles,
            time=self.time,
        )
