"""Images of services, their starts on emulated boards, and toolchains for use by hand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from muslin import installation
from muslin.engine import errors
from muslin.engine.source import Tree
from muslin.engine.stage import Stage
from muslin.graph import libraries
from muslin.graph.host_tools import HostTools
from muslin.graph.memoised import Memory, memoised
from muslin.graph.programs import Programs
from muslin.graph.verifications import Verifications
from muslin.models import git_checkout, source_trees
from muslin.models.board import Board
from muslin.models.git_checkout import Checkout
from muslin.models.pins import Pins
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import boot, image, sdk


@dataclass(frozen=True, kw_only=True)
class Images(Memory):
    """The stages that pack what was built and verified, or start it."""

    tools: HostTools
    programs: Programs
    verifications: Verifications
    pins: Pins

    @memoised
    def image(self, service: Service, target: Target) -> Stage:
        """Program and image of one platform."""
        driver = self.verifications.toolchains.driver
        return image.stage(
            service,
            target,
            program=self.programs.program(service, target),
            bundle=self._bundle(service),
            files=files_of(service),
            proofs=tuple(self.verifications.of_service(service, target).items()),
            checkout=checkout_of(service),
            driver="" if driver == "builtin" else driver,
        )

    @memoised
    def index(self, service: Service, targets: tuple[Target, ...]) -> Stage:
        """Image of all platforms."""
        return image.index(
            service, {target.name: self.image(service, target) for target in targets}
        )

    @memoised
    def start(self, service: Service, target: Target, board: Board) -> Stage:
        """A start of a service on an emulated board."""
        return boot.service(
            service,
            target,
            board,
            qemu=self.tools.qemu_system(),
            board_files=self.board(board, target),
            program=self.programs.program(service, target),
            bundle=self._bundle(service),
            files=files_of(service),
        )

    @memoised
    def board(self, board: Board, target: Target) -> Stage:
        """Kernel and first program of a board."""
        return boot.board(
            board,
            target,
            code=source_trees.tree(installation.ROOT, boot.CODE),
            kernel=self.pins.group(board.kernel),
            toolchain=self.verifications.toolchains.toolchain(target),
        )

    @memoised
    def sdk(self, target: Target) -> Stage:
        """The toolchain with every library and Rust, to be used by hand."""
        return sdk.stage(
            target,
            kit=self.verifications.libraries.kit(target, tuple(libraries.LIBRARIES)),
            rust=self.tools.rust(),
            rust_std=self.verifications.rust.std(target),
            qemu=self.tools.qemu(),
        )

    @memoised
    def sdk_archive(self, target: Target) -> Stage:
        """The toolchain for use by hand as one file."""
        proofs = tuple(self.verifications.of_sdk(target).items())
        return sdk.archive(target, sdk=self.sdk(target), proofs=proofs)

    def _bundle(self, service: Service) -> Stage | None:
        return self._ca_bundle() if service.image.ca_bundle else None

    @memoised
    def _ca_bundle(self) -> Stage:
        return image.ca_bundle(self.pins.component("ca-certificates"))


def checkout_of(service: Service) -> Checkout | None:
    """What labels name of the checkout that the project is in, if it wants them."""
    if not service.image.git_labels:
        return None
    found = git_checkout.find(service.root)
    if found is None or not found.commit:
        fault = f"image.git-labels: {service.root} is in no git checkout with a commit"
        raise errors.BadDeclaration(service.declared, [fault])
    return found


def own_files(service: Service, names: Collection[str], key: str) -> tuple[tuple[str, Tree], ...]:
    """What of a project's own files an image or package holds beside its program; `key` is where
    the declaration names them. Raises `BadDeclaration` for machine code, which nothing verified."""
    if not names:
        return ()
    tree = source_trees.named(service.root, names)
    for file in tree.files:
        if source_trees.is_compiled(service.root / file.path):
            why = "is machine code, and only what was verified is delivered: it wants a service"
            fault = f"{key}: {file.path} {why} of its own"
            raise errors.BadDeclaration(service.declared, [fault])
    return (("files", tree),)


def files_of(service: Service) -> tuple[tuple[str, Tree], ...]:
    """What an image holds of the project beside its program."""
    return own_files(service, service.image.files.values(), "image.files")
