"""Hosts that are not the one at hand: an arm64 machine, and Ubuntu's archive."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from muslin.engine import host
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.apt import sources
from muslin.engine.fetch.apt.client import Apt
from muslin.engine.key import Keys
from muslin.engine.process.runner import Runner
from muslin.engine.stage import Host, Stage
from muslin.graph.catalog import Catalog
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models import service, settings, target
from muslin.models.pins import Pins
from muslin.sources import errors as source_errors
from muslin.sources import source_sets

PROJECT = Path(__file__).resolve().parents[3]
ARM64 = Host(machine="aarch64", libc="glibc 2.36")
UBUNTU = """\
Types: deb
URIs: mirror+file:/etc/apt/apt-mirrors.txt
Suites: noble noble-updates noble-backports noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: https://packages.example.com/ubuntu
Suites: noble
Components: main
Signed-By: /etc/apt/keyrings/vendor.gpg
"""
RELEASE = "ID=ubuntu\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n"


def pins_of(tmp_path: Path) -> Pins:
    """The pins of an arm64 host whose groups are those of amd64 with other names."""
    folder = PROJECT / "recipes" / "pins"
    known = source.load(folder, tmp_path / "run-lock.toml", host="bookworm-amd64")
    pins = source.load(folder, tmp_path / "run-lock.toml", host="bookworm-arm64")
    for name, group in known.groups.items():
        packages = tuple(
            one.model_copy(update={"file": one.file.replace("amd64", "arm64")})
            for one in group.packages
        )
        pins = source.with_group(pins, name, group.model_copy(update={"packages": packages}))
    return pins


def test_no_stage_on_an_arm64_host_speaks_of_another_machine(tmp_path: Path) -> None:
    folders = sorted(path.parent for path in (PROJECT / "services").glob("*/service.toml"))
    catalog = Catalog(
        host=ARM64,
        targets=target.load(PROJECT / "toolchains"),
        pins=pins_of(tmp_path),
        missing_tools=True,
        services=service.load(tuple(folders)),
    )
    armv6, keys = target.load(PROJECT / "toolchains")["armv6"], Keys(ARM64)
    todo: list[Stage] = [catalog.images.sdk_archive(armv6)]
    todo += [catalog.images.image(each, armv6) for each in catalog.services.values()]
    seen: dict[int, Stage] = {}
    while todo:
        stage = todo.pop()
        if id(stage) not in seen:
            seen[id(stage)] = stage
            todo += [other for _, other in (*stage.needs, *stage.tools, *stage.judges)]
    assert len(seen) > 30
    for stage in seen.values():
        text = json.dumps(keys.document(stage)) + repr(stage.checks)
        assert "amd64" not in text, stage.name
        assert "x86_64" not in text.replace("x86_64-linux-musl", ""), stage.name
    texts = " ".join(json.dumps(keys.document(stage)) for stage in seen.values())
    assert "aarch64-unknown-linux-gnu" in texts
    assert "lib/aarch64-linux-gnu" in texts


def test_this_machine_may_be_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert host.host().machine == "aarch64"
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=trixie\n")
    apt = Apt(tmp_path, Runner(1), etc=tmp_path, os_release=tmp_path / "os-release")
    assert apt.host == "trixie-arm64"


# --- Ubuntu -----------------------------------------------------------------------------------


@pytest.fixture
def ubuntu(tmp_path: Path) -> Apt:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "ubuntu.sources").write_text(UBUNTU)
    (tmp_path / "os-release").write_text(RELEASE)
    return Apt(tmp_path / "state", Runner(1), etc=tmp_path, os_release=tmp_path / "os-release")


def test_ubuntus_own_archive_gives_the_programs_that_run_here(ubuntu: Apt) -> None:
    assert ubuntu.host.startswith("noble-")
    assert ubuntu.lacks("host") == ""
    assert "works on Debian hosts, and this is ubuntu" in ubuntu.lacks("trixie")
    with pytest.raises(fetch_errors.ArchiveUnusable, match="MUSLIN_SOURCES=upstream"):
        ubuntu.refresh("trixie")


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Apt], str]:
    """The name of the set that `source_sets.load` takes."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    known = settings.load(PROJECT)
    return lambda said, apt: source_sets.load(said, known, apt, print).name


def test_the_proven_set_is_taken_where_it_works(
    loaded: Callable[[str, Apt], str], ubuntu: Apt, tmp_path: Path
) -> None:
    with pytest.raises(
        source_errors.NoSourceSet, match="this is ubuntu; MUSLIN_SOURCES=upstream takes"
    ):
        loaded("auto", ubuntu)
    assert loaded("upstream", ubuntu) == "upstream"
    (etc := tmp_path / "debian").mkdir()
    (etc / "sources.list").write_text("deb https://packages.example.com/debian bookworm main\n")
    (etc / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    debian = Apt(tmp_path / "state", Runner(1), etc=etc, os_release=etc / "os-release")
    assert loaded("auto", debian) == "debian"
    with pytest.raises(model_errors.Unknown, match=r"source set 'debain'\. Did you mean debian"):
        loaded("debain", debian)


def test_a_list_of_mirrors_gives_its_first(tmp_path: Path) -> None:
    """As GitHub's machines have it: one file cannot be fetched by way of a list."""
    mirrors = tmp_path / "apt-mirrors.txt"
    mirrors.write_text(
        "# a comment\n\nhttp://near.example.org/ubuntu/\tpriority:1\nhttps://far.example.org/ubuntu/\n"
    )
    (tmp_path / "sources.list.d").mkdir()
    text = UBUNTU.replace("/etc/apt/apt-mirrors.txt", str(mirrors))
    (tmp_path / "sources.list.d" / "ubuntu.sources").write_text(text)
    found = sources.archive_of(tmp_path, "noble", sources.UBUNTU)
    assert {entry.uri for entry in found.values()} == {"http://near.example.org/ubuntu"}


def test_ubuntus_sources_have_universe_and_its_keys(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "ubuntu.sources").write_text(UBUNTU)
    found = sources.archive_of(tmp_path, "noble", sources.UBUNTU)
    text = sources.stanzas(found, "noble", Path("/nowhere"), sources.UBUNTU)
    assert "URIs: mirror+file:/etc/apt/apt-mirrors.txt\n" in text
    assert "Suites: noble noble-updates\nComponents: main universe\n" in text
    assert "Suites: noble-security\n" in text
    assert "packages.example.com" not in text
    assert text.count("Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg") == 2
