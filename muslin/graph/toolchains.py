"""Toolchains: a compiler with its C library, by one of the drivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from muslin import installation
from muslin.engine.source import Tree
from muslin.engine.stage import Stage
from muslin.graph.host_tools import HostTools
from muslin.graph.memoised import Memory, memoised
from muslin.models import declaration, source_trees
from muslin.models.pins import Component, Pins
from muslin.models.settings import Driver
from muslin.models.target import Target
from recipes import name_checks
from recipes.toolchain import (
    assemble,
    binutils,
    compiler,
    gcc_source,
    kernel_headers,
    musl_cross_make,
    musl_patches,
    target_libraries,
    zig,
)


@dataclass(frozen=True, kw_only=True)
class Toolchains(Memory):
    """The stages of each target's toolchain."""

    tools: HostTools
    pins: Pins
    targets: Mapping[str, Target]
    """All that are declared: one may share its compiler with another."""
    driver: Driver

    @memoised
    def binutils(self, target: Target) -> Stage:
        """Assembler and linker."""
        source = self.pins.component("binutils")
        return binutils.stage(target, source=source, tools=self.tools.build_tools())

    @memoised
    def headers(self, target: Target) -> Stage:
        """Kernel headers."""
        return kernel_headers.stage(target, source=self.pins.component("linux-headers"))

    @memoised
    def gcc_source(self) -> Stage:
        """GCC's sources, for all targets."""
        return gcc_source.stage(source=self.pins.component("gcc"))

    @memoised
    def compiler(self, target: Target) -> Stage:
        """GCC's own programs."""
        lender = self.targets[target.gcc.shared_with] if target.gcc.shared_with else None
        return compiler.stage(
            target,
            source=self.gcc_source(),
            host_libs=self.tools.host_libs(),
            binutils=self.binutils(target),
            lender=(lender, self.compiler(lender)) if lender else None,
            tools=self.tools.build_tools(),
        )

    @memoised
    def gcc(self, target: Target) -> Stage:
        """Compiler, musl, C++ library."""
        return target_libraries.stage(
            target,
            made=self.compiler(target),
            musl=self.pins.component("musl"),
            musl_files=_musl_files(target),
            headers=self.headers(target),
            members=self._libgcc_members(target),
            tools=self.tools.build_tools(),
        )

    def _libgcc_members(self, target: Target) -> tuple[str, ...]:
        """The objects of libgcc.a; none where they are not known for this target or GCC."""
        known = declaration.read(
            installation.ROOT / target_libraries.MEMBERS, target_libraries.LibgccMembers
        )
        version = self.pins.component("gcc").version.partition("-")[0]
        return known.members.get(target.name, ()) if version == known.version else ()

    @memoised
    def musl_cross_make(self, target: Target) -> Stage:
        """All of it by the upstream project."""
        names = {"linux": "linux-headers"}
        return musl_cross_make.stage(
            target,
            source=self.pins.source("musl-cross-make"),
            parts={
                part: self.pins.source(names.get(part, part)) for part in musl_cross_make.COMPONENTS
            },
            musl=self.pins.component("musl", driver="musl-cross-make"),
            musl_files=_musl_files(target),
            tools=self.tools.build_tools(),
        )

    @memoised
    def zig(self, target: Target) -> Stage:
        """All of it out of zig's wheel, but musl and the kernel's headers."""
        return zig.stage(
            target,
            zig=self.tools.zig(),
            binutils=self.tools.helper("binutils-multiarch"),
            musl=self.pins.component("musl"),
            musl_files=_musl_files(target),
            headers=self.headers(target),
        )

    def _parts(self, target: Target) -> tuple[tuple[str, Stage], ...]:
        """What the driver makes a toolchain of, the part with binutils first."""
        match self.driver:
            case "builtin":
                return (("binutils", self.binutils(target)), ("gcc", self.gcc(target)))
            case "musl-cross-make":
                return (("musl-cross-make", self.musl_cross_make(target)),)
            case "zig":
                return (("zig", self.zig(target)),)

    @property
    def runtime(self) -> tuple[Component, ...]:
        """What of a toolchain every program is linked with."""
        musl = self.pins.component("musl")
        if self.driver == "zig":
            return (self.tools.zig_component, musl)
        return (self.pins.component("gcc"), musl)

    @memoised
    def toolchain(self, target: Target) -> Stage:
        """The toolchain as it is used."""
        return assemble.stage(
            target,
            parts=self._parts(target),
            qemu=self.tools.qemu(),
            known=self.emulator_known(target),
            compiled=self.driver != "zig",
        )

    @memoised
    def emulator_known(self, target: Target) -> Stage:
        """Check that QEMU has the processor."""
        return name_checks.emulator(target, qemu=self.tools.qemu())


def _musl_files(target: Target) -> Tree | None:
    """Our own files of musl, where there are some for a target."""
    names, root = musl_patches.files(target), installation.ROOT / musl_patches.FOLDER
    return Tree(root=root, files=source_trees.files(root, map(Path, names))) if names else None
