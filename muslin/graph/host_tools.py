"""Programs that run on this machine: emulators, Rust, and what the host lacks."""

from __future__ import annotations

from dataclasses import dataclass

from muslin.engine.stage import Host, Stage
from muslin.graph.memoised import Memory, memoised
from muslin.models.pins import Component, Pins
from recipes import host_programs, host_root
from recipes.toolchain import host_libs, zig


@dataclass(frozen=True, kw_only=True)
class HostTools(Memory):
    """The stages of one host."""

    host: Host
    pins: Pins
    missing_tools: bool
    """Whether the host lacks one of m4, bison, flex and patch."""
    mirror: str = ""
    """Address of a folder that is asked for wheels before pip is, or nothing."""

    def build_tools(self) -> tuple[tuple[str, Stage], ...]:
        """Stand-ins for host programs, if any are missing."""
        return (("build-tools", self._build_tools()),) if self.missing_tools else ()

    @memoised
    def _build_tools(self) -> Stage:
        sources = self.pins.group("build-tools")
        return host_programs.build_tools(sources, multiarch=self._multiarch)

    @memoised
    def host_root(self, group: str) -> Stage:
        """The system in which stages run, from a group of packages."""
        return host_root.stage(self.pins.group(group))

    @memoised
    def rust(self) -> Stage:
        """rustc, cargo, the host's std, rust-src."""
        return host_programs.rust(self.pins.group("rust"), multiarch=self._multiarch)

    @memoised
    def qemu(self) -> Stage:
        """User-mode emulators."""
        return host_programs.qemu(self.pins.group("qemu"))

    @memoised
    def qemu_system(self) -> Stage:
        """Emulators of whole machines."""
        sources = self.pins.group("qemu-system")
        return host_programs.qemu_system(sources, multiarch=self._multiarch)

    @memoised
    def helper(self, name: str) -> Stage:
        """A program that some recipes run, by its group in `pins/host.toml`."""
        return host_programs.helper(name, self.pins.group(name), multiarch=self._multiarch)

    @memoised
    def zig(self) -> Stage:
        """clang and lld in one program; raises `NoWheel` for a machine that it is not made for."""
        return zig.program(self.zig_component)

    @property
    def zig_component(self) -> Component:
        """The wheel of zig for this machine."""
        return self.pins.wheel("zig", machine=self.host.machine, mirror=self.mirror)

    @memoised
    def host_libs(self) -> Stage:
        """gmp, mpfr and mpc."""
        pins = {name: self.pins.component(name) for name in ("gmp", "mpfr", "mpc")}
        return host_libs.stage(**pins, machine=self.host.machine, tools=self.build_tools())

    @property
    def _multiarch(self) -> str:
        return f"{self.host.machine}-linux-gnu"

    @property
    def host_triple(self) -> str:
        """rustc's name of this machine."""
        return f"{self.host.machine}-unknown-linux-gnu"
