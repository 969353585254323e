"""The stages of a goal: what the sessions build up to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

from muslin.engine.stage import Stage
from muslin.graph import errors
from muslin.graph.catalog import Catalog
from muslin.models.board import Board
from muslin.models.target import Target
from recipes import boot

Goal = Literal[
    "toolchain", "openssl", "rust-std", "services", "verify", "package", "packages", "boot", "sdk"
]
Targets = tuple[Target, ...]


def stages(
    goal: Goal, catalog: Catalog, targets: Targets, boards: Collection[Board]
) -> list[Stage]:
    """The stages of a goal, without the joint images; raises `NoBoard`, `NoArchitecture`."""
    pairs = [(service, target) for target in targets for service in catalog.services.values()]
    made: dict[Goal, Callable[[], list[Stage]]] = {
        "toolchain": lambda: [catalog.toolchains.toolchain(target) for target in targets],
        "openssl": lambda: [catalog.libraries.library("openssl", target) for target in targets],
        "rust-std": lambda: [catalog.rust.std(target) for target in targets],
        "services": lambda: [
            catalog.programs.program(service, target) for service, target in pairs
        ],
        "verify": lambda: list(proofs(catalog, targets).values()),
        "package": lambda: [
            *proofs(catalog, targets).values(),
            *(catalog.images.image(service, target) for service, target in pairs),
            *(
                catalog.bills.bill(service, target)
                for service, target in pairs
                if catalog.has_bills
            ),
        ],
        "packages": lambda: _packages(catalog, targets),
        "boot": lambda: _starts(catalog, targets, boards),
        "sdk": lambda: [
            *(
                stage
                for target in targets
                for stage in catalog.verifications.of_sdk(target).values()
            ),
            *(catalog.images.sdk(target) for target in targets),
            *(catalog.images.sdk_archive(target) for target in targets),
        ],
    }
    return made[goal]()


def proofs(catalog: Catalog, targets: Iterable[Target]) -> dict[tuple[str, str], Stage]:
    """The verifications of services and what they are linked with, by target and subject."""
    return {
        (target.name, subject): stage
        for target in targets
        for service in catalog.services.values()
        for subject, stage in catalog.verifications.of_service(service, target).items()
    }


def _packages(catalog: Catalog, targets: Targets) -> list[Stage]:
    """The package of every service for each target; raises `NoArchitecture` for one that dpkg has
    no name of."""
    for target in targets:
        if not target.debian.architecture:
            raise errors.NoArchitecture(target.name)
    packages = [
        catalog.packages.package(service, target)
        for target in targets
        for service in catalog.services.values()
    ]
    return [*proofs(catalog, targets).values(), *packages]


def _starts(catalog: Catalog, targets: Targets, boards: Collection[Board]) -> list[Stage]:
    """Every service on every board of the targets; raises `NoBoard` where there is none."""
    services = [service for service in catalog.services.values() if boot.tells(service)]
    found = [
        catalog.images.start(service, target, board)
        for target in targets
        for board in boards
        if target.name in board.targets
        for service in services
    ]
    if not found:
        known = {board.name: board.targets for board in boards}
        raise errors.NoBoard([target.name for target in targets], known)
    return found
