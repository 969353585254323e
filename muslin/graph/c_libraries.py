"""C libraries for each target, and the kit that something is built with which needs them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from muslin.engine.stage import Stage
from muslin.graph import libraries
from muslin.graph.host_tools import HostTools
from muslin.graph.memoised import Memory, memoised
from muslin.graph.toolchains import Toolchains
from muslin.models.pins import Pins
from muslin.models.target import Target
from recipes import name_checks
from recipes.cross import Kit
from recipes.libraries import mimalloc


@dataclass(frozen=True, kw_only=True)
class CLibraries(Memory):
    """The stages of the modules in `recipes/libraries/`."""

    tools: HostTools
    toolchains: Toolchains
    pins: Pins

    @memoised
    def library(self, name: str, target: Target) -> Stage:
        """A C library; raises `Unknown`."""
        library = libraries.known(name)
        kit = self.kit(target, library.needs, *library.tools)
        stage = library.stage(target, source=self.pins.component(name), kit=kit)
        if name == "openssl":  # its configuration names the target
            return replace(stage, judges=(*stage.judges, ("known", self.openssl_known(target))))
        return stage

    @memoised
    def tests(self, name: str, target: Target) -> Stage | None:
        """The project's own tests of a library, where its recipe has some."""
        library = libraries.known(name)
        if library.tests is None:
            return None
        return library.tests(
            target,
            source=self.pins.component(name),
            kit=self.kit(target, library.needs, *library.tools),
            library=self.library(name, target),
            qemu=self.tools.qemu(),
        )

    def kit(self, target: Target, needs: tuple[str, ...], *tools: str) -> Kit:
        """What something is built with that needs these libraries and runs these programs."""
        names = libraries.with_their_needs(needs)
        return Kit(
            toolchain=self.toolchains.toolchain(target),
            libraries=tuple((name, self.library(name, target)) for name in names),
            allocator=f"${{need.mimalloc}}/{mimalloc.OBJECT}" if "mimalloc" in needs else "",
            link=tuple(word for name in names for word in libraries.LIBRARIES[name].link),
            maps=self.toolchains.driver != "zig",
            tools=(
                ("emulator", self.tools.qemu()),
                *((name, self.tools.helper(name)) for name in ("pkgconf", *tools)),
            ),
        )

    @memoised
    def openssl_known(self, target: Target) -> Stage:
        """Check that OpenSSL has the target."""
        return name_checks.openssl(target, targets=self._openssl_targets())

    @memoised
    def _openssl_targets(self) -> Stage:
        return name_checks.openssl_targets(self.pins.component("openssl"))
