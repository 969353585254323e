"""The upstream set: every pin against a second record, each kind of wrong pin found offline."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from muslin.engine.source import Url
from muslin.engine.stage import Host
from muslin.engine.vocabulary import Patch, Replace, Run, Unpack
from muslin.graph.catalog import Catalog
from muslin.models import declaration, service
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models.pin_files import Pin, PinSet
from muslin.models.service import Service
from muslin.models.settings import Driver
from muslin.models.target import load
from muslin.sources import errors as source_errors
from muslin.sources import source_sets, upstream
from muslin.sources.upstream import Rust, Upstream, UpstreamPins, WebPin

PROJECT = Path(__file__).resolve().parents[3]
PINS = PROJECT / "recipes" / "pins"
RECORDS = tomllib.loads((PROJECT / "tests" / "data" / "records.toml").read_text())
SAME_BYTES = ("bzip2", "libpq", "mpc", "mpfr", "musl")
"""Components whose file the Debian archive has as it was released."""
OTHER_VERSION = {
    "linux-headers": "musl-cross-make's own choice, cut out of a kernel",
    "ca-certificates": "a list by date, from another project",
    "curl": "fixes are in new releases here, and in patches there",
    "openssl": "likewise",
    "sqlite3": "likewise",
    "zlib": "likewise",
}
LONE = {
    "musl-cve-2025-26519-1.diff": "no other place with the same bytes is known",
    "musl-cve-2025-26519-2.diff": "no other place with the same bytes is known",
}
"""Files without a mirror."""


def faults(one: Upstream) -> list[str]:
    """What is wrong with a set of pins, as far as that can be known without a network."""
    debian = declaration.read(PINS / "debian.toml", PinSet).pins
    return [
        *(f"{name}: {fault}" for name, pin in one.pins.items() for fault in _of_record(name, pin)),
        *(
            f"{name}: {fault}"
            for name, pin in one.pins.items()
            if name in debian
            for fault in _of_debian(name, pin, debian[name])
        ),
        *(f"{name}: {fault}" for name, pin in one.pins.items() for fault in _of_places(pin)),
        *(f"rust: {fault}" for fault in _of_rust(one.rust)),
    ]


def _of_record(name: str, pin: WebPin) -> Iterator[str]:
    record = RECORDS[name]
    if pin.sha256 != record["sha256"]:
        yield "digest"
    if pin.size != record.get("size"):
        yield "size"
    if pin.version != record["version"] or not _bears(pin.file, pin.version):
        yield "version"


def _of_debian(name: str, pin: WebPin, other: Pin) -> Iterator[str]:
    if name not in OTHER_VERSION and pin.version != other.version:
        yield "another version than in debian.toml"
    if name in SAME_BYTES and pin.sha256 != other.sha256:
        yield "other bytes than in debian.toml"


def _of_places(pin: WebPin) -> Iterator[str]:
    for folder in pin.folders:
        said = re.search(r"\d+(\.\d+)+[^/]*/$", folder)
        if said is not None and pin.version not in said[0]:
            yield f"{folder} is another version's"
    for file in (pin, *pin.patches):
        if len(file.folders) + len(file.addresses) < 2 and file.file not in LONE:
            yield f"{file.file} has no mirror"


def _of_rust(rust: Rust) -> Iterator[str]:
    if len(rust.folders) < 2:
        yield "no mirror"
    for archive in rust.files:
        if RECORDS["rust"]["files"].get(archive.file) != archive.sha256:
            yield f"digest of {archive.file}"
        if rust.version not in archive.file or rust.version != RECORDS["rust"]["version"]:
            yield f"version of {archive.file}"
        if archive.machine not in archive.file:
            yield f"machine of {archive.file}"


def _bears(name: str, version: str) -> bool:
    """Whether a file's name is of a version; SQLite writes 3.46.1 as 3460100."""
    major, *rest = version.split(".")
    return version in name or (
        bool(rest) and major + "".join(f"{int(part):02}" for part in rest if part.isdigit()) in name
    )


@pytest.fixture
def pinned() -> Upstream:
    return declaration.read(PINS / "upstream.toml", Upstream)


def test_every_pin_agrees_with_a_second_record(pinned: Upstream) -> None:
    assert list(faults(pinned)) == []
    assert set(pinned.pins) | {"rust"} == set(RECORDS)


def test_the_set_is_complete(pinned: Upstream) -> None:
    debian = set(declaration.read(PINS / "debian.toml", PinSet).pins)
    assert set(pinned.pins) == debian | {"musl-cross-make"}
    assert {patch.fixes for patch in pinned.pins["musl"].patches} == {
        *("CVE-2025-26519", "CVE-2026-6042", "CVE-2026-40200")
    }


@pytest.mark.parametrize("name", sorted(set(RECORDS) - {"rust"}))
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sha256": "f" * 64}, "digest"),
        ({"size": 7}, "size"),
        ({"version": "9.9.9"}, "version"),
        ({"folders": (), "addresses": ("https://one.example.org/file",)}, "has no mirror"),
    ],
)
def test_a_wrong_pin_is_found(
    pinned: Upstream, name: str, change: dict[str, object], fault: str
) -> None:
    wrong = pinned.pins[name].model_copy(update=change)
    changed = pinned.model_copy(update={"pins": {**pinned.pins, name: wrong}})
    assert any(fault in found and found.startswith(f"{name}: ") for found in faults(changed))


def test_a_folder_of_another_version_is_found(pinned: Upstream) -> None:
    folders = ("https://ftp.gnu.org/gnu/gcc/gcc-14.3.0/", "https://gcc.gnu.org/gcc-14.2.0/")
    wrong = pinned.pins["gcc"].model_copy(update={"folders": folders})
    changed = pinned.model_copy(update={"pins": {**pinned.pins, "gcc": wrong}})
    assert list(faults(changed)) == [f"gcc: {folders[0]} is another version's"]


def test_a_wrong_archive_of_rust_is_found(pinned: Upstream) -> None:
    first, second, *rest = pinned.rust.files
    mixed = (first.model_copy(update={"sha256": second.sha256}), second, *rest)
    wrong = pinned.rust.model_copy(update={"files": mixed})
    changed = pinned.model_copy(update={"rust": wrong})
    assert list(faults(changed)) == [f"rust: digest of {first.file}"]


# --- pins in force --------------------------------------------------------------------------


def in_force(tmp_path: Path, *, machine: str = "x86_64", mirror: str = "") -> UpstreamPins:
    run_lock = tmp_path / "run-lock.toml"
    host = {"x86_64": "bookworm-amd64", "aarch64": "bookworm-arm64"}[machine]
    return upstream.load(PINS, run_lock, host=host, machine=machine, mirror=mirror)


def catalog_of(
    pins: UpstreamPins,
    *,
    services: Mapping[str, Service] = MappingProxyType({}),
    driver: Driver = "builtin",
) -> Catalog:
    return Catalog(
        host=Host(machine="x86_64", libc="glibc 2.36"),
        targets=load(PROJECT / "toolchains"),
        pins=pins,
        missing_tools=False,
        services=services,
        driver=driver,
    )


def test_origins_are_the_mirror_then_the_project_then_others(tmp_path: Path) -> None:
    pins = in_force(tmp_path, mirror="https://mirror.example.org/sources/")
    assert pins.source("musl").origins == (
        Url(address="https://mirror.example.org/sources/musl-1.2.5.tar.gz"),
        Url(address="https://musl.libc.org/releases/musl-1.2.5.tar.gz"),
        Url(address="https://www.musl-libc.org/releases/musl-1.2.5.tar.gz"),
        Url(address="https://sources.buildroot.net/musl/musl-1.2.5.tar.gz"),
    )
    assert pins.component("gcc").member == ""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_rust_is_for_this_machine(tmp_path: Path, machine: str) -> None:
    names = [one.name for one in in_force(tmp_path, machine=machine).group("rust")]
    assert [name.split("-1.95.0")[0] for name in names] == [
        *("rustc", "cargo", "rust-std", "rust-src")
    ]
    assert all(machine in name for name in names[:3])


def test_rust_for_a_machine_that_it_is_not_pinned_for(tmp_path: Path) -> None:
    pins = dataclasses.replace(in_force(tmp_path), machine="riscv64")
    with pytest.raises(
        source_errors.NoRust, match=r"has Rust 1\.95\.0 for aarch64, x86_64, and none for"
    ):
        pins.group("rust")


def test_what_is_not_pinned(tmp_path: Path) -> None:
    with pytest.raises(model_errors.NotPinned, match="jansson"):
        in_force(tmp_path).source("jansson")


@pytest.mark.parametrize("driver", ["builtin", "musl-cross-make"])
def test_every_source_of_the_graph_is_upstreams_own(tmp_path: Path, driver: str) -> None:
    """But for the programs that run here, which are the host's."""
    pins = in_force(tmp_path)
    catalog = catalog_of(pins, driver=source_sets.driver(driver, pins))
    (target,) = (one for one in load(PROJECT / "toolchains").values() if one.name == "armv6")
    todo, names = [catalog.images.sdk_archive(target)], set[str]()
    while todo:
        stage = todo.pop()
        todo += [other for _, other in (*stage.needs, *stage.tools)]
        names |= {file.name for _, file in stage.sources}
    of_host = {one.name for name in ("pkgconf", "cmake", "tcl") for one in pins.group(name)}
    of_host |= {one.name for one in pins.group("qemu")}
    assert not {name for name in names - of_host if name.endswith(".deb")}
    assert ("3635262e4524c991552789af6f36211a335a77b3.tar.gz" in names) == (driver != "builtin")
    assert ("musl-cve-2025-26519-1.diff" in names) == (driver == "builtin")


def test_steps_for_archives_of_rust_and_single_patches(tmp_path: Path) -> None:
    pins = in_force(tmp_path)
    catalog = catalog_of(pins)
    (target,) = (one for one in load(PROJECT / "toolchains").values() if one.name == "armv6")
    unpacked = [step for step in catalog.tools.rust().steps if isinstance(step, Unpack)]
    assert unpacked[0].only == (
        "rustc-1.95.0-x86_64-unknown-linux-gnu/rustc/bin",
        "rustc-1.95.0-x86_64-unknown-linux-gnu/rustc/lib",
    )
    assert any(isinstance(step, Patch) for step in catalog.toolchains.gcc(target).steps)
    vendor = [step for step in catalog.rust.std(target).needs if step[0] == "crates"]
    assert [type(step) for step in vendor[0][1].steps if isinstance(step, Run)] == [Run]


def test_rust_is_no_group_of_the_hosts(tmp_path: Path) -> None:
    """Its packages share dependencies with CMake's, which may move."""
    pins = in_force(tmp_path)
    assert "cmake" in pins.groups
    assert "rust" not in pins.groups
    assert "rust" not in pins.candidates


def test_the_crates_of_std_are_fetched_and_vendored_as_std_is_built(tmp_path: Path) -> None:
    folder = PROJECT / "services" / "hello-http"
    catalog = catalog_of(in_force(tmp_path), services=service.load((folder,)))
    (of_std,) = (stage for stage in catalog.rust.all_crates() if stage.name == "crates-std")
    assert ("RUSTC_BOOTSTRAP", "1") in of_std.env


@pytest.mark.parametrize("name", ["armv6", "x86_64"])
def test_musl_cross_make_gets_the_mend_for_arm_too(tmp_path: Path, name: str) -> None:
    pins = in_force(tmp_path)
    catalog = catalog_of(pins, driver="musl-cross-make")
    steps = catalog.toolchains.musl_cross_make(load(PROJECT / "toolchains")[name]).steps
    mends = [step for step in steps if isinstance(step, Replace)]
    assert {mend.pattern for mend in mends} == {"gcc/config/arm/linux-elf.h"}
    assert {mend.root for mend in mends} == {"${work}/musl-cross-make/gcc-14.2.0"}


# --- which set --------------------------------------------------------------------------------


def test_drivers(tmp_path: Path) -> None:
    run_lock = tmp_path / "run-lock.toml"
    debian = source.load(PINS, run_lock, host="bookworm-amd64")
    assert source_sets.driver("auto", debian) == "builtin"
    assert source_sets.driver("auto", in_force(tmp_path)) == "musl-cross-make"
    assert source_sets.driver("builtin", in_force(tmp_path)) == "builtin"
    with pytest.raises(
        source_errors.DriverWantsUpstream, match="--sources upstream --driver musl-cross"
    ):
        source_sets.driver("musl-cross-make", debian)
    with pytest.raises(model_errors.Unknown, match=r"driver.*crosstool"):
        source_sets.driver("crosstool", debian)
