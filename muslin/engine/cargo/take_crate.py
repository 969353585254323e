"""Unpack the archive of a published crate that cargo downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.cargo import config
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import unpack
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class TakeCrate(Step):
    """Unpack the archive of one crate out of a cargo home, or out of the local registry that takes
    the registry's place.

    Raises `StepFailed` if there is no archive, or another one than the index says.
    """

    revision: ClassVar[int] = 1
    home: str
    name: str
    version: str
    sha256: str
    """What the registry's index says of the archive."""
    into: str

    def perform(self, sandbox: Sandbox) -> None:
        archive = next(self._archives(sandbox), None)
        if archive is None:
            why = (
                f"cargo keeps no archive of {self.name} {self.version}: a directory takes the "
                "registry's place in this machine's cargo configuration. A program is built from "
                "a registry or a local registry"
            )
            raise errors.StepFailed(sandbox.stage, "take", why, sandbox.log)
        if (digest := file_digest(archive)) != self.sha256:
            why = f"{archive.name} has SHA-256 {digest}, the registry's index says {self.sha256}"
            raise errors.StepFailed(sandbox.stage, "take", why, sandbox.log)
        unpack.unpack(archive, sandbox.own(self.into), strip=1)

    def _archives(self, sandbox: Sandbox) -> Iterator[Path]:
        name = f"{self.name}-{self.version}.crate"
        yield from sorted(sandbox.path(self.home).glob(f"registry/cache/*/{name}"))
        yield from (one / name for one in config.local_registries() if (one / name).is_file())
