"""The graph up to what programs are made of: compilers, C libraries, Rust's std."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from muslin.engine.source import Tree
from muslin.engine.stage import Host, Stage
from muslin.graph.libraries import LIBRARIES, known, with_their_needs
from muslin.models import declaration, source_trees
from muslin.models.pins import Pins
from muslin.models.settings import Driver
from muslin.models.target import Target
from recipes import host_programs, name_checks, sdk
from recipes.cross import Kit
from recipes.libraries import mimalloc
from recipes.rust import crates, std
from recipes.toolchain import (
    assemble,
    binutils,
    compiler,
    gcc_source,
    host_libs,
    kernel_headers,
    musl_cross_make,
    musl_patches,
    target_libraries,
)

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Every stage of that kind, made when first asked for, the same object each time."""

    host: Host
    pins: Pins
    targets: Mapping[str, Target]
    """All that are declared: one may share its compiler with another."""
    missing_tools: bool
    """Whether the host lacks one of m4, bison, flex and patch."""
    driver: Driver = "builtin"
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

    def qemu_system(self) -> Stage:
        """Emulators of whole machines."""
        sources = self.pins.group("qemu-system")
        return self._once(
            "qemu-system",
            lambda: host_programs.qemu_system(sources, multiarch=self._multiarch),
        )

    def helper(self, name: str) -> Stage:
        """A program that some recipes run, by its group in `pins/host.toml`."""
        sources = self.pins.group(name)
        return self._once(
            name, lambda: host_programs.helper(name, sources, multiarch=self._multiarch)
        )

    def host_libs(self) -> Stage:
        """gmp, mpfr and mpc."""
        pins = {name: self.pins.component(name) for name in ("gmp", "mpfr", "mpc")}
        return self._once("host-libs", lambda: host_libs.stage(**pins, tools=self.tools()))

    @property
    def _multiarch(self) -> str:
        return f"{self.host.machine}-linux-gnu"

    @property
    def host_triple(self) -> str:
        """rustc's name of this machine."""
        return f"{self.host.machine}-unknown-linux-gnu"

    # --- per target ---

    def binutils(self, target: Target) -> Stage:
        """Assembler and linker."""
        return self._once(
            f"binutils-{target.name}",
            lambda: binutils.stage(
                target,
                source=self.pins.component("binutils"),
                tools=self.tools(),
            ),
        )

    def headers(self, target: Target) -> Stage:
        """Kernel headers."""
        source = self.pins.component("linux-headers")
        return self._once(
            f"headers-{target.name}", lambda: kernel_headers.stage(target, source=source)
        )

    def gcc_source(self) -> Stage:
        """GCC's sources, for all targets."""
        source = self.pins.component("gcc")
        return self._once("gcc-source", lambda: gcc_source.stage(source=source))

    def compiler(self, target: Target) -> Stage:
        """GCC's own programs."""
        lender = self.targets[target.gcc.shared_with] if target.gcc.shared_with else None
        return self._once(
            f"compiler-{target.name}",
            lambda: compiler.stage(
                target,
                source=self.gcc_source(),
                host_libs=self.host_libs(),
                binutils=self.binutils(target),
                lender=(lender, self.compiler(lender)) if lender else None,
                tools=self.tools(),
            ),
        )

    def gcc(self, target: Target) -> Stage:
        """Compiler, musl, C++ library."""
        return self._once(
            f"gcc-{target.name}",
            lambda: target_libraries.stage(
                target,
                made=self.compiler(target),
                musl=self.pins.component("musl"),
                musl_files=_musl_files(target),
                headers=self.headers(target),
                members=self._libgcc_members(target),
                tools=self.tools(),
            ),
        )

    def _libgcc_members(self, target: Target) -> tuple[str, ...]:
        """The objects of libgcc.a; none where they are not known for this target or GCC."""
        known = declaration.read(PROJECT / target_libraries.MEMBERS, target_libraries.LibgccMembers)
        version = self.pins.component("gcc").version.partition("-")[0]
        return known.members.get(target.name, ()) if version == known.version else ()

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
                musl=self.pins.component("musl", driver="musl-cross-make"),
                musl_files=_musl_files(target),
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
            lambda: assemble.stage(
                target,
                parts=self._parts(target),
                qemu=self.qemu(),
                known=self.emulator_known(target),
            ),
        )

    def emulator_known(self, target: Target) -> Stage:
        """That QEMU has the processor."""
        return self._once(
            f"emulator-known-{target.name}", lambda: name_checks.emulator(target, qemu=self.qemu())
        )

    def rustc_known(self, target: Target) -> Stage:
        """That rustc has the target."""
        return self._once(
            f"rustc-known-{target.name}", lambda: name_checks.rustc(target, rust=self.rust())
        )

    def openssl_known(self, target: Target) -> Stage:
        """That OpenSSL has the target."""
        source = self.pins.component("openssl")
        targets = self._once("openssl-targets", lambda: name_checks.openssl_targets(source))
        return self._once(
            f"openssl-known-{target.name}", lambda: name_checks.openssl(target, targets=targets)
        )

    def library(self, name: str, target: Target) -> Stage:
        """A C library by recipe."""
        return self._once(f"{name}-{target.name}", lambda: self._library(name, target))

    def _library(self, name: str, target: Target) -> Stage:
        library = known(name)
        kit = self.kit(target, library.needs, *library.tools)
        stage = library.stage(target, source=self.pins.component(name), kit=kit)
        if name == "openssl":  # it is told the target's name
            return replace(stage, judges=(*stage.judges, ("known", self.openssl_known(target))))
        return stage

    def _tests(self, name: str, target: Target) -> Stage | None:
        library = known(name)
        make = library.tests
        if make is None:
            return None
        return self._once(
            f"{name}-tests-{target.name}",
            lambda: make(
                target,
                source=self.pins.component(name),
                kit=self.kit(target, library.needs, *library.tools),
                library=self.library(name, target),
                qemu=self.qemu(),
            ),
        )

    def kit(self, target: Target, libraries: tuple[str, ...], *tools: str) -> Kit:
        """What something is built with that needs these libraries and runs these programs."""
        names = with_their_needs(libraries)
        return Kit(
            toolchain=self.toolchain(target),
            libraries=tuple((name, self.library(name, target)) for name in names),
            allocator=f"${{need.mimalloc}}/{mimalloc.OBJECT}" if "mimalloc" in libraries else "",
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
            lambda: std.stage(
                target,
                rust=self.rust(),
                toolchain=self.toolchain(target),
                crates=self._crates_of_std(),
                judges=(("qemu", self.qemu()), ("known", self.rustc_known(target))),
                host_triple=self.host_triple,
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

    def _once(self, name: str, make: Callable[[], Stage]) -> Stage:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


def _musl_files(target: Target) -> Tree | None:
    """Our own files of musl, where there are some for a target."""
    names, root = musl_patches.files(target), PROJECT / musl_patches.FOLDER
    return Tree(root=root, files=source_trees.files(root, map(Path, names))) if names else None
