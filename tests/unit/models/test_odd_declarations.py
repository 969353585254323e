"""Declarations that nobody would write: each is accepted, or refused in words, never a traceback.

A sample is one of the tests; MUSLIN_DECLARATIONS=100000 takes that many.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from muslin.cli import config_mak, schemas
from muslin.dist import publish, reports, stage_digests
from muslin.engine import errors
from muslin.engine.cargo import config as cargo_config
from muslin.engine.key import Keys
from muslin.errors import PipelineError
from muslin.graph.catalog import Catalog
from muslin.models import board, cache_folder, cargo_workspaces, service, service_places, target
from muslin.models import pins as source
from muslin.models import settings as checkout
from muslin.models.allowed_code import AllowedCode
from muslin.models.declaration import read as read_declaration
from muslin.sources import advisories, upstream
from tests.unit.graph.test_catalog import HOST, PROJECT, TARGETS
from tests.unit.models import odd_values

FILES = int(os.environ.get("MUSLIN_DECLARATIONS", "500"))
"""How many, of all kinds together."""
PINS = PROJECT / "recipes" / "pins"
SERVICE = b"""\
summary = "s"
build = "make"
binary = "x"
source = "."
needs = ["zlib"]
allocator = "mimalloc"
stack = 65536
[environment]
A = "b"
[make]
arguments = ["all"]
program = "x"
[image]
entrypoint = ["/x", "--a"]
port = 80
labels = { a = "b" }
environment = { B = "c" }
files = { "/share" = "files", "/page" = "Makefile" }
[[run]]
arguments = ["a"]
expect = "b"
[[serve]]
scheme = "http"
path = "/"
expect = "ok"
[[allowed]]
baselines = ["armv6-vfpv2"]
symbols = ["f"]
needs = ["ARMv7"]
reason = "f asks"
"""
MANIFEST = b"""\
[package]
name = "x"
description = "d"
edition = "2021"
[package.metadata.muslin]
image.entrypoint = ["/x"]
cargo = { features = ["f"], profile = "small" }
[package.metadata.other]
a = [1, { b = 2 }]
[workspace]
members = ["near", "far/*"]
exclude = ["far/off"]
dependencies = { near = { path = "near" } }
package = { edition = "2021" }
[profile.small]
inherits = "release"
[features]
f = []
[dependencies]
near.workspace = true
old = "1"
[target."cfg(unix)".dev-dependencies]
far = { path = "far/one", optional = true }
[patch.crates-io]
old = { path = "far/one" }
"""
LOCK = b"""\
version = 4
[[package]]
name = "x"
version = "0.1.0"
[[package]]
name = "a"
source = "git+https://example.com/a?branch=main#0123"
[[package]]
name = "b"
source = "sparse+https://example.com/index/"
"""
CONFIGURATION = b"""\
[source.a]
directory = "vendor"
replace-with = "b"
[registries.c]
index = "sparse+https://example.com/"
[http]
cainfo = "ca.pem"
[net]
retry = 1
"""
SETTINGS = b"""\
[project]
name = "p"
[tool.muslin]
targets = ["armv6"]
services = ["services/*", "one"]
mirror = "https://example.com/"
"""
REPORT = (
    b"""{"subject": "x", "target": "armv6", "fits": true, "shipped": "00", "files": [{"a": 1}]}"""
)
CONFIG_MAK = b"""\
TARGET = arm-linux-musleabihf
A = armv6
GCC_CONFIG += --with-arch=$(A) --enable-default-ssp
COMMON_CONFIG += CFLAGS="-g0 -Os" \\
    LDFLAGS="-s"
"""


@dataclass(frozen=True)
class Kind:
    """A kind of file: where it lies, a sound one, and what reads it."""

    path: str
    sound: bytes
    read: Callable[[Path], object]
    schema: str = ""
    """The name of its schema, if it has one."""


def planned(folder: Path) -> None:
    """Read the service of a folder, and plan its image as a session does."""
    services = service.load((folder / "x",)) if service_places.declares(folder / "x") else {}
    catalog = dataclasses.replace(PLAN, services=services)
    vars(catalog).update(
        {name: getattr(PLAN, name) for name in ("tools", "toolchains", "libraries")}
    )
    for one in services.values():
        KEYS.of(catalog.images.image(one, TARGETS["armv6"]))
    catalog.rust.all_crates()


def workspace(folder: Path) -> None:
    """A member of the workspace, and all of it."""
    cargo_workspaces.whole(folder / "x")
    (folder / "x/near/service.toml").write_text(
        'summary = "s"\nbuild = "cargo"\nbinary = "near"\nimage.entrypoint = ["/x"]\n'
    )
    for one in service.load((folder / "x/near",)).values():
        cargo_workspaces.of(one)


def pinned(folder: Path) -> None:
    """Both sets of pins, with all that recipes take of them."""
    run_lock = folder / "run-lock.toml"
    debian = source.load(folder / "pins", run_lock, host="bookworm-amd64")
    web = upstream.load(folder / "pins", run_lock, host="bookworm-amd64", machine="x86_64")
    for name in debian.pins:
        debian.component(name)
    for name in web.upstream.pins:
        web.component(name)
    for pins in (debian, web):
        for name in pins.groups:
            pins.group(name)


def configured(folder: Path) -> None:
    """The user's own configuration of cargo, as stages take it."""
    for tables in ((), ("registries",)):
        cargo_config.write_registry_settings(folder / "home/config.toml", tables)


def plan() -> Catalog:
    """A catalogue whose parts are made already."""
    pins = source.load(PINS, PINS / "absent", host="bookworm-amd64")
    services = service.load((PROJECT / "services/hello-c", PROJECT / "services/hello-tls"))
    made = Catalog(host=HOST, targets=TARGETS, pins=pins, missing_tools=True, services=services)
    for one in services.values():
        made.images.image(one, TARGETS["armv6"])
    return made


def few(name: str) -> bytes:
    """A file of pins with the first of each kind."""
    table = tomllib.loads((PINS / name).read_text(encoding="utf-8"))
    for key in ("platforms", "pins", "groups"):
        if key == "platforms" and key in table:
            table[key] = {name: wheels[:2] for name, wheels in table[key].items()}
        elif key in table:
            table[key] = dict(list(table[key].items())[:2])
            for group in table[key].values():
                if isinstance(group, dict) and "packages" in group:
                    group["packages"] = group["packages"][:2]
    return odd_values.as_toml(table)


PLAN, KEYS = plan(), Keys(HOST)
POOL = (
    *("debian.toml", "host.toml", "host-bookworm-amd64.toml", "host-root.toml", "kernels.toml"),
    *("builder.toml", "builder-wheels.toml", "upstream.toml", "zig.toml"),
)
KINDS: dict[str, Kind] = {
    "target": Kind(
        "targets/armv9.toml",
        (PROJECT / "toolchains/armv6.toml").read_bytes(),
        lambda folder: target.load(folder / "targets"),
        "target",
    ),
    "board": Kind(
        "boards/mine.toml",
        (PROJECT / "boards/raspi0.toml").read_bytes(),
        lambda folder: board.load(folder / "boards", targets=TARGETS),
        "board",
    ),
    "service": Kind("x/service.toml", SERVICE, planned, "service"),
    "package": Kind("x/Cargo.toml", MANIFEST, planned),
    "workspace": Kind("x/Cargo.toml", MANIFEST, workspace),
    "member": Kind("x/near/Cargo.toml", b'[package]\nname = "near"\n', workspace),
    "lock": Kind("x/Cargo.lock", LOCK, workspace),
    "configuration": Kind("x/.cargo/config.toml", CONFIGURATION, workspace),
    "user's configuration": Kind("cargo/config.toml", CONFIGURATION, configured),
    "settings": Kind("pyproject.toml", SETTINGS, checkout.load),
    "pins": Kind("pins/debian.toml", few("debian.toml"), pinned, "pins"),
    "upstream": Kind("pins/upstream.toml", few("upstream.toml"), pinned, "upstream-pins"),
    "candidates": Kind("pins/host.toml", few("host.toml"), pinned, "host-packages"),
    "host lock": Kind(
        "pins/host-bookworm-amd64.toml", few("host-bookworm-amd64.toml"), pinned, "host-lock"
    ),
    "wheels": Kind("pins/zig.toml", few("zig.toml"), pinned, "wheels"),
    "kernels": Kind("pins/kernels.toml", few("kernels.toml"), pinned, "fixed-groups"),
    "builder wheels": Kind(
        "pins/builder-wheels.toml", few("builder-wheels.toml"), pinned, "builder-wheels"
    ),
    "run lock": Kind(
        "run-lock.toml",
        b"form = 2\n[hosts.bookworm-amd64]\nrelease = 'bookworm'\narchitecture = 'amd64'\n"
        b"[hosts.bookworm-amd64.groups]\n",
        pinned,
    ),
    "advisories": Kind(
        "advisories.toml",
        (PINS / "advisories.toml").read_bytes(),
        advisories.policy,
        "advisories",
    ),
    "allowed": Kind(
        "allowed.toml",
        b'[[allowed]]\nbaselines = ["x86-64"]\nfile = "libc.a"\nmembers = ["a.lo"]\n'
        b'symbols = ["a*"]\nneeds = ["SSE3"]\nclaims = []\nprobes = ["p"]\nreason = "r"\n',
        lambda folder: read_declaration(folder / "allowed.toml", AllowedCode),
    ),
    "report": Kind(
        "dist/reports/armv6/x.json",
        REPORT,
        lambda folder: reports.verified(folder / "dist", "armv6"),
    ),
    "listing": Kind(
        "dist/manifest.json",
        b'{"artefacts": [{"path": "a", "sha256": "0", "bytes": 1, "target": "", "stage_key": "k",'
        b' "source_set": "debian", "contains": []}]}',
        lambda folder: publish.listed(folder / "dist"),
    ),
    "record": Kind(
        "debian.json",
        b'{"gcc-armv6": {"key": "0", "tree": "1", "compiler": "gcc"}}',
        lambda folder: stage_digests.load(folder / "debian.json"),
    ),
    "config.mak": Kind(
        "config.mak", CONFIG_MAK, lambda folder: config_mak.imported(folder / "config.mak", TARGETS)
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sound files of every kind."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "pins").mkdir()
    for name in POOL:
        (folder / "pins" / name).write_bytes(few(name))
    for name in ("x/src/main.rs", "x/near/src/main.rs", "x/far/one/src/lib.rs", "x/files/a"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "x/vendor").mkdir()
    (folder / "x/Makefile").touch()
    for name, text in {
        "x/Cargo.toml": MANIFEST,
        "x/Cargo.lock": LOCK,
        "x/near/Cargo.toml": b'[package]\nname = "near"\n',
        "x/far/one/Cargo.toml": b'[package]\nname = "old"\n',
        "services/a/service.toml": SERVICE,
        "one/service.toml": SERVICE,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


def content(kind: Kind) -> st.SearchStrategy[bytes]:
    """Damaged files of a kind, and some by its schema."""
    by_bytes = odd_values.damaged(kind.sound)
    if kind.path.endswith(".mak"):
        return by_bytes
    is_json = kind.path.endswith(".json")
    table: dict[str, Any] = (
        json.loads(kind.sound) if is_json else tomllib.loads(kind.sound.decode())
    )
    form = odd_values.as_json if is_json else odd_values.as_toml
    ways = [by_bytes, odd_values.changed(table).map(form)]
    if kind.schema:
        ways.append(odd_values.tables(json.loads(schemas.text(kind.schema))).map(form))
    return st.one_of(ways)


@pytest.fixture
def path(place: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a kind's file lies; afterwards it is as it was."""
    monkeypatch.setenv("CARGO_HOME", str(place / "cargo"))
    monkeypatch.setenv(cache_folder.VARIABLE, str(place.parent / "cache"))
    path = place / KINDS[name].path
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else None
    yield path
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_file_of_a_kind_is_accepted(place: Path, name: str, path: Path) -> None:
    path.write_bytes(KINDS[name].sound)
    KINDS[name].read(place)


@pytest.mark.parametrize("name", KINDS)
def test_an_odd_file_is_accepted_or_refused_in_words(place: Path, name: str, path: Path) -> None:
    kind = KINDS[name]

    @settings(
        max_examples=max(FILES // len(KINDS), 1),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(content(kind))
    def read(odd: bytes) -> None:
        path.write_bytes(odd)
        try:
            kind.read(place)
        except errors.BadDeclaration as error:
            reasons = error.faults
        except PipelineError as error:
            reasons = (str(error),)
        else:
            event("accepted")
            return
        event("refused")
        assert reasons
        assert all(reason.strip() for reason in reasons), reasons

    read()
