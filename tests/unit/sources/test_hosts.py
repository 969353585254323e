"""Hosts that are not the one at hand: an arm64 machine, and other distributions."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from muslin.engine import host
from muslin.engine.fetch.archive import machine
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.key import Keys
from muslin.engine.stage import Host, Stage
from muslin.graph.catalog import Catalog
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models import service, settings, target
from muslin.models.pins import Pins
from muslin.sources import source_sets
from tests.archive import archive

PROJECT = Path(__file__).resolve().parents[3]
ARM64 = Host(machine="aarch64", libc="glibc 2.36")
DEBIAN = """\
Types: deb
URIs: mirror+file:/etc/apt/apt-mirrors.txt
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


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
    there = archive(tmp_path, etc=tmp_path, os_release=tmp_path / "os-release")
    assert there.host == "trixie-arm64"


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Archive], str]:
    """The name of the set that `source_sets.load` takes."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    known = settings.load(PROJECT)
    return lambda said, there: source_sets.load(said, known, there, print).name


@pytest.mark.parametrize("said", ["ID=ubuntu\nVERSION_CODENAME=noble\n", "ID=alpine\n", ""])
def test_every_linux_takes_the_proven_set(
    loaded: Callable[[str, Archive], str], tmp_path: Path, said: str
) -> None:
    (tmp_path / "os-release").write_text(said)
    there = archive(tmp_path / "state", etc=tmp_path, os_release=tmp_path / "os-release")
    assert there.release == "bookworm", "whose programs are pinned"
    assert loaded("auto", there) == "debian"
    assert loaded("upstream", there) == "upstream"
    with pytest.raises(model_errors.Unknown, match=r"source set 'debain'\. Did you mean debian"):
        loaded("debain", there)


def test_a_list_of_mirrors_gives_its_first(tmp_path: Path) -> None:
    """One file cannot be fetched by way of a list."""
    mirrors = tmp_path / "apt-mirrors.txt"
    mirrors.write_text(
        "# a comment\n\nhttp://near.example.org/debian/\tpriority:1\nhttps://far.example.org/d/\n"
    )
    (tmp_path / "sources.list.d").mkdir()
    text = DEBIAN.replace("/etc/apt/apt-mirrors.txt", str(mirrors))
    (tmp_path / "sources.list.d" / "debian.sources").write_text(text)
    found = machine.archive_of(tmp_path, "bookworm")
    assert [entry.uri for entry in found["main"]] == ["http://near.example.org/debian"]
