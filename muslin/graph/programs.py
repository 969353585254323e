"""Services: their programs, images and starts on emulated boards."""

from __future__ import annotations

from dataclasses import dataclass, replace

from muslin.engine.source import Tree
from muslin.engine.stage import Stage
from muslin.graph import libraries
from muslin.graph.c_libraries import CLibraries
from muslin.graph.host_tools import HostTools
from muslin.graph.memoised import Memory, memoised
from muslin.graph.rust import Rust
from muslin.models import cargo_workspaces, source_trees
from muslin.models.cargo_workspaces import Workspace
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.cross import Kit
from recipes.programs import cargo, cmake, make


@dataclass(frozen=True, kw_only=True)
class Programs(Memory):
    """The stages that build services."""

    tools: HostTools
    libraries: CLibraries
    rust: Rust

    @memoised
    def program(self, service: Service, target: Target) -> Stage:
        """A service's program."""
        match service.build:
            case "cargo":
                return self._cargo(service, target)
            case "make":
                return make.stage(
                    service,
                    target,
                    source=self._project(service),
                    kit=self._kit(service, target),
                    qemu=self.tools.qemu(),
                )
            case "cmake":
                return cmake.stage(
                    service,
                    target,
                    source=self._project(service),
                    kit=self._kit(service, target, "cmake"),
                    qemu=self.tools.qemu(),
                )

    def _cargo(self, service: Service, target: Target) -> Stage:
        workspace = self._workspace(service)
        return cargo.stage(
            service,
            target,
            workspace=workspace,
            crates=self.rust.crates(workspace.root),
            rust=self.tools.rust(),
            rust_std=self.rust.std(target),
            kit=self._kit(service, target),
            library_env=libraries.environment(service.libraries, target),
            host_triple=self.tools.host_triple,
            qemu=self.tools.qemu(),
        )

    def _kit(self, service: Service, target: Target, *tools: str) -> Kit:
        kit = self.libraries.kit(target, service.libraries, *tools)
        return replace(kit, stack=service.stack, remedies=libraries.remedies(service))

    @memoised
    def _workspace(self, service: Service) -> Workspace:
        return cargo_workspaces.of(service)

    @memoised
    def _project(self, service: Service) -> Tree:
        return source_trees.of_project(service.root)
