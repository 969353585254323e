"""The artifacts that a run can bring to `dist/`: of which stage each is, and where it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from muslin.graph.catalog import VERIFIED
from muslin.models.board import Board
from muslin.models.pins import Component
from recipes import boot, builder_image, sbom, verify
from recipes.debian import package

IMAGES, REPORTS = "images", "reports"
"""Folders of `dist/`."""
BILLS, LICENCES = "sbom", "licenses"
"""With what is said of programs."""
PACKAGES = "packages"
APT = "apt"
"""The archive of all packages, which is made of those in `PACKAGES`."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of a stage's output, and its destination in `dist/`."""

    stage: str
    """The stage's name."""
    file: str
    destination: str
    target: str = ""
    """Name of the target; empty for what serves several."""
    contains: tuple[Component, ...] = ()
    """What is linked into it or lies in it."""


def of_services(
    targets: Iterable[str], services: Mapping[str, tuple[Component, ...]]
) -> Iterator[Artifact]:
    """Programs and images; `services` has the components of each by its name."""
    targets = tuple(targets)
    for service, contains in services.items():
        for target in targets:
            stage = f"image-{service}-{target}"
            for file, destination in (
                (service, f"{target}/{service}"),
                ("image.tar", f"{IMAGES}/{service}-{target}.tar"),
            ):
                yield Artifact(
                    stage=stage,
                    file=file,
                    destination=destination,
                    target=target,
                    contains=contains,
                )
        yield Artifact(
            stage=f"image-{service}",
            file="image.oci.tar",
            destination=f"{IMAGES}/{service}.oci.tar",
            contains=contains,
        )


def of_packages(
    targets: Iterable[str], services: Mapping[str, tuple[Component, ...]]
) -> Iterator[Artifact]:
    """Debian packages; `services` has the components of each by its name."""
    for target in targets:
        for service, contains in services.items():
            yield Artifact(
                stage=f"deb-{service}-{target}",
                file=package.FILE,
                destination=f"{PACKAGES}/{service}-{target}.deb",
                target=target,
                contains=contains,
            )


def of_bills(targets: Iterable[str], services: Collection[str]) -> Iterator[Artifact]:
    """What programs are made of, and the licences of that."""
    for target in targets:
        for service in services:
            stage = f"{sbom.PREFIX}{service}-{target}"
            for file, destination in (
                (sbom.BILL, f"{BILLS}/{target}/{service}.cdx.json"),
                (sbom.TEXTS, f"{LICENCES}/{target}/{service}.txt"),
            ):
                yield Artifact(stage=stage, file=file, destination=destination, target=target)


def of_toolchains(
    targets: Iterable[str], contains: tuple[Component, ...] = ()
) -> Iterator[Artifact]:
    """The archives of toolchains for use by hand."""
    for target in targets:
        file = f"{target}.tar.gz"
        yield Artifact(
            stage=f"sdk-archive-{target}",
            file=file,
            destination=f"toolchains/{file}",
            target=target,
            contains=contains,
        )


def of_builder(architectures: Iterable[str], *, joint: bool) -> Iterator[Artifact]:
    """Images of Muslin itself; `joint` is the one of all platforms."""
    for name in architectures:
        for file, suffix in (("image.tar", "tar"), ("contents.txt", "txt")):
            yield Artifact(
                stage=f"builder-{name}",
                file=file,
                destination=f"builder/muslin-builder-{name}.{suffix}",
            )
    if joint:
        yield Artifact(
            stage="builder", file="image.oci.tar", destination="builder/muslin-builder.oci.tar"
        )


def of_reports(
    targets: Iterable[str], services: Collection[str], boards: Iterable[Board]
) -> Iterator[Artifact]:
    """What verifications and starts on boards say."""
    boards = tuple(boards)
    for target in targets:
        for subject in (*services, *VERIFIED):
            stage = f"{verify.PREFIX}{subject}-{target}"
            yield from _reports(target, subject, stage, verify.REPORTS)
        for board in (board for board in boards if target in board.targets):
            for service in services:
                subject = boot.subject(service, board)
                yield from _reports(target, subject, f"{subject}-{target}", boot.REPORTS)


def _reports(target: str, subject: str, stage: str, files: Mapping[str, str]) -> Iterator[Artifact]:
    for suffix, file in files.items():
        destination = f"{REPORTS}/{target}/{subject}.{suffix}"
        yield Artifact(stage=stage, file=file, destination=destination, target=target)


def every(
    targets: Collection[str], services: Collection[str], boards: Iterable[Board]
) -> Iterator[Artifact]:
    """All that these declarations can bring; what each contains is left out."""
    yield from of_services(targets, dict.fromkeys(services, ()))
    yield from of_packages(targets, dict.fromkeys(services, ()))
    yield from of_bills(targets, services)
    yield from of_toolchains(targets)
    yield from of_builder(builder_image.VARIANTS, joint=True)
    yield from of_reports(targets, services, boards)
