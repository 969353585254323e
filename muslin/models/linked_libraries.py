"""The C libraries that a cargo package links, by its manifest and lock.

A lock names every dependency there may be: those of tests, of other features. So the way leads from
what the package itself depends on by default, through the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from muslin.models import cargo_manifest
from muslin.models.cargo_manifest import LOCK, Locked, Manifest

LINKED = {
    "bzip2-sys": "bzip2",
    "curl-sys": "curl",
    "libsqlite3-sys": "sqlite3",
    "libz-sys": "zlib",
    "openssl-sys": "openssl",
    "pq-sys": "libpq",
    "zstd-sys": "zstd",
}
"""Crates that link a C library, and the name of its recipe."""


def needs(folder: Path) -> set[str]:
    """The recipes of what a package's programs link when cargo is asked for no features; of what
    its dependencies only may link too, for their manifests are not there yet."""
    root = cargo_manifest.locked(folder)
    if root is None:
        return set()
    known: dict[str, list[Locked]] = {}
    for one in cargo_manifest.lock(root / LOCK).package:
        known.setdefault(one.name, []).append(one)
    own, *_ = known.get(cargo_manifest.package(folder).name, [Locked()])
    wanted = set(_direct(cargo_manifest.manifest(folder), cargo_manifest.manifest(root)))
    left = [one for one in own.dependencies if one.split(" ")[0] in wanted]
    seen = set[str]()
    while left:
        if (dependency := left.pop()) not in seen:
            seen.add(dependency)
            left += (word for one in _meant(dependency, known) for word in one.dependencies)
    return {LINKED[name] for name in (one.split(" ")[0] for one in seen) if name in LINKED}


def _meant(dependency: str, known: Mapping[str, list[Locked]]) -> Iterator[Locked]:
    """The package that an entry of `dependencies` in a lock is about: `name`, or, of several with
    one name, `name version`."""
    name, _, version = dependency.partition(" ")
    for one in known.get(name, ()):
        if not version or one.version == version.split(" ")[0]:
            yield one


def _direct(own: Manifest, workspace: Manifest) -> Iterator[str]:
    """The packages that a package depends on, not for tests or build scripts alone, and less those
    of features that are off by default."""
    shared = workspace.workspace.dependencies if workspace.workspace else {}
    on = {word.partition("/")[0] for word in own.by_default if "?/" not in word}
    for _, platform in own.platforms:
        for name, said in platform.dependencies.items():
            if not said.optional or {name, f"dep:{name}"} & on:
                where = shared.get(name, said) if said.workspace else said
                yield where.package or name
