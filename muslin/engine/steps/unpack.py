"""Unpack an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.formats import unpack
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Unpack(Step):
    """Unpack a tar or Debian package; refuses members that lead outside."""

    revision: ClassVar[int] = 1
    archive: str
    into: str = "${work}"
    only: tuple[str, ...] = ()
    """Path prefixes to take; none means everything."""
    omit: tuple[str, ...] = ()
    """Paths that stay behind with all below them; `*` stands for any one name or part of it."""
    strip: int = 0
    """Leading path components to drop."""
    system: bool = False
    """Whether `into` becomes the root of a system: absolute links lead to what is below it, and
    `bin`, `lib`, `lib64` and `sbin` go into its `usr`."""

    def perform(self, sandbox: Sandbox) -> None:
        source = sandbox.path(self.archive)
        if not source.is_file():
            raise errors.StepFailed(sandbox.stage, "unpack", f"there is no {source}", sandbox.log)
        count = unpack.unpack(
            source,
            sandbox.own(self.into),
            only=self.only,
            omit=self.omit,
            strip=self.strip,
            system=self.system,
            before_each=lambda: sandbox.runner.raise_if_stopping(sandbox.stage),
        )
        if count == 0:
            only = ", ".join(self.only)
            why = f"{source.name} holds nothing below {only or 'its root'}"
            raise errors.StepFailed(sandbox.stage, "unpack", why, sandbox.log)
