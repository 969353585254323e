"""Rust: std for each target, and the crates of lock files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from muslin.engine.stage import Stage
from muslin.graph.host_tools import HostTools
from muslin.graph.memoised import Memory, memoised
from muslin.graph.toolchains import Toolchains
from muslin.models import cargo_manifest, cargo_workspaces
from muslin.models.pins import Pins
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import host_programs, name_checks
from recipes.rust import crates, std

OF_STD = "std"
"""What the crates of Rust's std are called among those of projects."""


@dataclass(frozen=True, kw_only=True)
class Rust(Memory):
    """The stages of Rust."""

    tools: HostTools
    toolchains: Toolchains
    pins: Pins
    services: Mapping[str, Service]

    @memoised
    def std(self, target: Target) -> Stage:
        """std for the target's processor."""
        return std.stage(
            target,
            rust=self.tools.rust(),
            toolchain=self.toolchains.toolchain(target),
            crates=self._crates_of_std(),
            judges=(("qemu", self.tools.qemu()), ("known", self.known(target))),
            host_triple=self.tools.host_triple,
        )

    @memoised
    def known(self, target: Target) -> Stage:
        """Check that rustc has the target."""
        return name_checks.rustc(target, rust=self.tools.rust())

    @memoised
    def _crates_of_std(self) -> Stage | None:
        if host_programs.has_crates_of_std(self.pins.group("rust")):
            return None
        return crates.of_std(rust=self.tools.rust())

    @memoised
    def crates(self, root: Path) -> Stage:
        """The crates of the lock file in a folder."""
        name = root.name if self._lock_folders.count(root.name) == 1 else _distinct(root)
        workspace = cargo_workspaces.whole(root)
        return crates.stage(name, workspace=workspace, rust=self.tools.rust())

    def all_crates(self) -> list[Stage]:
        """The crates of every cargo service, and of std where they do not come with it."""
        roots = {
            cargo_workspaces.root_of(service)
            for service in self.services.values()
            if service.build == "cargo"
        }
        of_std = self._crates_of_std() if roots else None
        return [*(self.crates(root) for root in sorted(roots)), *([of_std] if of_std else ())]

    @cached_property
    def _lock_folders(self) -> list[str]:
        """The names of the folders with locks, and that of std's crates."""
        roots = [service.root for service in self.services.values() if service.build == "cargo"]
        found = {cargo_manifest.locked(root) for root in roots}
        return [OF_STD, *(root.name for root in found if root is not None)]


def _distinct(root: Path) -> str:
    """A name for a project's folder that no other folder has."""
    return f"{root.name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"
