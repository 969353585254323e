"""A cargo package as a service that nobody declared: its program, libraries and check, as far as
its files say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muslin.engine import errors, inputs
from muslin.engine.formats import documents
from muslin.models import cargo_manifest
from muslin.models.cargo_manifest import LOCK, MANIFEST, METADATA

LINKED = {
    "curl-sys": "curl",
    "libsqlite3-sys": "sqlite3",
    "libz-sys": "zlib",
    "openssl-sys": "openssl",
}
"""Crates that link a C library, and the name of its recipe."""
PARSERS = ("clap", "structopt")
"""Crates with which a program answers `--help`."""


def is_one(folder: Path) -> bool:
    """Whether a folder has a package with a program."""
    if not cargo_manifest.is_there(folder) or cargo_manifest.manifest(folder).package is None:
        return False
    return bool(programs(folder))


def programs(folder: Path) -> list[str]:
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
    for pattern in workspace.members if workspace else ():
        for folder in inputs.matches(root, pattern):
            if cargo_manifest.is_there(folder):
                yield documents.real(folder)


def defaults(folder: Path, *, whole: bool) -> dict[str, Any]:
    """What a `service.toml` would say of a package; of its image and checks too, if the `whole`
    of it is inferred. Raises `BadDeclaration` if it has several programs."""
    package = cargo_manifest.package(folder)
    said: dict[str, Any] = {
        "build": "cargo",
        "binary": package.name,
        "summary": package.description.text or package.name,
    }
    if not whole:
        return said
    said["binary"] = binary = _program(folder)
    needs = sorted(_needs(folder))
    said["needs"] = needs
    said["image"] = {"entrypoint": [f"/{binary}"], "ca-bundle": "openssl" in needs}
    dependencies = cargo_manifest.manifest(folder).dependencies
    if any(name in dependencies for name in PARSERS):
        said["run"] = [{"arguments": ["--help"], "expect": "Usage"}]
    return said


def _program(folder: Path) -> str:
    package = cargo_manifest.package(folder)
    found: list[str] = programs(folder)
    for name in (package.default_run, package.name, *(found if len(found) == 1 else ())):
        if name in found:
            return str(name)
    fault = (
        f"package {package.name} has the programs {', '.join(found)}: say which one, as "
        f"`default-run`, or as `binary` in [{METADATA}]"
    )
    raise errors.BadDeclaration(folder / MANIFEST, [fault])


def _needs(folder: Path) -> set[str]:
    root = cargo_manifest.locked(folder)
    if root is None:
        return set()
    locked = cargo_manifest.lock(root / LOCK).package
    return {LINKED[one.name] for one in locked if one.name in LINKED}
