"""Verifications: of each program, and of all that it is linked with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version

from muslin import installation
from muslin.audit import allowed
from muslin.engine.stage import Stage
from muslin.graph import libraries
from muslin.graph.c_libraries import CLibraries
from muslin.graph.memoised import Memory, memoised
from muslin.graph.programs import Programs
from muslin.graph.rust import Rust
from muslin.graph.toolchains import Toolchains
from muslin.models import declaration, source_trees
from muslin.models.allowed_code import AllowedCode
from muslin.models.pins import Component, Pins
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import verify
from recipes.verify import Auditor


@dataclass(frozen=True, kw_only=True)
class Verifications(Memory):
    """The stages that hold machine code to a target's processor."""

    toolchains: Toolchains
    libraries: CLibraries
    rust: Rust
    programs: Programs
    pins: Pins

    def of_service(self, service: Service, target: Target) -> dict[str, Stage]:
        """Those of a program and of all that it is linked with, by subject."""
        parts = self.of_parts(target, service.libraries, rust=service.build == "cargo")
        return {service.name: self._program(service, target), **parts}

    def of_parts(self, target: Target, needs: tuple[str, ...], *, rust: bool) -> dict[str, Stage]:
        """Those of what programs are linked with, by subject."""
        names = libraries.with_their_needs(needs)
        makes: dict[str, Callable[[Target], Stage]] = {
            "toolchain": self._toolchain,
            **{name: partial(self._library, name) for name in names},
            **({"rust-std": self._rust_std} if rust else {}),
        }
        return {name: make(target) for name, make in makes.items()}

    def of_sdk(self, target: Target) -> dict[str, Stage]:
        """Those of all that can be linked by hand."""
        return self.of_parts(target, tuple(libraries.LIBRARIES), rust=True)

    def components(self, service: Service) -> tuple[Component, ...]:
        """What a service's program and image hold, beside its own code and Rust's."""
        bundle = ("ca-certificates",) if service.image.ca_bundle else ()
        return (*self.linked(service), *map(self.pins.component, bundle))

    def linked(self, service: Service) -> tuple[Component, ...]:
        """What a service's program was linked with, beside Rust's own."""
        names = libraries.with_their_needs(service.libraries)
        return (*self.toolchains.runtime, *map(self.pins.component, names))

    def components_of_sdk(self) -> tuple[Component, ...]:
        """What a toolchain for use by hand holds that gets into programs."""
        return (*self.toolchains.runtime, *map(self.pins.component, libraries.LIBRARIES))

    @memoised
    def _program(self, service: Service, target: Target) -> Stage:
        of, contains = self.programs.program(service, target), self.components(service)
        return verify.program(service, target, self._auditor, of=of, contains=contains)

    @memoised
    def _toolchain(self, target: Target) -> Stage:
        of, contains = self.toolchains.toolchain(target), self.toolchains.runtime
        patterns = verify.OF_SYSROOT if self.toolchains.driver == "zig" else verify.LINKABLE
        return verify.toolchain(target, self._auditor, of=of, contains=contains, patterns=patterns)

    @memoised
    def _library(self, name: str, target: Target) -> Stage:
        return verify.library(
            name,
            target,
            self._auditor,
            of=self.libraries.library(name, target),
            tests=self.libraries.tests(name, target),
            contains=(self.pins.component(name),),
        )

    @memoised
    def _rust_std(self, target: Target) -> Stage:
        return verify.rust_std(target, self._auditor, of=self.rust.std(target))

    @cached_property
    def _auditor(self) -> Auditor:
        return Auditor(
            code=source_trees.tree(installation.ROOT, verify.CODE),
            reads_with=", ".join(f"{name} {version(name)}" for name in ("capstone", "pyelftools")),
            allowed=allowed_code(),
        )


def allowed_code() -> tuple[allowed.Entry, ...]:
    """Code beyond the baselines that is behind a look at the processor; raises `BadDeclaration`."""
    return declaration.read(allowed.LIST, AllowedCode).allowed
