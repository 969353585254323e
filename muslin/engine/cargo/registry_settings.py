"""Write a cargo configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.cargo import config
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class RegistrySettings(Step):
    """Write a cargo configuration with what this machine's own says about registries, sources,
    HTTP and the network, and nothing else. Checksums in the lock keep it from changing crates."""

    revision: ClassVar[int] = 1
    path: str
    tables: tuple[str, ...] = ()
    """Take these tables alone, and no credentials."""

    def perform(self, sandbox: Sandbox) -> None:
        config.write_registry_settings(sandbox.own(self.path), self.tables)
