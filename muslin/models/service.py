"""A service: one folder with a `service.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from muslin.audit import baseline
from muslin.audit.baseline import BASELINES
from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.engine.similar_names import similar
from muslin.models import (
    cargo_manifest,
    cargo_program,
    declaration,
    project_paths,
    service_places,
)
from muslin.models.build_options import Cargo, Cmake, Make
from muslin.models.declaration import Declaration, Text
from muslin.models.image import Image, Variable
from muslin.models.packaging import Packaging
from muslin.models.service_checks import Run, Serve
from muslin.models.service_places import FILE, Place

OURS = re.compile(
    r"(AR|AS|CC|CFLAGS|CXX|CXXFLAGS|DESTDIR|HOME|HOSTCC|HOSTCXX|LC_ALL|LD|LDLIBS|MAKEFLAGS|NM"
    r"|OBJCOPY|OBJDUMP|PATH|PKG_CONFIG|PREFIX|RANLIB|READELF|SOURCE_DATE_EPOCH|STRIP|TMPDIR|TZ"
    r"|HOST_(CC|CXX|AR|PKG_CONFIG)|.*_FOR_BUILD"
    r"|CROSS_COMPILE|GIT_CEILING_DIRECTORIES|OPENSSL_.*|LIBSQLITE3_.*|LIBSSH2_SYS_.*|ZSTD_SYS_.*|CMAKE_.*"
    r"|(BINDGEN_|CARGO|MUSLIN|RUST|CC_|CXX_|AR_|PKG_CONFIG_).*)"
)
"""Variables of a build that are the pipeline's own."""


class Allowed(Declaration):
    """Code beyond a target's baseline that is allowed in the program."""

    baselines: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Each `baseline` of the targets that it is allowed for."""
    symbols: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Patterns of symbol names, as the report shows them."""
    needs: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Processor features that the code needs, in the words of the report."""
    claims: tuple[Text, ...] = ()
    """Claims that this code causes, in the words of the report, such as `Tag_CPU_arch is v7`."""
    reason: Text
    """What checks the processor before this code runs, and where to read it."""

    @field_validator("baselines", "needs")
    @classmethod
    def _is_known(cls, said: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
        known = frozenset(BASELINES) if field.field_name == "baselines" else baseline.words()
        for one in said:
            if one not in known:
                near = similar(one, known, most=3, alike=0.3)
                hint = f"; near it are {', '.join(map(repr, near))}" if near else ""
                raise ValueError(f"no report says {one!r}{hint}")
        return said


class Service(Declaration):
    """One program, built for every target and packed into an image."""

    name: str
    """That of its folder."""
    folder: Path
    summary: Text
    """The service in one line for people."""
    build: Literal["cargo", "make", "cmake"]
    """What builds it."""
    source: Annotated[str, Field(min_length=1, max_length=project_paths.LONGEST_PATH)] = "."
    """Directory of the project, relative to this file."""
    binary: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$", max_length=120)]
    """Name of the program."""
    needs: tuple[str, ...] = ()
    """C libraries, by the names in `recipes/libraries/`."""
    allocator: Literal["musl", "mimalloc"] = "musl"
    """Implementation of malloc(3); musl's is small, and slow with many threads."""
    stack: Annotated[int, Field(ge=16 << 10, le=8 << 20)] | None = None
    """Bytes of a thread's stack if the program sets no size; musl's default is 131,072 (128 KiB).
    Threads of Rust have 2 MiB."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Environment variables of its build, such as a version; part of its key."""
    cargo: Cargo = Cargo()
    """Options of cargo."""
    make: Make = Make()
    """Options of make."""
    cmake: Cmake = Cmake()
    """Options of CMake."""
    image: Image
    """The container image."""
    package: Packaging = Packaging()
    """The Debian package."""
    run: tuple[Run, ...] = ()
    """Runs of the program as its checks."""
    serve: tuple[Serve, ...] = ()
    """Requests to the server as its checks."""
    allowed: tuple[Allowed, ...] = ()
    """Code beyond the baseline that is allowed."""

    @field_validator("environment")
    @classmethod
    def _is_the_projects(cls, variables: dict[str, str]) -> dict[str, str]:
        if taken := [name for name in variables if OURS.fullmatch(name)]:
            raise ValueError(f"{', '.join(taken)}: set by Muslin for every build")
        return variables

    @model_validator(mode="after")
    def _tables_of_its_own_build(self) -> Service:
        for table in {"cargo", "make", "cmake"} & self.model_fields_set - {self.build}:
            raise ValueError(f'[{table}] is of no use where build is "{self.build}"')
        return self

    @property
    def libraries(self) -> tuple[str, ...]:
        """What is linked by recipe: the C libraries that it needs, and its allocator."""
        return self.needs if self.allocator == "musl" else (*self.needs, self.allocator)

    @property
    def root(self) -> Path:
        """The project's own folder."""
        return documents.real(self.folder / self.source)

    @property
    def declared(self) -> Path:
        """The file that declares it."""
        return service_places.declaring(self.folder)


def load(folders: Iterable[Path]) -> dict[str, Service]:
    """The services in these folders, by name; raises `BadDeclaration`."""
    return read(service_places.named(folders))


def read(places: Mapping[str, Place]) -> dict[str, Service]:
    """The services of these places, by name; raises `BadDeclaration`."""
    return {name: _read(name, place) for name, place in places.items()}


def _read(name: str, place: Place) -> Service:
    path, folder = place.declared, place.folder
    more = {"name": name, "folder": str(folder)}
    if path.name == FILE:
        service = declaration.read(path, Service, **more)
    else:
        said = cargo_program.defaults(folder, program=place.program, release=place.release)
        said |= cargo_manifest.declared(folder)
        service = declaration.parse(path, said, Service, **more)
        if place.said:
            service = _overlaid(place, said, more)
    if faults := list(_faults(service)):
        raise errors.BadDeclaration(path, faults)
    return service


def _overlaid(place: Place, said: Mapping[str, Any], more: Mapping[str, str]) -> Service:
    """The same with what a project's settings say of it; its faults are in that file."""
    try:
        return declaration.parse(place.said_in, {**said, **place.said}, Service, **more)
    except errors.BadDeclaration as error:
        faults = [f"crates.{more['name']}.{fault}" for fault in error.faults]
        raise errors.BadDeclaration(place.said_in, faults) from error


def _faults(service: Service) -> Iterator[str]:
    """What a declaration says of its project that is not so."""
    root, image = service.root, service.image
    if fault := project_paths.fault_of_root(root):
        yield f"source: {fault}"
        return
    yield from project_paths.faults_of_files(root, image.files, image.own_files)
    yield from project_paths.faults_of_folders(root, image.files, image.folders)
    yield from project_paths.faults_of_modes(root, image.files, [*image.modes])
    match service.build:
        case "make":
            yield from project_paths.faults_of_make(root, service.make.arguments)
        case "cmake":
            yield from project_paths.faults_of_cmake(root, service.cmake.directory)
        case "cargo":
            yield from project_paths.faults_of_cargo(
                root,
                binary=service.binary,
                profile=service.cargo.profile,
                features=service.cargo.features,
            )
