"""A compiler that a target shares is the one it would have had for itself, byte for byte.

Builds that one: some twelve minutes of two cores for each target, so it is run by name, after
`nox -s toolchain`: `nox -s tests -- tests/endurance/test_shared_compiler.py --targets armv7`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.filesystem.content import file_digest
from muslin.models.target import Target
from tests.product.conftest import pipeline

__all__ = ["pipeline"]  # the fixture


def alone(target: Target) -> Target:
    """The same target with a compiler of its own."""
    return target.model_copy(update={"gcc": target.gcc.model_copy(update={"shared_with": ""})})


def content(root: Path) -> Mapping[str, str]:
    """What every file holds and may do, and where every link points to."""
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(root):
        for path in (Path(folder, name) for name in [*folders, *names]):
            name = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file():
                found[name] = f"{path.stat().st_mode:o} {file_digest(path)}"
    return found


def test_shared_and_alone_are_the_same_bytes(
    pipeline: Pipeline, request: pytest.FixtureRequest
) -> None:
    names = request.config.getoption("--targets").split(",")
    shared = [one for one in pipeline.context.targets_of(names) if one.gcc.shared_with]
    assert shared, f"none of {', '.join(names)} shares its compiler"
    catalog = pipeline.catalog()
    apart = replace(catalog)
    with pipeline.context.at_work(), ThreadPoolExecutor(pipeline.context.settings.jobs) as executor:
        builder = pipeline.builder()
        for target in shared:
            made = builder.build([catalog.toolchains.toolchain(target)], executor)
            by_itself = builder.build([apart.toolchains.toolchain(alone(target))], executor)
            ours, theirs = (
                content(entries[f"toolchain-{target.name}"].tree) for entries in (made, by_itself)
            )
            different = [
                name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name)
            ]
            assert not sorted(different)
            assert len(ours) > 1000
