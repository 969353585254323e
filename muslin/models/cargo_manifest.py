"""What is read here of cargo's files: `Cargo.toml`, `Cargo.lock` and `.cargo/config.toml`.

<https://doc.rust-lang.org/cargo/reference/manifest.html>
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, model_validator

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign

MANIFEST = "Cargo.toml"
LOCK = "Cargo.lock"
CONFIGURATIONS = (".cargo/config.toml", ".cargo/config")
OLDEST = "2015"
"""The edition of a package that names none."""
METADATA = "package.metadata.muslin"
SourcePath = Annotated[str, Field(pattern=r"^[^\x00]+$", max_length=4000)]


class Inheritable(Foreign):
    """A text, or `{ workspace = true }` for what the workspace says."""

    text: str = ""
    workspace: bool = False

    @model_validator(mode="before")
    @classmethod
    def _of_a_text(cls, said: object) -> object:
        if isinstance(said, str):
            return {"text": said}
        if not isinstance(said, dict):
            raise ValueError("it should be a text or { workspace = true }")
        return {"workspace": said.get("workspace", False)}


class Dependency(Foreign):
    """One dependency, as far as it says where it lies."""

    path: SourcePath | None = None
    package: str = ""
    """Its name, where it is called otherwise here."""
    workspace: bool = False
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _of_a_version(cls, said: object) -> object:
        if isinstance(said, str):
            return {}
        if not isinstance(said, dict):
            raise ValueError("it should be a version or a table")
        return said


Dependencies = dict[str, Dependency]


class Platform(Foreign):
    """Dependencies of some platforms, or of all."""

    dependencies: Dependencies = Field(default_factory=dict)
    dev_dependencies: Dependencies = Field(
        default_factory=dict,
        validation_alias=AliasChoices("dev-dependencies", "dev_dependencies"),
    )
    build_dependencies: Dependencies = Field(
        default_factory=dict,
        validation_alias=AliasChoices("build-dependencies", "build_dependencies"),
    )

    @property
    def tables(self) -> Iterator[tuple[str, Dependencies]]:
        """Each table with its name."""
        yield "dependencies", self.dependencies
        yield "dev-dependencies", self.dev_dependencies
        yield "build-dependencies", self.build_dependencies


class Package(Foreign):
    """A package's own facts."""

    name: str
    description: Inheritable = Inheritable()
    edition: Inheritable = Field(default=OLDEST, validate_default=True)
    version: Inheritable = Inheritable()
    license: Inheritable = Inheritable()
    homepage: Inheritable = Inheritable()
    repository: Inheritable = Inheritable()
    authors: Any = ()
    """A list, or `{ workspace = true }`; cargo asks for none."""
    workspace: SourcePath | None = None
    """Where its workspace lies, if that is not above it."""
    default_run: str = Field(
        default="", validation_alias=AliasChoices("default-run", "default_run")
    )
    """The program of several that `cargo run` takes."""
    autobins: bool = True
    metadata: Any = None
    """Whatever other tools read."""


class Shared(Foreign):
    """What members inherit."""

    edition: str = OLDEST
    version: str = ""
    license: str = ""
    homepage: str = ""
    repository: str = ""
    authors: Any = ()


class Workspace(Foreign):
    """A workspace's members and what they share."""

    members: tuple[SourcePath, ...] = ()
    exclude: tuple[SourcePath, ...] = ()
    default_members: tuple[SourcePath, ...] = Field(
        default=(), validation_alias=AliasChoices("default-members", "default_members")
    )
    """The members that `cargo build` builds in the workspace's folder."""
    dependencies: Dependencies = Field(default_factory=dict)
    package: Shared = Shared()


class Binary(Foreign):
    """A program of a package."""

    name: str = ""
    path: str = ""
    required_features: tuple[str, ...] = Field(
        default=(), validation_alias=AliasChoices("required-features", "required_features")
    )
    """Without them cargo passes it over."""


class Manifest(Platform):
    """A `Cargo.toml`; an empty one where there is none."""

    package: Package | None = Field(
        default=None, validation_alias=AliasChoices("package", "project")
    )
    workspace: Workspace | None = None
    target: dict[str, Platform] = Field(default_factory=dict)
    patch: dict[str, Dependencies] = Field(default_factory=dict)
    replace: Dependencies = Field(default_factory=dict)
    features: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    bin: tuple[Binary, ...] = ()
    profile: dict[str, Any] = Field(default_factory=dict)

    @property
    def platforms(self) -> Iterator[tuple[str, Platform]]:
        """Every place of dependencies, with what its keys begin with."""
        yield "", self
        for name, platform in self.target.items():
            yield f"target.{name}.", platform

    @property
    def edition(self) -> str:
        """That of its package."""
        if self.package is None or not self.package.edition.workspace:
            return self.package.edition.text if self.package else OLDEST
        return self.workspace.package.edition if self.workspace else OLDEST

    @property
    def by_default(self) -> set[str]:
        """The features that are on by default, as manifests name them, and all that these turn
        on."""
        found, left = set[str](), ["default"]
        while left:
            if (name := left.pop()) not in found:
                found.add(name)
                left += self.features.get(name, ())
        return found

    @property
    def choices(self) -> set[str]:
        """The names that may stand among its features."""
        optional = {
            name
            for _, platform in self.platforms
            for _, table in platform.tables
            for name, said in table.items()
            if said.optional
        }
        return {"default", *self.features, *optional}


class Locked(Foreign):
    """A package of a lock."""

    name: str = ""
    version: str = ""
    source: str = ""
    checksum: str = ""
    """SHA-256 of its archive, from the registry's index."""
    dependencies: tuple[str, ...] = ()
    """Names, with a version behind a space where the lock has several."""


class Lock(Foreign):
    """A `Cargo.lock`."""

    package: tuple[Locked, ...] = ()


class Replaced(Foreign):
    """A source of crates that a configuration names."""

    directory: SourcePath | None = None
    local_registry: SourcePath | None = None

    @property
    def folders(self) -> Iterator[tuple[str, str]]:
        """The folders that stand for it, by their keys."""
        for key, folder in (("directory", self.directory), ("local-registry", self.local_registry)):
            if folder is not None:
                yield key, folder


class Configuration(Foreign):
    """A project's own configuration of cargo."""

    source: dict[str, Replaced] = Field(default_factory=dict)
    registries: dict[str, dict[str, Any]] = Field(default_factory=dict)


def manifest(folder: Path) -> Manifest:
    """The manifest in a folder; raises `BadDeclaration`."""
    path = folder / MANIFEST
    return _manifest(path, documents.text(path)) if documents.is_file(path) else Manifest()


@lru_cache(maxsize=1000)  # each is asked for at every step of every way that leads to it
def _manifest(path: Path, content: str) -> Manifest:
    return declaration.parse(path, documents.toml_of(path, content), Manifest)


def package(folder: Path) -> Package:
    """The package in a folder; raises `BadDeclaration` where there is none."""
    own = manifest(folder).package
    if own is None:
        raise errors.BadDeclaration(folder / MANIFEST, ["package: it is missing"])
    return own


def is_there(folder: Path) -> bool:
    """Whether a folder holds a manifest."""
    return documents.is_file(folder / MANIFEST)


def locked(package: Path) -> Path | None:
    """The nearest folder with a lock, a package's own or its workspace's."""
    for folder in (package, *package.parents):
        if documents.is_file(folder / LOCK):
            return folder
    return None


def lock(path: Path) -> Lock:
    """A lock file; raises `BadDeclaration`."""
    return declaration.read(path, Lock)


def configuration(root: Path) -> tuple[Configuration, dict[str, Any]]:
    """What a project's own configuration says of where crates are fetched, and its tables.
    <https://doc.rust-lang.org/cargo/reference/source-replacement.html>"""
    for name in CONFIGURATIONS:
        if documents.is_file(path := root / name):
            table = documents.toml(path)
            known = declaration.parse(path, table, Configuration)
            return known, {key: table[key] for key in ("registries", "source") if key in table}
    return Configuration(), {}


def declared(folder: Path) -> dict[str, Any]:
    """What a manifest says in `[package.metadata.muslin]`, nothing where it has no such table.

    Raises `BadDeclaration`.
    """
    path = folder / MANIFEST
    said: Any = documents.toml(path) if documents.is_file(path) else {}
    for key in METADATA.split("."):
        if not isinstance(said, dict):
            return {}  # other tools may put there what they like
        said = said.get(key, {})
    if not isinstance(said, dict):
        fault = f"{METADATA}: it should be a table with what a service.toml says, not {said!r:.60}"
        raise errors.BadDeclaration(path, [fault])
    return said
