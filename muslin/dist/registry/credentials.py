"""Credentials of registries, from the files that Docker and Podman keep them in.

Docker: `config.json` in `$DOCKER_CONFIG` or `~/.docker`, with `auths`, `credHelpers` and
`credsStore` (docs of `docker login`). Podman, skopeo: `auth.json`, whose keys may have a path
(containers-auth.json(5)).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from muslin.dist.registry import errors
from muslin.dist.registry.reference import DOCKER_HUB
from muslin.engine import errors as engine_errors
from muslin.engine.formats import documents

HUB_KEY = "https://index.docker.io/v1/"
"""What Docker keeps the credentials of Docker Hub under."""
HUB_HOST = "index.docker.io"
IDENTITY_TOKEN = "<token>"  # noqa: S105  # a name that helpers give, no secret
"""The user name with which a helper says that its secret is an identity token."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What lets somebody in; none of it is shown."""

    origin: str
    """The file or program that it comes from, for messages."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """Exchanged for an access token (OAuth 2)."""
    registry_token: str = field(default="", repr=False)
    """An access token itself."""


Helper = Callable[[str, str, Path], Credential | None]
"""Asks a credential helper, by its suffix, about a server's address; the file names the helper."""


class _Entry(BaseModel):
    """A registry in `auths`; empty if a credential store has the rest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""
    registrytoken: str = ""


class _Config(BaseModel):
    """`config.json` and `auth.json`, as far as they are read here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    auths: dict[str, _Entry] = Field(default_factory=dict)
    creds_store: str = Field(default="", alias="credsStore")
    cred_helpers: dict[str, str] = Field(default_factory=dict, alias="credHelpers")


def find(
    registry: str, repository: str, *, environment: Mapping[str, str], helper: Helper
) -> Credential | None:
    """The credential for a repository from the first file that has one, or None.

    Raises `CredentialsUnreadable` and what the helper does.
    """
    for path in _files(environment):
        if documents.is_file(path):
            found = _in_file(path, registry, repository, helper)
            if found is not None:
                return found
    return None


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where credentials can be; what a variable names comes first."""
    home = Path(environment.get("HOME") or "/")
    if named := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"


def _in_file(path: Path, registry: str, repository: str, helper: Helper) -> Credential | None:
    config = _read(path)
    server = HUB_KEY if registry == DOCKER_HUB else registry
    named = config.cred_helpers.get(registry) or config.cred_helpers.get(server)
    for suffix in filter(None, (named, None if named else config.creds_store)):
        if (found := helper(suffix, server, path)) is not None:
            return found
    entries = {_key(key): entry for key, entry in config.auths.items()}
    host = HUB_HOST if registry == DOCKER_HUB else registry
    for key in _keys(host, repository):
        if (entry := entries.get(key)) is not None and (found := _credential(path, key, entry)):
            return found
    return None


def _keys(host: str, repository: str) -> Iterator[str]:
    """The longest key first: Podman keeps credentials of a part of a registry too."""
    names = {host, DOCKER_HUB} if host == HUB_HOST else {host}
    parts = repository.split("/")
    for count in range(len(parts), -1, -1):
        for name in sorted(names, reverse=True):
            yield "/".join((name, *parts[:count]))


def _key(key: str) -> str:
    """A key without scheme and version of the interface: old Dockers wrote both."""
    bare = key.partition("://")[2] or key
    return bare.rstrip("/").removesuffix("/v1").removesuffix("/v2")


def _read(path: Path) -> _Config:
    try:
        table = documents.json_table(path)
    except engine_errors.BadDeclaration as error:
        raise errors.CredentialsUnreadable(path, "it is no JSON table") from error
    try:
        return _Config.model_validate(table)
    except ValidationError as error:
        # Without pydantic's own words: they repeat the values.
        keys = ", ".join(documents.key_of(fault["loc"]) for fault in error.errors()[:3])
        raise errors.CredentialsUnreadable(path, f"unexpected values at {keys}") from None


def _credential(path: Path, key: str, entry: _Entry) -> Credential | None:
    user, password = entry.username, entry.password
    if entry.auth:
        try:
            text = base64.b64decode(entry.auth, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            why = f"`auth` of {key} is not user:password in base64"
            raise errors.CredentialsUnreadable(path, why) from None
        user, colon, password = text.partition(":")
        if not colon:
            why = f"`auth` of {key} has no colon between user and password"
            raise errors.CredentialsUnreadable(path, why)
        password = password.rstrip("\0")  # Docker for Windows once wrote them
    if not (password or entry.identitytoken or entry.registrytoken):
        return None
    return Credential(
        origin=str(path),
        user=user,
        password=password,
        identity_token=entry.identitytoken,
        registry_token=entry.registrytoken,
    )
