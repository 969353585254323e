"""The schemas that editors read are those of the models, and every declaration names its own."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from muslin.cli import schemas
from recipes.toolchain import target_libraries

PROJECT = Path(__file__).resolve().parents[3]
SCHEMAS = PROJECT / "schemas"
DECLARATIONS = {
    "target": sorted((PROJECT / "toolchains").glob("*.toml")),
    "service": sorted((PROJECT / "services").glob("*/service.toml")),
    "pins": [PROJECT / "recipes/pins/debian.toml"],
    "host-lock": sorted((PROJECT / "recipes/pins").glob("host-*-*64.toml")),
    "host-packages": [PROJECT / "recipes/pins/host.toml"],
    "fixed-groups": [
        PROJECT / "recipes/pins/kernels.toml",
        PROJECT / "recipes/pins/host-root.toml",
        PROJECT / "recipes/pins/builder.toml",
    ],
    "advisories": [PROJECT / "recipes/pins/advisories.toml"],
    "wheels": [PROJECT / "recipes/pins/zig.toml"],
    "builder-wheels": [PROJECT / "recipes/pins/builder-wheels.toml"],
    "libgcc": [PROJECT / target_libraries.MEMBERS],
    "board": sorted((PROJECT / "boards").glob("*.toml")),
}
EACH = [(name, path) for name, paths in DECLARATIONS.items() for path in paths]
BAD = {
    "unknown-key.toml": "target",
    "missing-key.toml": "target",
    "wrong-type.toml": "target",
    "wrong-form.toml": "target",
    "two-faults.toml": "target",
    "name-given.toml": "target",
    "service-unknown-key.toml": "service",
    "service-two-faults.toml": "service",
}


def validator(name: str) -> Any:  # noqa: ANN401  # the library has no type of its own for it
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", schemas.MODELS)
def test_schemas_are_current(name: str) -> None:
    path = SCHEMAS / f"{name}.json"
    if os.environ.get("MUSLIN_GOLDEN") == "write":
        path.write_text(schemas.text(name))
    assert path.read_text() == schemas.text(name), "to write them: MUSLIN_GOLDEN=write pytest"


def test_there_is_no_other_schema() -> None:
    assert {path.stem for path in SCHEMAS.iterdir()} == set(schemas.MODELS)


@pytest.mark.parametrize(("name", "path"), EACH, ids=lambda value: str(value).split("/")[-1])
def test_every_declaration_names_its_schema_and_obeys_it(name: str, path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#:schema "), path
    assert (path.parent / first.removeprefix("#:schema ")).resolve() == SCHEMAS / f"{name}.json"
    assert list(validator(name).iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("file", BAD)
def test_what_the_loader_refuses_the_schema_refuses(file: str) -> None:
    table = tomllib.loads((PROJECT / "tests/data/bad" / file).read_text())
    assert list(validator(BAD[file]).iter_errors(table)) != []


def test_fields_are_described() -> None:
    said = json.loads((SCHEMAS / "target.json").read_text())["properties"]
    assert said["kernel"]["description"].startswith("Where the kernel's `asm` headers lie")
    assert "name" not in said
