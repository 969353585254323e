"""The graph: what is made of the parts for each service, and what says that it may be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path

from muslin import errors
from muslin.audit import allowed
from muslin.engine.stage import Stage, Tree
from muslin.graph import libraries
from muslin.graph.libraries import LIBRARIES
from muslin.graph.parts import PROJECT, Parts
from muslin.models import cargo_manifest, cargo_workspaces, declaration, source_trees
from muslin.models.allowed_code import AllowedCode
from muslin.models.board import Board
from muslin.models.cargo_workspaces import Workspace
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import boot, image, sdk, verify
from recipes.cross import Kit
from recipes.programs import cargo, cmake
from recipes.programs import make as make_service
from recipes.rust import crates
from recipes.verify import Auditor

VERIFIED = ("toolchain", "rust-std", *LIBRARIES)
"""What has a verification of its own, beside the services."""
RUNTIME = ("gcc", "musl")
"""Components that every program is linked with."""
TAKEN = (
    "binutils",
    "board",
    "boot",
    "compiler",
    "gcc",
    "headers",
    "image",
    "image.tar",
    "musl-cross-make",
    "sdk",
)
"""Other names that stages of a target start with, and a file beside a program."""
OF_STD = "std"
"""What the crates of Rust's std are called among those of projects."""


@dataclass(frozen=True, kw_only=True)
class Catalog(Parts):
    """Every stage there can be."""

    services: Mapping[str, Service]
    _workspaces: dict[str, Workspace] = field(default_factory=dict, repr=False)
    """What services are built from, by name: read once for all targets."""
    _projects: dict[str, Tree] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises `BadDeclaration` for a service that needs what no recipe makes, or is called like
        another part of the pipeline."""
        for service in self.services.values():
            if service.name in (*VERIFIED, *TAKEN):
                fault = f"name: a part of the pipeline is called {service.name}; take another"
                raise errors.BadDeclaration(service.declared, [fault])
            if allocators := set(service.needs) & {"mimalloc"}:
                fault = f'needs: {allocators.pop()} is an allocator; say allocator = "mimalloc"'
                raise errors.BadDeclaration(service.declared, [fault])
            unknown = [name for name in service.needs if name not in LIBRARIES]
            if unknown:
                faults = [
                    f"needs: {errors.Unknown('C library', one, LIBRARIES)}" for one in unknown
                ]
                raise errors.BadDeclaration(service.declared, faults)

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
                name,
                lambda: verify.program(
                    service, target, self._auditor, of=of, contains=self.components(service)
                ),
            ),
            **self.proofs_of_parts(target, service.libraries, rust=service.build == "cargo"),
        }

    def proofs_of_parts(
        self, target: Target, needs: tuple[str, ...], *, rust: bool
    ) -> dict[str, Stage]:
        """Those of what programs are linked with."""

        def library(name: str) -> Stage:
            of, tests = self.library(name, target), self._tests(name, target)
            contains = (self.pins.component(name),)
            return verify.library(
                name, target, self._auditor, of=of, tests=tests, contains=contains
            )

        makes: dict[str, Callable[[], Stage]] = {
            "toolchain": lambda: verify.toolchain(
                target,
                self._auditor,
                of=self.toolchain(target),
                contains=tuple(map(self.pins.component, RUNTIME)),
            ),
            **{name: partial(library, name) for name in libraries.with_their_needs(needs)},
        }
        if rust:
            makes["rust-std"] = lambda: verify.rust_std(
                target, self._auditor, of=self.rust_std(target)
            )
        return {
            name: self._once(f"verify {name}-{target.name}", make) for name, make in makes.items()
        }

    def components(self, service: Service) -> tuple[Component, ...]:
        """What a service's program and image hold, beside its own code and Rust's."""
        names = (*RUNTIME, *libraries.with_their_needs(service.libraries))
        if service.image.ca_bundle:
            names = (*names, "ca-certificates")
        return tuple(map(self.pins.component, names))

    def components_of_sdk(self) -> tuple[Component, ...]:
        """What a toolchain for use by hand holds that gets into programs."""
        return tuple(map(self.pins.component, (*RUNTIME, *LIBRARIES)))

    @cached_property
    def _auditor(self) -> Auditor:
        return Auditor(
            code=source_trees.tree(PROJECT, verify.CODE),
            reads_with=", ".join(f"{name} {version(name)}" for name in ("capstone", "pyelftools")),
            allowed=allowed_code(),
        )

    def sdk_archive(self, target: Target) -> Stage:
        """The toolchain for use by hand as one file."""
        proofs = tuple(self.proofs_of_sdk(target).items())
        return self._once(
            f"sdk-archive-{target.name}",
            lambda: sdk.archive(target, sdk=self.sdk(target), proofs=proofs),
        )

    def proofs_of_sdk(self, target: Target) -> dict[str, Stage]:
        """The verifications of all that can be linked by hand."""
        return self.proofs_of_parts(target, tuple(LIBRARIES), rust=True)

    def boot(self, service: Service, target: Target, board: Board) -> Stage:
        """A start of a service on an emulated board."""
        return self._once(
            f"boot {service.name}-{board.name}-{target.name}",
            lambda: boot.service(
                service,
                target,
                board,
                qemu=self.qemu_system(),
                board_files=self.board(board, target),
                program=self.program(service, target),
                bundle=self._bundle_of(service),
                files=_files_of(service),
            ),
        )

    def board(self, board: Board, target: Target) -> Stage:
        """Kernel and first program of a board."""
        return self._once(
            f"board {board.name}-{target.name}",
            lambda: boot.board(
                board,
                target,
                code=source_trees.tree(PROJECT, boot.CODE),
                kernel=self.pins.group(board.kernel),
                toolchain=self.toolchain(target),
            ),
        )

    def image(self, service: Service, target: Target) -> Stage:
        """Program and image of one platform."""
        return self._once(
            f"image {service.name}-{target.name}",
            lambda: image.stage(
                service,
                target,
                program=self.program(service, target),
                bundle=self._bundle_of(service),
                files=_files_of(service),
                proofs=tuple(self.proofs(service, target).items()),
            ),
        )

    def index(self, service: Service, targets: tuple[Target, ...]) -> Stage:
        """Image of all platforms."""
        names = "+".join(target.name for target in targets)
        images = {target.name: self.image(service, target) for target in targets}
        return self._once(f"index {service.name}-{names}", lambda: image.index(service, images))

    def _bundle_of(self, service: Service) -> Stage | None:
        if not service.image.ca_bundle:
            return None
        source = self.pins.component("ca-certificates")
        return self._once("ca-bundle", lambda: image.ca_bundle(source))

    def _kit_of(self, service: Service, target: Target, *tools: str) -> Kit:
        kit = self.kit(target, service.libraries, *tools)
        return replace(kit, stack=service.stack, remedies=libraries.remedies(service))

    def _cargo(self, service: Service, target: Target) -> Stage:
        workspace = self._workspace(service)
        return cargo.stage(
            service,
            target,
            workspace=workspace,
            crates=self._crates(workspace.root),
            rust=self.rust(),
            rust_std=self.rust_std(target),
            kit=self._kit_of(service, target),
            library_env=libraries.environment(service.libraries, target),
            host_triple=self.host_triple,
            qemu=self.qemu(),
        )

    def _make(self, service: Service, target: Target) -> Stage:
        return make_service.stage(
            service,
            target,
            source=self._project(service),
            kit=self._kit_of(service, target),
            qemu=self.qemu(),
        )

    def _cmake(self, service: Service, target: Target) -> Stage:
        return cmake.stage(
            service,
            target,
            source=self._project(service),
            kit=self._kit_of(service, target, "cmake"),
            qemu=self.qemu(),
        )

    def _workspace(self, service: Service) -> Workspace:
        if service.name not in self._workspaces:
            self._workspaces[service.name] = cargo_workspaces.of(service)
        return self._workspaces[service.name]

    def _project(self, service: Service) -> Tree:
        if service.name not in self._projects:
            self._projects[service.name] = source_trees.of_project(service.root)
        return self._projects[service.name]

    def crates(self) -> list[Stage]:
        """The crates of every cargo service, and of std where they do not come with it."""
        roots = {
            cargo_workspaces.root_of(each)
            for each in self.services.values()
            if each.build == "cargo"
        }
        of_std = self._crates_of_std() if roots else None
        return [*(self._crates(root) for root in sorted(roots)), *([of_std] if of_std else ())]

    def _crates(self, root: Path) -> Stage:
        name = root.name if self._lock_folders.count(root.name) == 1 else _distinct(root)
        return self._once(
            f"crates {root}",
            lambda: crates.stage(name, workspace=cargo_workspaces.whole(root), rust=self.rust()),
        )

    @cached_property
    def _lock_folders(self) -> list[str]:
        """The names of the folders with locks, and that of std's crates."""
        cargos = [each for each in self.services.values() if each.build == "cargo"]
        found = {cargo_manifest.locked(each.root) for each in cargos}
        return [OF_STD, *(root.name for root in found if root is not None)]


def allowed_code() -> tuple[allowed.Entry, ...]:
    """Code beyond the baselines that is behind a look at the processor; raises `BadDeclaration`."""
    return declaration.read(allowed.LIST, AllowedCode).allowed


def _distinct(root: Path) -> str:
    """A name for a project's folder that no other folder has."""
    return f"{root.name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


def _files_of(service: Service) -> tuple[tuple[str, Tree], ...]:
    """What an image holds of the project beside its program."""
    if not service.image.files:
        return ()
    tree = source_trees.named(service.root, service.image.files.values())
    for file in tree.files:
        if source_trees.is_compiled(service.root / file.path):
            why = "is machine code, and an image holds only what was verified: it wants a service"
            fault = f"image.files: {file.path} {why} of its own"
            raise errors.BadDeclaration(service.declared, [fault])
    return (("files", tree),)
