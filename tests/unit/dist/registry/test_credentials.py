"""Credentials as Docker and Podman keep them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muslin.dist.registry import credentials, errors
from muslin.dist.registry.credentials import Credential

PAIR = "bWU6aHVudGVyMjp5"  # me:hunter2:y


class Desk:
    """A home folder and what a helper knows."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {"HOME": str(home)}
        self.known: dict[tuple[str, str], Credential] = {}
        self.asked: list[tuple[str, str]] = []

    def write(self, path: str, config: object) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        return file

    def find(self, registry: str, repository: str = "me/app") -> Credential | None:
        def helper(name: str, server: str, _: Path) -> Credential | None:
            self.asked.append((name, server))
            return self.known.get((name, server))

        return credentials.find(registry, repository, environment=self.environment, helper=helper)

    def user(self, registry: str, repository: str = "me/app") -> str:
        found = self.find(registry, repository)
        return found.user if found else ""


DOCKER = ".docker/config.json"
PODMAN = ".config/containers/auth.json"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_nothing_is_there(desk: Desk) -> None:
    assert desk.find("ghcr.io") is None


@pytest.mark.parametrize("path", [DOCKER, PODMAN])
def test_a_password(desk: Desk, path: str) -> None:
    file = desk.write(path, {"auths": {"ghcr.io": {"auth": PAIR}}, "detachKeys": "ctrl-x"})
    found = desk.find("ghcr.io")
    assert found == Credential(origin=str(file), user="me", password="hunter2:y")  # noqa: S106
    assert "hunter2" not in repr(found)
    assert desk.find("quay.io") is None


@pytest.mark.parametrize(
    "key",
    ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v1/", "https://ghcr.io/v2/", "ghcr.io/v2"],
)
def test_spellings_of_a_key(desk: Desk, key: str) -> None:
    desk.write(DOCKER, {"auths": {key: {"auth": PAIR}}})
    assert desk.user("ghcr.io") == "me"


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub(desk: Desk, key: str) -> None:
    desk.write(DOCKER, {"auths": {key: {"username": "me", "password": "p"}}})
    assert desk.user("docker.io") == "me"
    assert desk.user("registry-1.docker.io") == ""


def test_other_ports_are_other_registries(desk: Desk) -> None:
    desk.write(DOCKER, {"auths": {"localhost:5000": {"auth": PAIR}}})
    assert desk.user("localhost:5000") == "me"
    assert desk.user("localhost:5001") == desk.user("localhost") == ""


def test_podman_keeps_parts_of_a_registry(desk: Desk) -> None:
    entries = {
        "quay.io": {"username": "all", "password": "p"},
        "quay.io/me": {"username": "mine", "password": "p"},
        "quay.io/me/app": {"username": "this", "password": "p"},
    }
    desk.write(PODMAN, {"auths": entries})
    assert desk.user("quay.io", "me/app") == "this"
    assert desk.user("quay.io", "me/other") == "mine"
    assert desk.user("quay.io", "me2/app") == "all"


def test_tokens(desk: Desk) -> None:
    desk.write(DOCKER, {"auths": {"a.io": {"identitytoken": "i"}, "b.io": {"registrytoken": "r"}}})
    a, b = desk.find("a.io"), desk.find("b.io")
    assert a is not None
    assert b is not None
    assert (a.identity_token, b.registry_token) == ("i", "r")


def test_the_order_of_files(desk: Desk) -> None:
    def entry(user: str) -> object:
        return {"auths": {"a.io": {"username": user, "password": "p"}}}

    desk.write(PODMAN, entry("podman"))
    assert desk.user("a.io") == "podman"
    desk.write("run/containers/auth.json", entry("session"))
    desk.environment["XDG_RUNTIME_DIR"] = str(desk.home / "run")
    assert desk.user("a.io") == "session"
    desk.write(DOCKER, entry("docker"))
    assert desk.user("a.io") == "docker"
    desk.write("own/config.json", entry("own"))
    desk.environment["DOCKER_CONFIG"] = str(desk.home / "own")
    assert desk.user("a.io") == "own"
    desk.environment["REGISTRY_AUTH_FILE"] = str(desk.write("named.json", entry("named")))
    assert desk.user("a.io") == "named"


def test_the_order_of_helpers(desk: Desk) -> None:
    config = {
        "auths": {"a.io": {"auth": PAIR}, "b.io": {}},
        "credHelpers": {"a.io": "one"},
        "credsStore": "all",
    }
    desk.write(DOCKER, config)
    desk.known[("all", "b.io")] = Credential(origin="x", user="stored", password="p")  # noqa: S106
    assert desk.user("b.io") == "stored"
    assert desk.user("a.io") == "me"  # the helper has nothing
    assert desk.asked == [("all", "b.io"), ("one", "a.io")]
    desk.known[("one", "a.io")] = Credential(origin="x", user="helped", password="p")  # noqa: S106
    assert desk.user("a.io") == "helped"
    desk.find("docker.io")
    assert desk.asked[-1] == ("all", "https://index.docker.io/v1/")


BAD = {
    "no JSON": ('{"auths": hunter2', "it is no JSON table"),
    "a list": ("[]", "it is no JSON table"),
    "a number": (
        '{"auths": {"a.io": {"auth": 4711471147}}}',
        "unexpected values at auths.a.io.auth",
    ),
    "no base64": ('{"auths": {"a.io": {"auth": "hunter2!"}}}', "is not user:password in base64"),
    "no colon": ('{"auths": {"a.io": {"auth": "aHVudGVyMg=="}}}', "has no colon"),
    "no UTF-8": ('{"auths": {"a.io": {"auth": "/////w=="}}}', "is not user:password in base64"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used(desk: Desk, name: str) -> None:
    content, words = BAD[name]
    desk.write(DOCKER, content)
    with pytest.raises(errors.CredentialsUnreadable) as caught:
        desk.find("a.io")
    said = str(caught.value)
    assert words in said
    assert "config.json" in said
    assert "hunter2" not in said
    assert "4711471147" not in said
