"""Crates of a program and of std, as folders of sources describe them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from muslin.sbom import crates
from muslin.sbom.part import Part, Text
from recipes.notices import NAMES

LOCK = Path(__file__).resolve().parents[3] / "services" / "Cargo.lock"
PUBLIC = next(
    package["source"]
    for package in tomllib.loads(LOCK.read_text(encoding="utf-8"))["package"]
    if "source" in package
)
"""How cargo calls its own registry."""


def crate(folder: Path, name: str, version: str, licence: str = "MIT") -> Path:
    """A vendored crate with a licence's text."""
    path = folder / f"{name}-{version}"
    path.mkdir(parents=True)
    said = f'license = "{licence}"\n' if licence else 'license-file = "LICENSE-MIT"\n'
    (path / "Cargo.toml").write_text(f'[package]\nname = "{name}"\n{said}')
    (path / ".cargo-checksum.json").write_text(json.dumps({"files": {}, "package": "ab" * 32}))
    (path / "LICENSE-MIT").write_text(f"Copyright of {name}\n\n")
    (path / "README.md").write_text("not a licence\n")
    return path


def row(name: str, *, linked: bool = True, source: str = PUBLIC) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "source": source,
        "features": ["std"],
        "linked": linked,
        "licence": "",
    }


def one(part: Part | list[Part]) -> Part:
    [found] = part if isinstance(part, list) else [part]
    return found


def test_a_crate_has_what_its_folder_says(tmp_path: Path) -> None:
    crate(tmp_path, "log", "1.0.0", "MIT/Apache-2.0")
    part = one(crates.parts([row("log"), row("syn", linked=False)], tmp_path, NAMES))
    assert (part.purl, part.licence) == ("pkg:cargo/log@1.0.0", "MIT OR Apache-2.0")
    assert (part.sha256, part.features) == ("ab" * 32, ("std",))
    assert [(text.name, text.text) for text in part.texts] == [
        ("LICENSE-MIT", "Copyright of log\n")
    ]


def test_a_crate_that_names_a_file_has_its_text_and_no_expression(tmp_path: Path) -> None:
    crate(tmp_path, "log", "1.0.0", "")
    part = one(crates.parts([row("log")], tmp_path, NAMES))
    assert part.licence == ""
    assert len(part.texts) == 1


@pytest.mark.parametrize(
    ("source", "purl"),
    [
        ("path", "pkg:cargo/log@1.0.0"),
        (
            "git+https://example.org/log?branch=a",
            "pkg:cargo/log@1.0.0?vcs_url=https://example.org/log%3Fbranch%3Da",
        ),
        (
            "sparse+https://crates.example.org/",
            "pkg:cargo/log@1.0.0?repository_url=https://crates.example.org/",
        ),
    ],
)
def test_a_crate_from_elsewhere_is_not_the_public_one(
    tmp_path: Path, source: str, purl: str
) -> None:
    assert one(crates.parts([row("log", source=source)], tmp_path, NAMES)).purl == purl


def test_std_is_what_was_built_for_the_target(tmp_path: Path) -> None:
    library, sysroot = tmp_path / crates.LIBRARY, tmp_path / "sysroot"
    sysroot.mkdir()
    for module in ("std", "hashbrown", "miniz_oxide", "getopts", "test"):
        (sysroot / f"lib{module}-0123456789abcdef.rlib").touch()
    packages = [
        ("std", "0.0.0", ""),
        ("hashbrown", "0.16.1", PUBLIC),
        ("miniz_oxide", "0.8.8", PUBLIC),
        ("getopts", "0.2.24", PUBLIC),
        ("dlmalloc", "0.2.11", PUBLIC),
    ]
    lock = ""
    for name, version, source in packages:
        lock += f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        lock += f'source = "{source}"\nchecksum = "{"cd" * 32}"\n' if source else ""
    crate(library / "vendor", "hashbrown", "0.16.1")
    (library / "Cargo.lock").write_text(lock)
    std = Part(
        name="rust-std",
        version="1.96.0",
        purl="pkg:generic/rust-std@1.96.0",
        known_by="",
        texts=(Text(name="copyright", text="all of it\n"),),
    )
    found = {part.name: part for part in crates.of_std(tmp_path, sysroot, NAMES, std)}
    # A crate without a text of its own has that of the package it came in.
    assert [one.name for one in found["hashbrown"].texts] == ["LICENSE-MIT"]
    assert found["miniz_oxide"].texts == std.texts
    assert set(found) == {"hashbrown", "miniz_oxide"}
    assert (found["hashbrown"].licence, found["hashbrown"].sha256) == ("MIT", "cd" * 32)
