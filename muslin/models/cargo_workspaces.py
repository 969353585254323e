"""Cargo workspaces as far as one package needs them: its folder, those it depends on by path, and
what lies beside the members (`proto/`, `migrations/`, `.sqlx/`).

A service is built from a copy that holds these and no other member, so that a change in one leaves
it alone. The workspace's manifest is written anew to match.
<https://doc.rust-lang.org/cargo/reference/workspaces.html>
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from muslin.engine import errors, inputs
from muslin.engine.formats import documents
from muslin.engine.source import File, Tree
from muslin.invocation import spelled
from muslin.models import cargo_manifest, crate_sources, source_trees
from muslin.models.cargo_manifest import LOCK, MANIFEST, is_there, manifest
from muslin.models.service import Service
from muslin.models.service_places import declares

OF_THE_WORKSPACE = ("workspace", "profile", "patch", "replace", "cargo-features")
"""What a workspace's manifest says to its members; the rest is about a package in its folder."""
OF_A_PACKAGE = ("build.rs", "src", "tests", "benches", "examples")
"""What lies in a workspace's folder for the package there, if it has one."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What cargo needs for one package."""

    root: Path
    """The folder with the lock file."""
    files: Tree
    manifest: str
    """The package's, below the tree."""
    written: tuple[tuple[str, str], ...] = ()
    """Manifests that take the place of what the tree holds, by path."""
    sources: str = ""
    """A configuration that has cargo take every crate of the lock from one folder, `{folder}`."""
    settings: str = ""
    """What the project's own configuration says of where crates are fetched; below `{tree}` where
    it means a folder."""


def root_of(service: Service) -> Path:
    """The nearest folder with a lock file, the package's own or its workspace's.

    Raises `BadDeclaration` where there is none.
    """
    if (root := cargo_manifest.locked(service.root)) is not None:
        return root
    if is_there(service.root):
        why = (
            f"there is no {LOCK}; run `cargo generate-lockfile` in {service.root}, or, without a "
            f"cargo of your own, `{spelled('cargo', 'TARGET generate-lockfile')}` there"
        )
    else:
        why = f"there is no {MANIFEST} in {service.root}; `source` says where the project lies"
    raise errors.BadDeclaration(service.declared, [f"build: {why}"])


def of(service: Service) -> Workspace:
    """The workspace as a service needs it; raises `BadDeclaration` if it does not know it."""
    root, package = root_of(service), service.root
    known = members(root)
    if package != root and package not in known:
        own = "add an empty [workspace] to its Cargo.toml and run `cargo generate-lockfile` in it"
        fault = f"{root / MANIFEST} has no member {os.path.relpath(package, root)}, and it has no "
        raise errors.BadDeclaration(service.declared, [f"build: {fault}{LOCK} of its own: {own}"])
    packages = _with_dependencies(root, {package})
    others = _others(root, packages)
    base = _common(root, packages | others)
    written = {}
    if package != root or known:
        name = str((root / MANIFEST).relative_to(base))
        written[name] = _manifest(root, packages & (known | {root}))
    for other in others:
        name = str((other / MANIFEST).relative_to(base))
        written[name] = _manifest(other, {one for one in packages if _workspace_of(one) == other})
    paths = {(one / MANIFEST).relative_to(base) for one in others}
    paths |= {(root / LOCK).relative_to(base), *_files(base, root, packages, known)}
    if root not in packages:
        paths |= set(_beside(base, service, root, known))
    return Workspace(
        root=root,
        files=Tree(root=base, files=source_trees.files(base, paths)),
        manifest=str((package / MANIFEST).relative_to(base)),
        written=tuple(sorted(written.items())),
        sources=crate_sources.replaced(root / LOCK),
        settings=crate_sources.registries(root),
    )


def whole(root: Path) -> Workspace:
    """All that cargo reads to fetch a workspace's crates. Sources must be there for it, and cannot
    change what is fetched."""
    known = members(root)
    packages = _with_dependencies(root, known | {root})
    others = _others(root, packages)
    folders = crate_sources.vendored(root)
    base = _common(root, packages | others | folders)
    manifests = {(one / MANIFEST).relative_to(base) for one in others}
    everything = source_trees.files(base, {*manifests, *_files(base, root, packages, known)})
    # All of a vendored crate, whatever a file is called: cargo compares each with its list.
    vendored = {
        (folder / path).relative_to(base)
        for folder in folders
        for path in source_trees.everything(folder)
    }
    lock = source_trees.files(base, [(root / LOCK).relative_to(base), *vendored])

    def counts(file: File) -> bool:
        return Path(file.path).name in (MANIFEST, LOCK)

    return Workspace(
        root=root,
        files=Tree(
            root=base,
            files=(*lock, *(file for file in everything if counts(file) and file not in lock)),
            also=tuple(file for file in everything if not counts(file)),
        ),
        manifest=str((root / MANIFEST).relative_to(base)),
        settings=crate_sources.in_tree(root, base),
    )


def members(root: Path) -> set[Path]:
    """The folders of a workspace's members, by its manifest's patterns and names."""
    workspace = manifest(root).workspace
    if workspace is None:
        return set()
    excluded = {documents.real(root / name) for name in workspace.exclude}
    found = {
        documents.real(folder)
        for pattern in workspace.members
        for folder in inputs.matches(root, pattern)
        if is_there(folder)
    }
    # Path dependencies below the root are members without being named.
    below = {one for one in _with_dependencies(root, found | {root}) if root in one.parents}
    return (found | below) - excluded


def _files(base: Path, root: Path, packages: set[Path], known: set[Path]) -> Iterator[Path]:
    """The packages' files, each package's without those of packages inside its folder."""
    everyone = {folder for folder in packages | known if folder != root or root in packages}
    vendored = crate_sources.vendored(root)
    for package in packages:
        if package == root and manifest(root).package is None:
            yield (root / MANIFEST).relative_to(base)
            continue
        inner = [other for other in everyone if package in other.parents]
        for path in source_trees.sources(package, lambda folder: folder in vendored):
            whole_path = package / path
            if not any(other in whole_path.parents for other in inner):
                yield whole_path.relative_to(base)


def _beside(base: Path, service: Service, root: Path, known: set[Path]) -> Iterator[Path]:
    """What lies in a workspace's folder and in no member's: a build script or `include_str!` may
    read it. Less what other services are made of."""
    vendored = crate_sources.vendored(root)

    def is_anothers(folder: Path) -> bool:
        own = folder in (service.folder, service.root)
        return folder in known or folder in vendored or (declares(folder) and not own)

    own = OF_A_PACKAGE if manifest(root).package else ()
    for path in source_trees.sources(root, is_anothers):
        if path.parts[0] not in (MANIFEST, *own):
            yield (root / path).relative_to(base)


def _others(root: Path, packages: set[Path]) -> set[Path]:
    """Workspaces that packages outside a root belong to, and inherit from."""
    outside = (one for one in packages if one != root and root not in one.parents)
    return {one for one in map(_workspace_of, outside) if one is not None} - {root}


def _workspace_of(package: Path) -> Path | None:
    """The folder of the workspace that a package belongs to, as cargo looks for it: the nearest
    above it, unless that excludes it."""
    own = manifest(package).package
    if own and own.workspace:
        return documents.real(package / own.workspace)
    for folder in (package, *package.parents):
        if (workspace := manifest(folder).workspace) is not None:
            excluded = {documents.real(folder / one) for one in workspace.exclude}
            return None if excluded & {package, *package.parents} else folder
    return None


def _with_dependencies(root: Path, packages: set[Path]) -> set[Path]:
    """Packages and all that they depend on by path, and what the workspace patches."""
    found, left = set[Path](), {*packages, *_patched(root)}
    while left:
        package = left.pop()
        if package not in found:
            found.add(package)
            left |= set(_path_dependencies(_workspace_of(package) or root, package))
    return found


def _path_dependencies(root: Path, package: Path) -> Iterator[Path]:
    """Raises `BadDeclaration` for one that is not there."""
    own, workspace = manifest(package), manifest(root).workspace
    shared = workspace.dependencies if workspace else {}
    for prefix, platform in own.platforms:
        for table, dependencies in platform.tables:
            for name, said in dependencies.items():
                place, where, key = package, said, f"{prefix}{table}.{name}"
                if said.workspace and name in shared:
                    place, where, key = root, shared[name], f"workspace.dependencies.{name}"
                if where.path is None:
                    continue
                folder = documents.real(place / where.path)
                # Of another project cargo leaves out what only its tests need.
                if not is_there(folder) and table != "dev-dependencies":
                    fault = f"{key}.path: there is no {folder / MANIFEST}"
                    raise errors.BadDeclaration(place / MANIFEST, [fault])
                if is_there(folder):
                    yield folder


def _patched(root: Path) -> Iterator[Path]:
    own = manifest(root)
    for table in (*own.patch.values(), own.replace):
        for said in table.values():
            if said.path is not None:
                yield documents.real(root / said.path)


def _manifest(root: Path, kept: set[Path]) -> str:
    """The workspace's manifest with these members alone; without the root's own package unless it
    is one of them."""
    known, table = manifest(root), documents.toml(root / MANIFEST)
    workspace = dict(table.get("workspace", {}))
    workspace["members"] = sorted(os.path.relpath(one, root) for one in kept if one != root)
    workspace.pop("default-members", None)
    if root not in kept:
        # A package's edition chooses the resolver; a workspace without one must name it.
        workspace.setdefault("resolver", {"2021": "2", "2024": "3"}.get(known.edition, "1"))
        table = {name: said for name, said in table.items() if name in OF_THE_WORKSPACE}
    return tomli_w.dumps({**table, "workspace": workspace})


def _common(root: Path, packages: set[Path]) -> Path:
    return Path(os.path.commonpath([root, *packages]))
