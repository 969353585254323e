"""Unpack a wheel of Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.formats import wheels
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class UnpackWheel(Step):
    """Unpack the modules of a wheel into a folder of modules; its scripts stay behind."""

    revision: ClassVar[int] = 1
    wheel: str
    into: str
    only: tuple[str, ...] = ()
    """Path prefixes to take, each of which must have a file; none means everything."""
    strip: int = 0
    """Leading path components to drop."""

    def perform(self, sandbox: Sandbox) -> None:
        wheel = sandbox.path(self.wheel)
        if not wheel.is_file():
            raise errors.StepFailed(sandbox.stage, "unpack", f"there is no {wheel}", sandbox.log)
        wheels.unpack(
            wheel,
            sandbox.own(self.into),
            only=self.only,
            strip=self.strip,
            before_each=lambda: sandbox.runner.raise_if_stopping(sandbox.stage),
        )
