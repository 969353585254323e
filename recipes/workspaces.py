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
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import tomli_w

from recipes import declaration, errors, trees
from recipes.engine import walk
from recipes.engine.stage import File, Tree
from recipes.service import Service, declares

MANIFEST = "Cargo.toml"
LOCK = "Cargo.lock"
TABLES = ("dependencies", "dev-dependencies", "build-dependencies")
OF_THE_WORKSPACE = ("workspace", "profile", "patch", "replace", "cargo-features")
"""What a workspace's manifest says to its members; the rest is about a package in its folder."""
OF_A_PACKAGE = ("build.rs", "src", "tests", "benches", "examples")
"""What lies in a workspace's folder for the package there, if it has one."""
FOLDERS = ("directory", "local-registry")
"""Kinds of sources that are a folder."""
PUBLIC = "crates-io"
"""Cargo's name of the public registry; every lock names its index, whatever stands in for it."""


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
    for folder in (service.root, *service.root.parents):
        if (folder / LOCK).is_file():
            return folder
    if (service.root / MANIFEST).is_file():
        why = (
            f"there is no {LOCK}; run `cargo generate-lockfile` in {service.root}, or, without a "
            "cargo of your own, `nox -f .../noxfile.py -s cargo -- TARGET generate-lockfile` there"
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
        files=Tree(root=base, files=trees.files(base, paths)),
        manifest=str((package / MANIFEST).relative_to(base)),
        written=tuple(sorted(written.items())),
        sources=_sources(root / LOCK),
        settings=tomli_w.dumps(
            {name: said for name, said in _settings(root).items() if name == "registries"}
        ),
    )


def whole(root: Path) -> Workspace:
    """All that cargo reads to fetch a workspace's crates. Sources must be there for it, and cannot
    change what is fetched."""
    known = members(root)
    packages = _with_dependencies(root, known | {root})
    others = _others(root, packages)
    folders = _vendored(root)
    base = _common(root, packages | others | folders)
    manifests = {(one / MANIFEST).relative_to(base) for one in others}
    everything = trees.files(base, {*manifests, *_files(base, root, packages, known)})
    # All of a vendored crate, whatever a file is called: cargo compares each with its list.
    vendored = {
        (folder / path).relative_to(base) for folder in folders for path in trees.everything(folder)
    }
    lock = trees.files(base, [(root / LOCK).relative_to(base), *vendored])

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
        settings=_in_tree(root, base),
    )


def members(root: Path) -> set[Path]:
    """The folders of a workspace's members, by its manifest's patterns and names."""
    workspace = _table(root).get("workspace", {})
    excluded = {walk.real(root / name) for name in workspace.get("exclude", ())}
    found = {
        walk.real(path.parent)
        for pattern in workspace.get("members", ())
        for path in root.glob(f"{os.path.normpath(pattern)}/{MANIFEST}")
    }
    # Path dependencies below the root are members without being named.
    below = {one for one in _with_dependencies(root, found | {root}) if root in one.parents}
    return (found | below if workspace else set()) - excluded


def _files(base: Path, root: Path, packages: set[Path], known: set[Path]) -> Iterator[Path]:
    """The packages' files, each package's without those of packages inside its folder."""
    everyone = {folder for folder in packages | known if folder != root or root in packages}
    vendored = _vendored(root)
    for package in packages:
        if package == root and "package" not in _table(root):
            yield (root / MANIFEST).relative_to(base)
            continue
        inner = [other for other in everyone if package in other.parents]
        for path in trees.sources(package, lambda folder: folder in vendored):
            whole_path = package / path
            if not any(other in whole_path.parents for other in inner):
                yield whole_path.relative_to(base)


def _beside(base: Path, service: Service, root: Path, known: set[Path]) -> Iterator[Path]:
    """What lies in a workspace's folder and in no member's: a build script or `include_str!` may
    read it. Less what other services are made of."""
    vendored = _vendored(root)

    def is_anothers(folder: Path) -> bool:
        own = folder in (service.folder, service.root)
        return folder in known or folder in vendored or (declares(folder) and not own)

    own = OF_A_PACKAGE if "package" in _table(root) else ()
    for path in trees.sources(root, is_anothers):
        if path.parts[0] not in (MANIFEST, *own):
            yield (root / path).relative_to(base)


def _settings(root: Path) -> dict[str, Any]:
    """The tables of the project's own cargo configuration that say where crates are fetched.
    <https://doc.rust-lang.org/cargo/reference/source-replacement.html>"""
    for name in ("config.toml", "config"):
        if (path := root / ".cargo" / name).is_file():
            said = declaration.load(path)
            return {table: said[table] for table in ("registries", "source") if table in said}
    return {}


def _vendored(root: Path) -> set[Path]:
    """Folders of the project that stand for a registry or repository."""
    tables = _settings(root).get("source", {}).values()
    said = [table[kind] for table in tables for kind in FOLDERS if kind in table]
    return {path for path in (walk.real(root / one) for one in said) if path.is_dir()}


def _in_tree(root: Path, base: Path) -> str:
    """Those settings, with folders as a copy of the project has them."""
    said = _settings(root)
    for table in said.get("source", {}).values():
        for kind in FOLDERS:
            if kind in table and walk.real(root / table[kind]) in _vendored(root):
                table[kind] = f"{{tree}}/{walk.real(root / table[kind]).relative_to(base)}"
    return tomli_w.dumps(said)


def _others(root: Path, packages: set[Path]) -> set[Path]:
    """Workspaces that packages outside a root belong to, and inherit from."""
    outside = (one for one in packages if one != root and root not in one.parents)
    return {one for one in map(_workspace_of, outside) if one is not None} - {root}


def _workspace_of(package: Path) -> Path | None:
    """The folder of the workspace that a package belongs to, as cargo looks for it: the nearest
    above it, unless that excludes it."""
    if said := _table(package).get("package", {}).get("workspace"):
        return walk.real(Path(package, said))
    for folder in (package, *package.parents):
        if "workspace" in (table := _table(folder)):
            excluded = {folder / one for one in table["workspace"].get("exclude", ())}
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
    manifest = _table(package)
    shared = _table(root).get("workspace", {}).get("dependencies", {})
    for table in (manifest, *manifest.get("target", {}).values()):
        for kind in TABLES:
            for name, said in table.get(kind, {}).items():
                place, where = package, said
                if isinstance(said, dict) and said.get("workspace"):
                    place, where = root, shared.get(name, {})
                if isinstance(where, dict) and "path" in where:
                    yield walk.real(place / where["path"])


def _patched(root: Path) -> Iterator[Path]:
    manifest = _table(root)
    for table in (*manifest.get("patch", {}).values(), manifest.get("replace", {})):
        for said in table.values():
            if isinstance(said, dict) and "path" in said:
                yield walk.real(root / said["path"])


def _manifest(root: Path, kept: set[Path]) -> str:
    """The workspace's manifest with these members alone; without the root's own package unless it
    is one of them."""
    table = _table(root)
    workspace = dict(table.get("workspace", {}))
    workspace["members"] = sorted(str(one.relative_to(root)) for one in kept if one != root)
    workspace.pop("default-members", None)
    if root not in kept:
        edition = table.get("package", {}).get("edition", "2015")
        if isinstance(edition, dict):  # { workspace = true }
            edition = workspace.get("package", {}).get("edition", "2015")
        # A package's edition chooses the resolver; a workspace without one must name it.
        workspace.setdefault("resolver", {"2021": "2", "2024": "3"}.get(edition, "1"))
        table = {name: said for name, said in table.items() if name in OF_THE_WORKSPACE}
    return tomli_w.dumps({**table, "workspace": workspace})


def _sources(lock: Path) -> str:
    """Every source that a lock names, replaced by one folder."""
    said = {one.get("source", "") for one in declaration.load(lock).get("package", [])} - {""}
    tables: dict[str, dict[str, str]] = {"vendored": {"directory": "{folder}"}}
    tables[PUBLIC] = {"replace-with": "vendored"}
    for source in sorted(one for one in said if not _is_public(one)):
        kind, _, address = source.partition("+")
        if kind == "git":
            parts = urlsplit(address)
            address = parts._replace(query="", fragment="").geturl()
            table = {"git": address, **dict(parse_qsl(parts.query))}
            source = source.partition("#")[0]  # noqa: PLW2901  # its name, without the commit
        else:
            table = {"registry": source if kind == "sparse" else address}
        tables[source] = {**table, "replace-with": "vendored"}
    return tomli_w.dumps({"source": tables})


def _is_public(source: str) -> bool:
    return source.rpartition("/")[2].replace(".", "-") == f"{PUBLIC}-index"


def _common(root: Path, packages: set[Path]) -> Path:
    return Path(os.path.commonpath([root, *packages]))


def _table(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    return declaration.load(path) if path.is_file() else {}
