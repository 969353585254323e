"""Every stage there can be, by what it is of: tools, toolchains, libraries, programs, images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from muslin.engine import errors as engine_errors
from muslin.engine.stage import Host
from muslin.graph.bills import Bills
from muslin.graph.builder_images import BuilderImages
from muslin.graph.c_libraries import CLibraries
from muslin.graph.host_tools import HostTools
from muslin.graph.images import Images
from muslin.graph.libraries import LIBRARIES
from muslin.graph.packages import Packages
from muslin.graph.programs import Programs
from muslin.graph.rust import Rust
from muslin.graph.toolchains import Toolchains
from muslin.graph.verifications import Verifications
from muslin.models import errors as model_errors
from muslin.models.pins import Pins
from muslin.models.service import Service
from muslin.models.settings import Driver
from muslin.models.target import Target

VERIFIED = ("toolchain", "rust-std", *LIBRARIES)
"""What has a verification of its own, beside the services."""
TAKEN = (
    "binutils",
    "board",
    "boot",
    "compiler",
    "deb",
    "gcc",
    "headers",
    "image",
    "image.tar",
    "musl-cross-make",
    "notices",
    "sbom",
    "sdk",
    "zig",
)
"""Other names that stages of a target start with, and a file beside a program."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The stages of one host, source set and driver; each is made when it is first asked for."""

    host: Host
    pins: Pins
    targets: Mapping[str, Target]
    missing_tools: bool
    """Whether the host lacks one of m4, bison, flex and patch."""
    services: Mapping[str, Service]
    driver: Driver = "builtin"
    mirror: str = ""
    """Address of a folder that is asked for wheels before pip is, or nothing."""

    def __post_init__(self) -> None:
        """Raises `BadDeclaration` for a service that needs what no recipe makes, or is called like
        another part of the pipeline."""
        _insist_on_names(self.services.values())

    @cached_property
    def tools(self) -> HostTools:
        """Programs that run on this machine."""
        return HostTools(
            host=self.host,
            pins=self.pins,
            missing_tools=self.missing_tools,
            mirror=self.mirror,
        )

    @cached_property
    def toolchains(self) -> Toolchains:
        """Compilers with their C libraries."""
        return Toolchains(
            tools=self.tools, pins=self.pins, targets=self.targets, driver=self.driver
        )

    @cached_property
    def libraries(self) -> CLibraries:
        """C libraries."""
        return CLibraries(tools=self.tools, toolchains=self.toolchains, pins=self.pins)

    @cached_property
    def rust(self) -> Rust:
        """Rust's std and crates."""
        return Rust(
            tools=self.tools, toolchains=self.toolchains, pins=self.pins, services=self.services
        )

    @cached_property
    def programs(self) -> Programs:
        """Programs of services."""
        return Programs(tools=self.tools, libraries=self.libraries, rust=self.rust)

    @cached_property
    def verifications(self) -> Verifications:
        """What holds machine code to a processor."""
        return Verifications(
            toolchains=self.toolchains,
            libraries=self.libraries,
            rust=self.rust,
            programs=self.programs,
            pins=self.pins,
        )

    @property
    def has_bills(self) -> bool:
        """Whether the linker says what it links, which bills are made of: zig's writes no such
        map."""
        return self.driver != "zig"

    @cached_property
    def bills(self) -> Bills:
        """What programs are made of."""
        return Bills(programs=self.programs, pins=self.pins, driver=self.driver)

    @cached_property
    def images(self) -> Images:
        """Images, starts on boards, toolchains for use by hand."""
        return Images(
            tools=self.tools,
            programs=self.programs,
            verifications=self.verifications,
            pins=self.pins,
        )

    @cached_property
    def packages(self) -> Packages:
        """Debian packages."""
        return Packages(programs=self.programs, verifications=self.verifications)

    @cached_property
    def builder_images(self) -> BuilderImages:
        """Images of Muslin itself."""
        return BuilderImages(pins=self.pins, mirror=self.mirror)


def _insist_on_names(services: Iterable[Service]) -> None:
    for service in services:
        if service.name in (*VERIFIED, *TAKEN):
            fault = f"name: a part of the pipeline is called {service.name}; take another"
            raise engine_errors.BadDeclaration(service.declared, [fault])
        if allocators := set(service.needs) & {"mimalloc"}:
            fault = f'needs: {allocators.pop()} is an allocator; say allocator = "mimalloc"'
            raise engine_errors.BadDeclaration(service.declared, [fault])
        unknown = [name for name in service.needs if name not in LIBRARIES]
        if unknown:
            faults = [
                f"needs: {model_errors.Unknown('C library', name, LIBRARIES)}" for name in unknown
            ]
            raise engine_errors.BadDeclaration(service.declared, faults)
