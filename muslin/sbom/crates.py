"""The Rust code in a program: crates of the project, and those of Rust's std."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from muslin.sbom.part import BY_CARGO, Part, cpe, purl, texts

LIBRARY = "lib/rustlib/src/rust/library"
"""Sources of std below the folder of Rust."""
NOT_LINKED = (
    *("getopts", "proc_macro", "rustc_literal_escaper", "rustc_std_workspace", "test"),
    "unicode_width",
)
"""What is built with std for tests and procedural macros, and no program takes."""
RLIB = re.compile(r"lib(?P<module>\w+)-[0-9a-f]+\.rlib")
PUBLIC = re.compile(r"registry\+https://github\.com/rust-lang/crates\.\w+-index")
"""cargo's name, in locks and messages, of the registry that a purl means where it names none."""


def parts(rows: Sequence[Mapping[str, Any]], vendored: Path, notices: Sequence[str]) -> list[Part]:
    """Crates that were compiled for the target, as `RecordCrates` has them; the project's own
    package is not among them."""
    return [
        _own(row) if row["source"] == "path" else _crate(row, vendored, notices)
        for row in rows
        if row["linked"]
    ]


def _own(row: Mapping[str, Any]) -> Part:
    return Part(
        name=row["name"],
        version=row["version"],
        purl=purl("cargo", row["name"], version=row["version"]),
        known_by=BY_CARGO,
        licence=_spdx(row["licence"]),
        features=tuple(row["features"]),
    )


def _crate(row: Mapping[str, Any], vendored: Path, notices: Sequence[str]) -> Part:
    name, version, source = row["name"], row["version"], row["source"]
    folder = vendored / f"{name}-{version}"
    kind, _, address = source.partition("+")
    key = "vcs_url" if kind == "git" else "repository_url"
    qualifiers = {} if PUBLIC.match(source) else {key: address}
    return Part(
        name=name,
        version=version,
        purl=purl("cargo", name, version=version, **qualifiers),
        known_by=BY_CARGO,
        licence=_licence(folder),
        source=f"{name}-{version}.crate",
        sha256=_checksum(folder),
        features=tuple(row["features"]),
        texts=tuple(texts(folder, notices)),
    )


def of_std(rust: Path, sysroot: Path, notices: Sequence[str], std: Part) -> Iterator[Part]:
    """The crates that Rust's std was made of for the target, by its own lock; std itself not.
    Debian leaves their licences' files out; the texts are then those of its package of std."""
    built = {match["module"] for one in sysroot.iterdir() if (match := RLIB.fullmatch(one.name))}
    library = rust / LIBRARY
    lock = tomllib.loads((library / "Cargo.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        name, version = package["name"], package["version"]
        module = name.replace("-", "_")
        if "source" not in package or module not in built or module.startswith(NOT_LINKED):
            continue
        folder = library / "vendor" / f"{name}-{version}"
        yield Part(
            name=name,
            version=version,
            purl=purl("cargo", name, version=version),
            known_by=BY_CARGO,
            licence=_licence(folder),
            source=f"{name}-{version}.crate",
            sha256=package.get("checksum", "") or _checksum(folder),
            texts=tuple(texts(folder, notices)) or std.texts,
        )


def std(row: Mapping[str, Any], notices: Mapping[str, Path]) -> Part:
    """Rust's std without the crates that it depends on."""
    folder = notices.get(row["notices"])
    return Part(
        name=row["name"],
        version=row["version"],
        component=row["component"],
        purl=purl("generic", row["name"], version=row["version"]),
        known_by=BY_CARGO,
        licence=row["licence"],
        cpe=cpe(row["cpe"], row["version"]),
        source=row["file"],
        sha256=row["sha256"],
        origin=row["origin"],
        texts=tuple(texts(folder / "texts", ("*",))) if folder else (),
    )


def _licence(folder: Path) -> str:
    """What the manifest of a crate says; cargo once had `/` for OR."""
    path = folder / "Cargo.toml"
    if not path.is_file():
        return ""
    package = tomllib.loads(path.read_text(encoding="utf-8")).get("package", {})
    said = package.get("license", "")
    return _spdx(said) if isinstance(said, str) else ""


def _spdx(said: str) -> str:
    return " OR ".join(word.strip() for word in said.split("/"))


def _checksum(folder: Path) -> str:
    """Digest of the `.crate` file; cargo leaves it out for what comes from a repository."""
    path = folder / ".cargo-checksum.json"
    if not path.is_file():
        return ""
    return json.loads(path.read_text(encoding="utf-8")).get("package") or ""
