"""A service: one folder with a `service.toml`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from recipes import declaration, errors
from recipes.audit import baseline
from recipes.audit.baseline import BASELINES
from recipes.declaration import Declaration

NAME = r"[a-z0-9]+([._-][a-z0-9]+)*"
"""What a repository of images can be called."""
FILE = "service.toml"
MONTH = 30 * 24 * 3600
MANIFEST = "Cargo.toml"
Text = Annotated[str, Field(min_length=1)]
PROGRAM_PATH = re.compile(r"(/[A-Za-z0-9._+-]+)+")
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
OURS = re.compile(
    r"(AR|AS|CC|CFLAGS|CXX|CXXFLAGS|DESTDIR|HOME|HOSTCC|HOSTCXX|LC_ALL|LD|LDLIBS|MAKEFLAGS|NM"
    r"|OBJCOPY|OBJDUMP|PATH|PKG_CONFIG|PREFIX|RANLIB|READELF|SOURCE_DATE_EPOCH|STRIP|TMPDIR|TZ"
    r"|HOST_(CC|CXX|AR|PKG_CONFIG)|.*_FOR_BUILD"
    r"|CROSS_COMPILE|GIT_CEILING_DIRECTORIES|OPENSSL_.*|LIBSQLITE3_.*|CMAKE_.*"
    r"|(BINDGEN_|CARGO|MUSLIN|RUST|CC_|CXX_|AR_|PKG_CONFIG_).*)"
)
"""Variables of a build that are the pipeline's own."""
Seconds = Annotated[float, Field(gt=0, le=MONTH)]
Megabytes = Annotated[int, Field(gt=0, le=4000)]
"""Read into memory."""
AbsolutePath = Annotated[str, Field(pattern=r"^/")]


ImagePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._+@-]+)+$")]
ProjectPath = Annotated[str, Field(pattern=r"^[^/]")]
OUR_FILES = ("/etc/passwd", "/etc/group")


class Image(Declaration):
    """What the service's container image is told beyond its program."""

    entrypoint: Annotated[tuple[str, ...], Field(min_length=1)]
    """First the program's path in the image, such as `/hello`."""
    port: Annotated[int, Field(gt=0, lt=65536)] | None = None
    ca_bundle: bool = False
    labels: dict[str, str] = Field(default_factory=dict)
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Variables that the program finds, beside `PORT`."""
    files: dict[ImagePath, ProjectPath] = Field(default_factory=dict)
    """Files and folders of the project by their paths in the image."""

    @field_validator("entrypoint")
    @classmethod
    def _leads_to_the_program(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        parts = words[0].split("/")
        if (
            not PROGRAM_PATH.fullmatch(words[0])
            or parts[1] in ("dev", "etc", "proc", "sys", "tmp")  # the image's own, and the kernel's
            or {".", ".."} & set(parts)
        ):
            raise ValueError(
                "the first word is the program's path in the image, such as /hello; "
                "not in /etc, /tmp or what the kernel fills"
            )
        return words


class Run(Declaration):
    """A run of the program and what it must print, on standard output or standard error."""

    arguments: tuple[str, ...] = ()
    expect: Text
    code: Annotated[int, Field(ge=0, le=255)] = 0
    """The exit code."""
    input: str = ""
    """What it reads from standard input."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    seconds: Seconds | None = None
    """In which it must end; 300 where this says nothing, or what `MUSLIN_CHECK_SECONDS` says."""
    megabytes: Megabytes | None = None
    """That it may print; 16 where this says nothing."""

    @property
    def is_plain(self) -> bool:
        """Whether it takes no more than a command line and ends well: a board can start it."""
        return self.code == 0 and not self.input and not self.environment


class Serve(Declaration):
    """A request to the running program and what the answer must hold."""

    scheme: Literal["http", "https"]
    path: AbsolutePath
    expect: Text
    seconds: Seconds | None = None
    """From its start until it must have answered; 300 where this says nothing, or what
    `MUSLIN_CHECK_SECONDS` says."""
    megabytes: Megabytes | None = None
    """Of its answer; 16 where this says nothing."""


class Cargo(Declaration):
    """How cargo is called."""

    features: tuple[Text, ...] = ()
    default_features: bool = True
    profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = "release"
    """`release`, `dev`, or one that the workspace's manifest defines."""
    lto: Literal["", "off", "thin", "fat"] = ""
    """Optimisation across crates; empty for what the profile says."""
    panic: Literal["", "unwind", "abort"] = ""
    """What a panic does; empty for what the profile says."""

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """What is said of the profile, as cargo's environment has it."""
        prefix = f"CARGO_PROFILE_{self.profile.upper().replace('-', '_')}"
        said = (("LTO", self.lto), ("PANIC", self.panic))
        return (
            # Stripped in the end, once the code was looked at.
            (f"{prefix}_STRIP", "none"),
            *((f"{prefix}_{name}", value) for name, value in said if value),
        )

    @property
    def folder(self) -> str:
        """Where cargo puts what it builds by this profile."""
        return {"dev": "debug", "test": "debug", "bench": "release"}.get(self.profile, self.profile)


class Make(Declaration):
    """How make is called."""

    arguments: tuple[Text, ...] = ("all",)
    """Goals and variables, such as `["posix", "WITH_TLS=1"]`."""
    program: str = ""
    """Where the program is after that, below the project, if there is no goal `install`."""
    parallel: bool = True
    """Whether the Makefile names what each file is made from, so that several jobs can be at it."""


class Cmake(Declaration):
    """How CMake is called."""

    directory: ProjectPath = "."
    """Where the project's `CMakeLists.txt` lies, if it is not at its root: `build/cmake`."""
    options: tuple[Annotated[str, Field(pattern=r"^-")], ...] = ()
    """Such as `-DBUILD_TESTING=OFF`."""
    program: str = ""
    """Where the program is below the build's folder, if nothing installs it."""


class Allowed(Declaration):
    """Code beyond a target's processor that may be in the program."""

    baselines: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The `baseline` of the targets that it is allowed for."""
    symbols: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Where it is: patterns of the names that the report shows."""
    needs: Annotated[tuple[Text, ...], Field(min_length=1)]
    """What it needs, in the report's words."""
    claims: tuple[Text, ...] = ()
    """Claims of the program that come of this code, in the report's words: `Tag_CPU_arch is v7`."""
    reason: Text
    """What looks whether the processor has it, and where that can be read."""

    @field_validator("baselines", "needs")
    @classmethod
    def _is_known(cls, said: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
        known = frozenset(BASELINES) if field.field_name == "baselines" else baseline.words()
        for one in said:
            if one not in known:
                near = difflib.get_close_matches(one, sorted(known), n=3, cutoff=0.3)
                hint = f"; near it are {', '.join(map(repr, near))}" if near else ""
                raise ValueError(f"no report says {one!r}{hint}")
        return said


class Service(Declaration):
    """One program, built for every target and packed into an image."""

    name: str
    """That of its folder."""
    folder: Path
    summary: Text
    build: Literal["cargo", "make", "cmake"]
    source: Text = "."
    """Where the project lies, seen from this file, which may be in a folder of its own."""
    binary: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$", max_length=120)]
    """Name of the program."""
    needs: tuple[str, ...] = ()
    """C libraries by recipe."""
    allocator: Literal["musl", "mimalloc"] = "musl"
    """What serves malloc(3); musl's is small, and slow where many threads ask for memory."""
    stack: Annotated[int, Field(ge=16 << 10, le=8 << 20)] | None = None
    """Bytes of a thread's stack where the program says nothing: musl's 131,072 (128 KiB) otherwise,
    and at most 8 MiB. Rust's own threads have 2 MiB."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Variables that its build finds, such as a version; they are part of what it is built from."""
    cargo: Cargo = Cargo()
    make: Make = Make()
    cmake: Cmake = Cmake()
    image: Image
    run: tuple[Run, ...] = ()
    serve: tuple[Serve, ...] = ()
    allowed: tuple[Allowed, ...] = ()

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

    @model_validator(mode="after")
    def _files_have_places_of_their_own(self) -> Service:
        taken = (*OUR_FILES, self.image.entrypoint[0])
        for path, said in self.image.files.items():
            if path in taken or {".", ".."} & {*path.split("/"), *said.split("/")}:
                raise ValueError(
                    f"image.files: {path} = {said!r}: a path of the image, other than "
                    f"{', '.join(taken)}, and one below the project, both without `.` and `..`"
                )
        return self

    @property
    def libraries(self) -> tuple[str, ...]:
        """What is linked by recipe: the C libraries that it needs, and its allocator."""
        return self.needs if self.allocator == "musl" else (*self.needs, self.allocator)

    @property
    def root(self) -> Path:
        """The project's own folder."""
        return (self.folder / self.source).resolve()

    @property
    def declared(self) -> Path:
        """The file that declares it."""
        return _declaring(self.folder)


def named(folders: Iterable[Path]) -> dict[str, Path]:
    """The folders by the names of the services in them, which are not read for it.

    Raises `BadDeclaration` for a name that no image can have, or that two have.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        name, fault = folder.name, ""
        if not re.fullmatch(NAME, name):
            fault = (
                f"its folder is called {name!r}, and an image cannot be: rename it, to lower-case "
                "letters and digits with one of - . _ between them"
            )
        elif name in found:
            fault = f"the name {name} is {found[name]}'s already"
        if fault:
            raise errors.BadDeclaration(_declaring(folder), [fault])
        found[name] = folder
    return found


def load(folders: Iterable[Path]) -> dict[str, Service]:
    """The services in these folders, by name; raises `BadDeclaration`."""
    return {name: _read(folder) for name, folder in named(folders).items()}


def declares(folder: Path) -> bool:
    """Whether a folder holds a service."""
    return _declaring(folder).is_file()


def _declaring(folder: Path) -> Path:
    """`service.toml`, or the `Cargo.toml` whose `[package.metadata.muslin]` says the same."""
    if not (folder / FILE).is_file() and _metadata(folder / MANIFEST):
        return folder / MANIFEST
    return folder / FILE


def _read(folder: Path) -> Service:
    path = _declaring(folder)
    more = {"name": folder.name, "folder": str(folder)}
    if path.name == FILE:
        service = declaration.read(path, Service, **more)
    else:
        package = declaration.load(path)["package"]
        said = {
            "build": "cargo",
            "binary": package.get("name", ""),
            "summary": package.get("description", package.get("name", "")),
            **_metadata(path),
        }
        service = declaration.parse(path, {**said, **more}, Service)
    if not service.root.is_dir():
        raise errors.BadDeclaration(path, [f"source: there is no folder {service.root}"])
    for name in service.image.files.values():
        if not (service.root / name).exists():
            raise errors.BadDeclaration(path, [f"image.files: there is no {service.root / name}"])
    return service


def _metadata(manifest: Path) -> dict[str, Any]:
    if not manifest.is_file():
        return {}
    package = declaration.load(manifest).get("package", {})
    table: dict[str, Any] = package.get("metadata", {}).get("muslin", {})
    return table
