"""A cargo package as a service that nobody declared: its program, libraries and check, as far as
its files say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muslin.engine import inputs
from muslin.engine.formats import documents
from muslin.models import cargo_manifest, linked_libraries

PARSERS = ("clap", "structopt")
"""Crates with which a program answers `--help`."""


def is_one(folder: Path) -> bool:
    """Whether a folder has a package with a program that is built by default."""
    if not cargo_manifest.is_there(folder) or cargo_manifest.manifest(folder).package is None:
        return False
    return bool(programs(folder))


def is_library(folder: Path) -> bool:
    """Whether a folder has a package, and that no program."""
    is_package = cargo_manifest.is_there(folder) and cargo_manifest.manifest(folder).package
    return bool(is_package) and not programs(folder)


def programs(folder: Path) -> list[str]:
    """The programs of a package that cargo builds when it is asked for no features."""
    lacking = left_out(folder)
    return [name for name in every_program(folder) if name not in lacking]


def left_out(folder: Path) -> dict[str, list[str]]:
    """Programs that cargo passes over when it is asked for no features, and the features that each
    requires and that are off by default."""
    manifest = cargo_manifest.manifest(folder)
    on = manifest.by_default
    lacking = {one.name: sorted({*one.required_features} - on) for one in manifest.bin}
    return {name: features for name, features in lacking.items() if features}


def every_program(folder: Path) -> list[str]:
    """The names of a package's programs, in cargo's order: `src/main.rs`, `src/bin`, `[[bin]]`.
    <https://doc.rust-lang.org/cargo/guide/project-layout.html>"""
    manifest = cargo_manifest.manifest(folder)
    package = cargo_manifest.package(folder)
    found = [one.name for one in manifest.bin if one.name]
    if package.autobins:
        if documents.is_file(folder / "src/main.rs") and not _is_listed(manifest, "src/main.rs"):
            found.insert(0, package.name)
        found += list(_of_bin(folder / "src/bin", manifest))
    return list(dict.fromkeys(found))


def _is_listed(manifest: cargo_manifest.Manifest, path: str) -> bool:
    return any(one.path == path for one in manifest.bin)


def _of_bin(folder: Path, manifest: cargo_manifest.Manifest) -> Iterator[str]:
    if not documents.is_folder(folder):
        return
    for path in sorted(inputs.folder(folder).iterdir()):
        file = path if path.suffix == ".rs" else path / "main.rs"
        listed = _is_listed(manifest, f"src/bin/{file.relative_to(folder)}")
        if documents.is_file(file) and not listed:
            yield path.stem


def members(root: Path) -> Iterator[Path]:
    """The folders of a workspace's members."""
    workspace = cargo_manifest.manifest(root).workspace
    yield from _packages(root, workspace.members if workspace else ())


def default_members(root: Path) -> Iterator[Path]:
    """Those of them that cargo builds in the workspace's folder; none where it says nothing."""
    workspace = cargo_manifest.manifest(root).workspace
    yield from _packages(root, workspace.default_members if workspace else ())


def _packages(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        found = [root] if pattern == "." else inputs.matches(root, pattern)
        for folder in found:
            if cargo_manifest.is_there(folder):
                yield documents.real(folder)


def defaults(folder: Path, *, program: str = "", release: str = "") -> dict[str, Any]:
    """What a `service.toml` would say of a package; of its image and checks too, if a `program` of
    it is inferred. One of the registry's, of which this `release` is built, prints its version."""
    package = cargo_manifest.package(folder)
    said: dict[str, Any] = {
        "build": "cargo",
        "binary": program or package.name,
        "summary": _summary(package),
    }
    if not program:
        return said
    needs = sorted(linked_libraries.needs(folder))
    said["needs"] = needs
    said["image"] = {"entrypoint": [f"/{program}"], "ca-bundle": "openssl" in needs}
    dependencies = cargo_manifest.manifest(folder).dependencies
    if release:
        said["run"] = [{"arguments": ["--version"], "expect": release}]
    elif any(name in dependencies for name in PARSERS):
        said["run"] = [{"arguments": ["--help"], "expect": "Usage"}]
    return said


def _summary(package: cargo_manifest.Package) -> str:
    """The first sentence of its description."""
    return " ".join(package.description.text.split()).partition(". ")[0] or package.name
