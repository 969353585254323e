"""Every field of every declaration, edited once: which stages are built again, which are checked.

The table is golden: `tests/golden/rebuilds.json`. A stage stands for itself on every target.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import BaseModel

from muslin.engine.key import Keys
from muslin.engine.stage import Stage
from muslin.graph.catalog import Catalog
from muslin.models import git_checkout, pin_files, service, target
from muslin.models import pins as source
from muslin.models.git_checkout import Checkout
from muslin.models.image import Healthcheck
from muslin.models.pin_files import Pin
from muslin.models.pins import Pins
from muslin.models.service import Service
from muslin.models.service_checks import Run, Serve
from muslin.models.target import Target
from tests.unit.graph.test_catalog import HOST, PROJECT, everything

GOLDEN = PROJECT / "tests" / "golden" / "rebuilds.json"
ARMV6 = target.load(PROJECT / "toolchains")["armv6"]
SERVICES = service.load(tuple(PROJECT / "services" / name for name in ("hello-c", "hello-tls")))
Row = dict[str, list[str]]

TARGET_EDITS: dict[str, object] = {
    "boards": "another board",
    "triple": "arm-other-linux-musleabihf",
    "kernel": "arm-linux-gnueabi",
    "machine": "EM_AARCH64",
    "bits": 64,
    "endian": "big",
    "baseline": "armv5te",
    "gcc.configure": ("--with-arch=armv6k",),
    "gcc.shared_with": "armv5",
    "zig": None,  # no key of the driver `builtin` knows of it
    "rust.triple": "arm-other-linux-musleabihf",
    "rust.cpu": "mpcore",
    "rust.features": ("+vfp2",),
    "qemu.program": "qemu-armeb",
    "qemu.cpu": "arm1136",
    "openssl.target": "linux-generic32",
    "image.architecture": "arm64",
    "image.variant": "v7",
    "debian.architecture": "armel",
    "debian.unfit": ("armv5tejl",),
}
SERVICE_EDITS: dict[str, object] = {
    "summary": "other words",
    "build": None,  # another kind of project altogether
    "source": None,  # and so is this
    "binary": "other",
    "needs": None,  # below, with a library more or less
    "allocator": "mimalloc",
    "stack": 1 << 20,
    "cargo.features": ("other",),
    "cargo.default_features": False,
    "cargo.profile": "other",
    "cargo.lto": "thin",
    "cargo.panic": "unwind",
    "make.arguments": ("other",),
    "make.program": "other",
    "make.parallel": False,
    "cmake.directory": "other",
    "cmake.options": ("-DOTHER=1",),
    "cmake.program": "other",
    "image.entrypoint": ("/other",),
    "image.port": 99,
    "image.ca_bundle": True,
    "image.labels": {"a": "b"},
    "image.environment": {"A": "b"},
    "image.files": {"/usr/share/a": "service.toml"},
    "image.modes": {"/usr/share/a": "0600"},
    "image.user": "1000",
    "image.workdir": "/data",
    "image.volumes": ("/data",),
    "image.healthcheck": Healthcheck(arguments=("--health",)),
    "image.git_labels": True,
    "environment": {"A": "b"},
    "run": (Run(arguments=("--other",), expect="x"),),
    "serve": (Serve(scheme="http", path="/other", expect="x"),),
    "package.package": "other",
    "package.version": "9",
    "package.revision": 9,
    "package.released": "2030-01-01",
    "package.maintainer": "A <a@example.org>",
    "package.homepage": "https://example.org/",
    "package.section": "net",
    "package.license": "0BSD",
    "package.copyright": "2030 A",
    "package.description": "More",
    "package.depends": ("tzdata",),
    "package.unit": None,  # below, the other way round
    "package.state": True,
    "package.files": {"/usr/share/a/b": "service.toml"},
    "allowed": (
        service.Allowed(
            baselines=("armv6-vfpv2",), symbols=("other",), needs=("ARMv7",), reason="x"
        ),
    ),
}
PIN_EDITS: dict[str, object] = {
    "version": "9.9",
    "series": "*",
    "licence": "0BSD",
    "package": "other",
    "package_version": "9.9-9",
    "kind": "binary",
    "file": "other.tar.xz",
    "suite": "bookworm",
    "member": "usr/src/other.tar.xz",
    "size": 99,
    "sha256": "f" * 64,
    "patches": pin_files.Patches(folder="other"),
    "unpatched": "another reason",
    "fixes": ("CVE-2030-0001",),
}


@pytest.fixture(scope="module")
def pins(tmp_path_factory: pytest.TempPathFactory) -> Pins:
    """The repository's."""
    run_lock = tmp_path_factory.mktemp("cache") / "run-lock.toml"
    return source.load(PROJECT / "recipes" / "pins", run_lock, host="bookworm-amd64")


def fields(model: type[BaseModel], prefix: str = "") -> Iterable[str]:
    """Every field that a file can say, by its path."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, f"{prefix}{name}.")
        elif name not in ("name", "folder"):
            yield f"{prefix}{name}"


def edited(model: Any, path: str, value: object) -> Any:  # noqa: ANN401  # a model in, the same out
    first, _, rest = path.partition(".")
    if rest:
        value = edited(getattr(model, first), rest, value)
    return model.model_copy(update={first: value})


def stages(pins: Pins, one: Target, services: Iterable[Service]) -> dict[str, Stage]:
    named = {each.name: each for each in services}
    catalog = Catalog(
        host=HOST,
        targets=target.load(PROJECT / "toolchains"),
        pins=pins,
        missing_tools=True,
        services=named,
    )
    goals = [catalog.images.image(each, one) for each in named.values()]
    goals += [catalog.images.index(each, (one,)) for each in named.values()]
    goals += [catalog.packages.package(each, one) for each in named.values()]
    return {stage.name: stage for stage in everything(goals).values()}


def consequences(before: dict[str, Stage], after: dict[str, Stage]) -> Row:
    """The stages whose key is another one, and those of which only the checks are."""
    old, new = Keys(HOST), Keys(HOST)
    rebuilt = [
        name for name, stage in after.items() if old.of(before.get(name, stage)) != new.of(stage)
    ]
    rebuilt += [name for name in after if name not in before]
    checked = [
        name
        for name, stage in after.items()
        if name not in rebuilt and old.checks_of(before[name]) != new.checks_of(stage)
    ]
    row = {"built": rebuilt, "checked": checked}
    return {
        what: sorted({name.removesuffix("-armv6") for name in names})
        for what, names in row.items()
        if names
    }


def test_every_field_is_edited() -> None:
    assert set(TARGET_EDITS) == set(fields(Target))
    assert set(SERVICE_EDITS) == set(fields(Service))
    assert set(PIN_EDITS) == set(fields(Pin))


def test_what_an_edit_rebuilds_is_golden(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Checkout(commit="0" * 40, address="")
    monkeypatch.setattr(git_checkout, "find", lambda _: checkout)  # this may be in none
    before = stages(pins, ARMV6, SERVICES.values())
    table: dict[str, Row] = {}
    for path, value in TARGET_EDITS.items():
        after = stages(pins, edited(ARMV6, path, value), SERVICES.values())
        table[f"toolchains/armv6.toml {path}"] = consequences(before, after)
    for name, each in SERVICES.items():
        for path, value in SERVICE_EDITS.items():
            if path in ("build", "source"):
                continue
            other_needs = () if each.needs else ("openssl",)
            unit = each.image.port is None
            opposite = {"needs": other_needs, "package.unit": unit}
            changed_to = opposite.get(path, value)
            mine = {**SERVICES, name: edited(each, path, changed_to)}
            after = stages(pins, ARMV6, mine.values())
            table[f"{name}/service.toml {path}"] = consequences(before, after)
    for name, pin in pins.pins.items():
        changed = source.with_pin(pins, name, pin.model_copy(update={"sha256": "f" * 64}))
        after = stages(changed, ARMV6, SERVICES.values())
        table[f"pins/debian.toml {name}.sha256"] = consequences(before, after)
    for path, value in PIN_EDITS.items():
        if path != "sha256":
            changed = source.with_pin(pins, "gcc", edited(pins.pins["gcc"], path, value))
            after = stages(changed, ARMV6, SERVICES.values())
            table[f"pins/debian.toml gcc.{path}"] = consequences(before, after)
    text = json.dumps(table, indent=1) + "\n"
    if os.environ.get("MUSLIN_GOLDEN") == "write":
        GOLDEN.write_text(text)
    golden = json.loads(GOLDEN.read_text())
    differing = {
        edit: (golden.get(edit), table.get(edit))
        for edit in golden.keys() | table
        if golden.get(edit) != table.get(edit)
    }
    assert differing == {}, "if that is meant: MUSLIN_GOLDEN=write pytest"


def test_the_hosts_programs_rebuild_what_is_made_with_them(pins: Pins) -> None:
    before = stages(pins, ARMV6, SERVICES.values())
    groups = {}
    for name, group in pins.groups.items():
        first, *rest = group.packages
        moved = first.model_copy(update={"sha256": "f" * 64})
        fresh = group.model_copy(update={"packages": (moved, *rest)})
        changed = dataclasses.replace(pins, groups={**pins.groups, name: fresh})
        groups[name] = consequences(before, stages(changed, ARMV6, SERVICES.values()))
    rust = [
        *("deb-hello-tls", "hello-tls", "image-hello-tls", "rust", "rust-std"),
        *("verify-hello-tls", "verify-rust-std"),
    ]
    assert groups["build-tools"] == {"built": ["build-tools"]}, "they stand in for the host's own"
    assert groups["rust"] == {"built": rust, "checked": ["rustc-known"]}
    assert groups["qemu"]["built"] == ["qemu"], "it judges and makes nothing"
    assert groups["qemu"]["checked"] == [
        *("emulator-known", "hello-c", "hello-tls", "openssl-tests", "rust-std", "toolchain")
    ]
