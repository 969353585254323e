"""The names in every target's file, against the real QEMU, rustc and OpenSSL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine import errors
from muslin.engine.stage import Stage
from muslin.models import target
from muslin.models.target import Target
from tests import opened

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = target.load(PROJECT / "toolchains")


def stages(pipeline: Pipeline, one: Target) -> list[Stage]:
    catalog = pipeline.catalog()
    return [
        catalog.toolchains.emulator_known(one),
        catalog.rust.known(one),
        catalog.libraries.openssl_known(one),
    ]


def build(pipeline: Pipeline, one: Target) -> None:
    with pipeline.context.store.in_use(), ThreadPoolExecutor(2) as executor:
        pipeline.builder().build(stages(pipeline, one), executor)


@pytest.mark.parametrize("name", TARGETS)
def test_the_targets_of_the_project_are_known(pipeline: Pipeline, name: str) -> None:
    build(pipeline, TARGETS[name])
    assert all(pipeline.builder().has(stage) for stage in stages(pipeline, TARGETS[name]))


@pytest.mark.parametrize(
    ("key", "wrong", "near"),
    [
        ("qemu.program", "qemu-armv6", "bin/qemu-armv6 is missing"),
        ("qemu.cpu", "arm1167", "near it are arm1176"),
        ("rust.triple", "arm-unknown-linux-musleabi-hf", "near it are arm-unknown-linux-musl"),
        ("rust.cpu", "arm1176jzfs", "near it are arm1176jzf-s"),
        ("rust.features", ("+vfp22",), "near it are vfp2"),
        ("openssl.target", "linux-armv6", "near it are linux-armv4"),
    ],
)
def test_a_name_that_is_wrong(key: str, wrong: str | tuple[str], near: str) -> None:
    pipeline = opened.pipeline()  # its own: a failure stops the runner
    table, field = key.split(".")
    right = TARGETS["armv6"]
    changed = getattr(right, table).model_copy(update={field: wrong})
    one = right.model_copy(update={table: changed, "name": "wrong"})
    with pytest.raises(errors.CheckFailed) as caught:
        build(pipeline, one)
    assert near in str(caught.value)
    assert f"{key} of wrong.toml" in str(caught.value) or field == "program"
