"""Cargo's registry settings: what the user said of registries, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from muslin.engine import errors
from muslin.engine.cargo import config as cargo_config

CONFIG = """\
[build]
rustflags = ["-C", "target-cpu=native"]
target-dir = "/elsewhere"
[target.x86_64-unknown-linux-gnu]
linker = "odd"
[env]
CC = "odd"
[alias]
b = "build"

[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "vendor"
[source.local]
local-registry = "/absolute/registry"
[registries.mine]
index = "sparse+https://example.org/index/"
[registry]
default = "mine"
[http]
proxy = "http://example.org:3128"
cainfo = "certificates/ca.pem"
[net]
retry = 5
git-fetch-with-cli = true
[credential-alias]
mine = ["cargo:token-from-stdout", "echo", "x"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cargo home, empty."""
    home = tmp_path / "user" / "cargo"
    home.mkdir(parents=True)
    monkeypatch.setenv("CARGO_HOME", str(home))
    return home


def written(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "work" / "cargo-home" / "config.toml"
    cargo_config.write_registry_settings(path)
    return tomllib.loads(path.read_text())


def test_registries_sources_and_network_are_taken_and_nothing_else(
    tmp_path: Path, home: Path
) -> None:
    (home / "config.toml").write_text(CONFIG)
    wanted = tomllib.loads(CONFIG)
    for table in ("build", "target", "env", "alias"):
        del wanted[table]
    # From the folder that holds the configuration's folder, as cargo takes them.
    wanted["source"]["vendored"]["directory"] = str(tmp_path / "user" / "vendor")
    del wanted["http"]["proxy"]
    wanted["http"]["cainfo"] = str(tmp_path / "user" / "certificates" / "ca.pem")
    assert written(tmp_path) == wanted


def test_no_configuration_is_an_empty_one(tmp_path: Path, home: Path) -> None:
    assert not list(home.iterdir())
    assert written(tmp_path) == {}


def test_the_name_without_suffix_comes_first(tmp_path: Path, home: Path) -> None:
    (home / "config").write_text("[net]\nretry = 1\n")
    (home / "config.toml").write_text("[net]\nretry = 2\n")
    assert written(tmp_path) == {"net": {"retry": 1}}


def test_a_home_that_is_not_absolute_is_taken_from_here(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARGO_HOME", "user/cargo")
    assert written(tmp_path)["source"]["vendored"]["directory"] == str(tmp_path / "user/vendor")


def test_without_the_variable_it_is_the_home_folders(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARGO_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    home.rename(tmp_path / ".cargo")
    assert cargo_config.user_home() == tmp_path / ".cargo"


@pytest.mark.parametrize("name", ["credentials", "credentials.toml"])
def test_credentials_are_not_copied(tmp_path: Path, home: Path, name: str) -> None:
    (home / name).write_text('[registries.mine]\ntoken = "secret"\n')
    assert written(tmp_path) == {}
    there = tmp_path / "work" / "cargo-home" / name
    assert there.is_symlink()
    assert there.read_text() == (home / name).read_text()


def test_tokens_and_proxies_of_the_configuration_are_in_no_file(tmp_path: Path, home: Path) -> None:
    (home / "config.toml").write_text(
        '[registry]\ntoken = "one"\n[registries.our-own]\nindex = "x"\ntoken = "two"\n'
        '[http]\nproxy = "http://me:three@proxy.example"\nmultiplexing = false\n'
    )
    said = {"registry": {}, "registries": {"our-own": {"index": "x"}}}
    assert written(tmp_path) == {**said, "http": {"multiplexing": False}}
    assert cargo_config.credentials() == {
        "CARGO_REGISTRY_TOKEN": "one",
        "CARGO_REGISTRIES_OUR_OWN_TOKEN": "two",
        "CARGO_HTTP_PROXY": "http://me:three@proxy.example",
    }


def test_a_build_sees_no_password_in_a_registrys_address(tmp_path: Path, home: Path) -> None:
    (home / "config.toml").write_text(
        '[registries.mine]\nindex = "sparse+https://me:secret@crates.example/index/"\n'
    )
    path = tmp_path / "build" / "config.toml"
    cargo_config.write_registry_settings(path, ("registries",))
    assert tomllib.loads(path.read_text()) == {
        "registries": {"mine": {"index": "sparse+https://crates.example/index/"}}
    }


def test_a_configuration_that_is_not_toml_is_named(tmp_path: Path, home: Path) -> None:
    (home / "config.toml").write_text("[net\n")
    with pytest.raises(errors.BadDeclaration) as caught:
        written(tmp_path)
    assert caught.value.path == home / "config.toml"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("source = 1\n", "source: it should be a table"),
        ('[registries]\nmine = "x"\n', "registries.mine: it should be a table"),
        ("[source.a]\ndirectory = []\n", "source.a.directory: it should be a path"),
        ("[http]\ncainfo = true\n", "http.cainfo: it should be a path"),
    ],
)
def test_a_configuration_of_other_types_is_told_by_its_keys(
    tmp_path: Path, home: Path, text: str, fault: str
) -> None:
    (home / "config.toml").write_text(text)
    with pytest.raises(errors.BadDeclaration) as caught:
        written(tmp_path)
    assert caught.value.faults == (fault,)
