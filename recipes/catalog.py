"""The graph: the one module that names every stage and says what needs what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from recipes import errors, trees
from recipes.engine.stage import Host, Source, Stage
from recipes.service import Service
from recipes.source import Pins
from recipes.stages import (
    binutils,
    cargo_service,
    crates,
    gcc,
    headers,
    host_libs,
    host_programs,
    image,
    make_service,
    openssl,
    rust_std,
    toolchain,
)
from recipes.target import Target


class Library(Protocol):
    """What a C library's module offers; its pin has the library's name."""

    def stage(self, target: Target, *, source: Source, toolchain: Stage) -> Stage:
        """The library for one target, in `usr/` of the stage's output."""

    LINK: tuple[str, ...]
    """What a linker is told to link it, in order."""

    def environment(self, target: Target) -> tuple[tuple[str, str], ...]:
        """How a service's build finds it, beyond `-I`, `-L` and `-l`."""


LIBRARIES: Mapping[str, Library] = {"openssl": openssl}
"""C libraries that a service may name in `needs`."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Every stage there can be, made when first asked for, the same object each time."""

    host: Host
    pins: Pins
    missing_tools: bool
    """Whether the host lacks one of m4, bison, flex and patch."""
    services: Mapping[str, Service]
    _made: dict[str, Stage] = field(default_factory=dict, repr=False)

    # --- for this machine ---

    def tools(self) -> tuple[tuple[str, Stage], ...]:
        """Stand-ins for host programs, if any are missing."""
        if not self.missing_tools:
            return ()
        make = host_programs.build_tools
        sources = self.pins.group("build-tools")
        return (
            (
                "build-tools",
                self._once("build-tools", lambda: make(sources, multiarch=self._multiarch)),
            ),
        )

    def rust(self) -> Stage:
        """rustc, cargo, the host's std, rust-src."""
        sources = self.pins.group("rust")
        return self._once("rust", lambda: host_programs.rust(sources, multiarch=self._multiarch))

    def qemu(self) -> Stage:
        """User-mode emulators."""
        return self._once("qemu", lambda: host_programs.qemu(self.pins.group("qemu")))

    def host_libs(self) -> Stage:
        """gmp, mpfr and mpc."""
        pins = {name: self.pins.source(name) for name in ("gmp", "mpfr", "mpc")}
        return self._once("host-libs", lambda: host_libs.stage(**pins, tools=self.tools()))

    @property
    def _multiarch(self) -> str:
        return f"{self.host.machine}-linux-gnu"

    # --- per target ---

    def binutils(self, target: Target) -> Stage:
        """Assembler and linker."""
        return self._once(
            f"binutils-{target.name}",
            lambda: binutils.stage(
                target,
                source=self.pins.source("binutils"),
                member=self.pins.member("binutils"),
                tools=self.tools(),
            ),
        )

    def headers(self, target: Target) -> Stage:
        """Kernel headers."""
        source = self.pins.source("linux-headers")
        return self._once(f"headers-{target.name}", lambda: headers.stage(target, source=source))

    def gcc(self, target: Target) -> Stage:
        """Compiler, musl, C++ library."""
        return self._once(
            f"gcc-{target.name}",
            lambda: gcc.stage(
                target,
                source=self.pins.source("gcc"),
                member=self.pins.member("gcc"),
                musl=self.pins.source("musl"),
                musl_patches=self.pins.source("musl-patches"),
                host_libs=self.host_libs(),
                binutils=self.binutils(target),
                headers=self.headers(target),
                tools=self.tools(),
            ),
        )

    def toolchain(self, target: Target) -> Stage:
        """The toolchain as it is used."""
        return self._once(
            f"toolchain-{target.name}",
            lambda: toolchain.stage(
                target, binutils=self.binutils(target), gcc=self.gcc(target), qemu=self.qemu()
            ),
        )

    def library(self, name: str, target: Target) -> Stage:
        """A C library by recipe."""
        if name not in LIBRARIES:
            raise errors.Unknown("C library", name, LIBRARIES)
        make = LIBRARIES[name].stage
        source = self.pins.source(name)
        return self._once(
            f"{name}-{target.name}",
            lambda: make(target, source=source, toolchain=self.toolchain(target)),
        )

    def rust_std(self, target: Target) -> Stage:
        """std for the target's processor."""
        return self._once(
            f"rust-std-{target.name}",
            lambda: rust_std.stage(
                target,
                rust=self.rust(),
                toolchain=self.toolchain(target),
                qemu=self.qemu(),
                host_triple=f"{self.host.machine}-unknown-linux-gnu",
            ),
        )

    # --- services ---

    def program(self, service: Service, target: Target) -> Stage:
        """A service's program."""
        make = self._cargo if service.build == "cargo" else self._make
        return self._once(f"program {service.name}-{target.name}", lambda: make(service, target))

    # The verify stage comes here, between a program and its package.

    def image(self, service: Service, target: Target) -> Stage:
        """Program and image of one platform."""
        bundle = self._ca_bundle() if service.image.ca_bundle else None
        return self._once(
            f"image {service.name}-{target.name}",
            lambda: image.stage(
                service, target, program=self.program(service, target), bundle=bundle
            ),
        )

    def index(self, service: Service, targets: tuple[Target, ...]) -> Stage:
        """Image of all platforms."""
        names = "+".join(target.name for target in targets)
        images = {target.name: self.image(service, target) for target in targets}
        return self._once(f"index {service.name}-{names}", lambda: image.index(service, images))

    def _ca_bundle(self) -> Stage:
        source = self.pins.source("ca-certificates")
        return self._once("ca-bundle", lambda: image.ca_bundle(source))

    def _libraries(
        self, service: Service, target: Target
    ) -> tuple[tuple[tuple[str, Stage], ...], tuple[tuple[str, str], ...]]:
        stages = tuple((name, self.library(name, target)) for name in service.needs)
        environment = tuple(
            pair for name in service.needs for pair in LIBRARIES[name].environment(target)
        )
        return stages, environment

    def _cargo(self, service: Service, target: Target) -> Stage:
        root = trees.workspace_root(service.folder)
        member = trees.member(root, service.folder)
        mine = "**/*" if member == "." else f"{member}/**/*"
        libraries, environment = self._libraries(service, target)
        return cargo_service.stage(
            service,
            target,
            workspace=trees.tree(root, ("Cargo.toml", "Cargo.lock", mine)),
            member=member,
            crates=self._crates(root),
            rust=self.rust(),
            rust_std=self.rust_std(target),
            toolchain=self.toolchain(target),
            libraries=libraries,
            library_env=environment,
            qemu=self.qemu(),
        )

    def _make(self, service: Service, target: Target) -> Stage:
        libraries, environment = self._libraries(service, target)
        return make_service.stage(
            service,
            target,
            source=trees.tree(service.folder, ("**/*",)),
            toolchain=self.toolchain(target),
            libraries=libraries,
            library_env=environment,
            link=tuple(word for name in service.needs for word in LIBRARIES[name].LINK),
            qemu=self.qemu(),
        )

    def crates(self) -> list[Stage]:
        """The crates of every cargo service."""
        folders = [each.folder for each in self.services.values() if each.build == "cargo"]
        return [
            self._crates(root) for root in sorted({trees.workspace_root(one) for one in folders})
        ]

    def _crates(self, root: Path) -> Stage:
        # Manifests too: here it is that cargo compares them with the lock.
        members = trees.members(root)
        manifests = trees.tree(
            root,
            ("Cargo.toml", "Cargo.lock", *(f"{name}/Cargo.toml" for name in members)),
            also=tuple(f"{name}/**/*" for name in members) or ("**/*",),
        )
        return self._once(
            f"crates {root}",
            lambda: crates.stage(root.name, workspace=manifests, rust=self.rust()),
        )

    def _once(self, name: str, make: Callable[[], Stage]) -> Stage:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]
