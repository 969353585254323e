"""The graph: the one module that names every stage and says what needs what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args

from recipes import errors, trees, workspaces
from recipes.audit import allowed
from recipes.engine.stage import Host, Stage
from recipes.service import Service
from recipes.source import Pins
from recipes.stages import (
    binutils,
    cargo_service,
    cmake_service,
    crates,
    curl,
    gcc,
    headers,
    host_libs,
    host_programs,
    image,
    make_service,
    musl_cross_make,
    names,
    openssl,
    rust_std,
    sdk,
    sqlite3,
    toolchain,
    verify,
    zlib,
)
from recipes.stages.cross import Kit
from recipes.stages.library import Library
from recipes.stages.verify import Auditor
from recipes.target import Target

PROJECT = Path(__file__).resolve().parents[1]
LIBRARIES: Mapping[str, Library] = {
    "curl": curl.LIBRARY,
    "openssl": openssl.LIBRARY,
    "sqlite3": sqlite3.LIBRARY,
    "zlib": zlib.LIBRARY,
}
"""C libraries that a service may name in `needs`."""
VERIFIED = ("toolchain", "rust-std", *LIBRARIES)
"""What has a verification of its own, beside the services."""
PARTS = ("binutils", "gcc", "headers", "image", "musl-cross-make", "sdk")
"""Other names that stages of a target start with."""


Driver = Literal["builtin", "musl-cross-make"]
DRIVERS: tuple[Driver, ...] = get_args(Driver)
"""How a toolchain is made. What comes out has one shape: nothing else can tell them apart."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Every stage there can be, made when first asked for, the same object each time."""

    host: Host
    pins: Pins
    missing_tools: bool
    """Whether the host lacks one of m4, bison, flex and patch."""
    services: Mapping[str, Service]
    driver: Driver = "builtin"
    _made: dict[str, Stage] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises `BadDeclaration` for a service that needs what no recipe makes, or is called like
        another part of the pipeline."""
        for service in self.services.values():
            if service.name in (*VERIFIED, *PARTS):
                fault = f"name: a part of the pipeline is called {service.name}; take another"
                raise errors.BadDeclaration(service.declared, [fault])
            unknown = [name for name in service.needs if name not in LIBRARIES]
            if unknown:
                faults = [
                    f"needs: {errors.Unknown('C library', one, LIBRARIES)}" for one in unknown
                ]
                raise errors.BadDeclaration(service.declared, faults)

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

    def helper(self, name: str) -> Stage:
        """A program that some recipes run, by its group in `pins/host.toml`."""
        sources = self.pins.group(name)
        return self._once(
            name, lambda: host_programs.helper(name, sources, multiarch=self._multiarch)
        )

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
                musl_patches=self.pins.patches("musl"),
                host_libs=self.host_libs(),
                binutils=self.binutils(target),
                headers=self.headers(target),
                tools=self.tools(),
            ),
        )

    def musl_cross_make(self, target: Target) -> Stage:
        """All of it by the upstream project."""
        names = {"linux": "linux-headers"}
        return self._once(
            f"musl-cross-make-{target.name}",
            lambda: musl_cross_make.stage(
                target,
                source=self.pins.source("musl-cross-make"),
                parts={
                    part: self.pins.source(names.get(part, part))
                    for part in musl_cross_make.COMPONENTS
                },
                musl_patches=self.pins.patches("musl", driver="musl-cross-make"),
                tools=self.tools(),
            ),
        )

    def _parts(self, target: Target) -> tuple[tuple[str, Stage], ...]:
        """What the driver makes a toolchain of, the part with binutils first."""
        match self.driver:
            case "builtin":
                return (("binutils", self.binutils(target)), ("gcc", self.gcc(target)))
            case "musl-cross-make":
                return (("musl-cross-make", self.musl_cross_make(target)),)

    def toolchain(self, target: Target) -> Stage:
        """The toolchain as it is used."""
        return self._once(
            f"toolchain-{target.name}",
            lambda: toolchain.stage(
                target,
                parts=self._parts(target),
                qemu=self.qemu(),
                known=self.emulator_known(target),
            ),
        )

    def emulator_known(self, target: Target) -> Stage:
        """That QEMU has the processor."""
        return self._once(
            f"emulator-known-{target.name}", lambda: names.emulator(target, qemu=self.qemu())
        )

    def rustc_known(self, target: Target) -> Stage:
        """That rustc has the target."""
        return self._once(
            f"rustc-known-{target.name}", lambda: names.rustc(target, rust=self.rust())
        )

    def openssl_known(self, target: Target) -> Stage:
        """That OpenSSL has the target."""
        source = self.pins.source("openssl")
        targets = self._once("openssl-targets", lambda: names.openssl_targets(source))
        return self._once(
            f"openssl-known-{target.name}", lambda: names.openssl(target, targets=targets)
        )

    def library(self, name: str, target: Target) -> Stage:
        """A C library by recipe."""
        return self._once(f"{name}-{target.name}", lambda: self._library(name, target))

    def _library(self, name: str, target: Target) -> Stage:
        library = _known(name)
        kit = self.kit(target, library.needs, *library.tools)
        stage = library.stage(target, source=self.pins.source(name), kit=kit)
        if name == "openssl":  # it is told the target's name
            return replace(stage, judges=(*stage.judges, ("known", self.openssl_known(target))))
        return stage

    def _tests(self, name: str, target: Target) -> Stage | None:
        library = _known(name)
        make = library.tests
        if make is None:
            return None
        return self._once(
            f"{name}-tests-{target.name}",
            lambda: make(
                target,
                source=self.pins.source(name),
                kit=self.kit(target, library.needs, *library.tools),
                library=self.library(name, target),
                qemu=self.qemu(),
            ),
        )

    def kit(self, target: Target, libraries: tuple[str, ...], *tools: str) -> Kit:
        """What something is built with that needs these libraries and runs these programs."""
        names = _with_their_needs(libraries)
        return Kit(
            toolchain=self.toolchain(target),
            libraries=tuple((name, self.library(name, target)) for name in names),
            link=tuple(word for name in names for word in LIBRARIES[name].link),
            tools=(
                ("emulator", self.qemu()),
                *((name, self.helper(name)) for name in ("pkgconf", *tools)),
            ),
        )

    def rust_std(self, target: Target) -> Stage:
        """std for the target's processor."""
        return self._once(
            f"rust-std-{target.name}",
            lambda: rust_std.stage(
                target,
                rust=self.rust(),
                toolchain=self.toolchain(target),
                crates=self._crates_of_std(),
                judges=(("qemu", self.qemu()), ("known", self.rustc_known(target))),
                host_triple=f"{self.host.machine}-unknown-linux-gnu",
            ),
        )

    def _crates_of_std(self) -> Stage | None:
        if host_programs.has_crates_of_std(self.pins.group("rust")):
            return None
        return self._once("crates-std", lambda: crates.of_std(rust=self.rust()))

    def sdk(self, target: Target) -> Stage:
        """The toolchain with every library and Rust, to be used by hand."""
        return self._once(
            f"sdk-{target.name}",
            lambda: sdk.stage(
                target,
                kit=self.kit(target, tuple(LIBRARIES)),
                rust=self.rust(),
                rust_std=self.rust_std(target),
                qemu=self.qemu(),
            ),
        )

    def sdk_archive(self, target: Target) -> Stage:
        """The same as one file."""
        return self._once(
            f"sdk-archive-{target.name}", lambda: sdk.archive(target, sdk=self.sdk(target))
        )

    # --- services ---

    def program(self, service: Service, target: Target) -> Stage:
        """A service's program."""
        make = {"cargo": self._cargo, "make": self._make, "cmake": self._cmake}[service.build]
        return self._once(f"program {service.name}-{target.name}", lambda: make(service, target))

    def proofs(self, service: Service, target: Target) -> dict[str, Stage]:
        """The verifications of a program and of all that it is linked with, by subject."""
        name = f"verify program {service.name}-{target.name}"
        of = self.program(service, target)
        return {
            service.name: self._once(
                name, lambda: verify.program(service, target, self._auditor, of=of)
            ),
            **self.proofs_of_parts(target, service.needs, rust=service.build == "cargo"),
        }

    def proofs_of_parts(
        self, target: Target, libraries: tuple[str, ...], *, rust: bool
    ) -> dict[str, Stage]:
        """Those of what programs are linked with."""

        def library(name: str) -> Stage:
            of, tests = self.library(name, target), self._tests(name, target)
            return verify.library(name, target, self._auditor, of=of, tests=tests)

        makes: dict[str, Callable[[], Stage]] = {
            "toolchain": lambda: verify.toolchain(target, self._auditor, of=self.toolchain(target)),
            **{name: partial(library, name) for name in _with_their_needs(libraries)},
        }
        if rust:
            makes["rust-std"] = lambda: verify.rust_std(
                target, self._auditor, of=self.rust_std(target)
            )
        return {
            name: self._once(f"verify {name}-{target.name}", make) for name, make in makes.items()
        }

    @cached_property
    def _auditor(self) -> Auditor:
        return Auditor(
            code=trees.tree(PROJECT, verify.CODE),
            reads_with=", ".join(f"{name} {version(name)}" for name in ("capstone", "pyelftools")),
            allowed=allowed.load(),
        )

    def image(self, service: Service, target: Target) -> Stage:
        """Program and image of one platform."""
        bundle = self._ca_bundle() if service.image.ca_bundle else None
        return self._once(
            f"image {service.name}-{target.name}",
            lambda: image.stage(
                service,
                target,
                program=self.program(service, target),
                bundle=bundle,
                proofs=tuple(self.proofs(service, target).items()),
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

    def _kit_of(self, service: Service, target: Target, *tools: str) -> Kit:
        return self.kit(target, service.needs, *tools)

    def _cargo(self, service: Service, target: Target) -> Stage:
        workspace = workspaces.of(service)
        return cargo_service.stage(
            service,
            target,
            workspace=workspace,
            crates=self._crates(workspace.root),
            rust=self.rust(),
            rust_std=self.rust_std(target),
            kit=self._kit_of(service, target),
            library_env=_environment(service, target),
            qemu=self.qemu(),
        )

    def _make(self, service: Service, target: Target) -> Stage:
        return make_service.stage(
            service,
            target,
            source=trees.of_project(service.root),
            kit=self._kit_of(service, target),
            qemu=self.qemu(),
        )

    def _cmake(self, service: Service, target: Target) -> Stage:
        return cmake_service.stage(
            service,
            target,
            source=trees.of_project(service.root),
            kit=self._kit_of(service, target, "cmake"),
            qemu=self.qemu(),
        )

    def crates(self) -> list[Stage]:
        """The crates of every cargo service, and of std where they do not come with it."""
        roots = {
            workspaces.root_of(each) for each in self.services.values() if each.build == "cargo"
        }
        of_std = self._crates_of_std() if roots else None
        return [*(self._crates(root) for root in sorted(roots)), *([of_std] if of_std else ())]

    def _crates(self, root: Path) -> Stage:
        return self._once(
            f"crates {root}",
            lambda: crates.stage(root.name, workspace=workspaces.whole(root), rust=self.rust()),
        )

    def _once(self, name: str, make: Callable[[], Stage]) -> Stage:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


def _known(name: str) -> Library:
    if name not in LIBRARIES:
        raise errors.Unknown("C library", name, LIBRARIES)
    return LIBRARIES[name]


def _with_their_needs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Libraries and all that they need, each before what it needs: the order of linking."""
    graph = {name: set(_known(name).needs) for name in (*names, *LIBRARIES)}
    wanted, left = set[str](), list(names)
    while left:
        if (name := left.pop()) not in wanted:
            wanted.add(name)
            left += graph[name]
    order = TopologicalSorter({name: sorted(graph[name]) for name in sorted(wanted)})
    return tuple(reversed(tuple(order.static_order())))


def _environment(service: Service, target: Target) -> tuple[tuple[str, str], ...]:
    names = _with_their_needs(service.needs)
    return tuple(pair for name in names for pair in LIBRARIES[name].environment(target))
