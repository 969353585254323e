"""Names of images in registries: `REGISTRY/NAME[:TAG]`.

The grammar is that of the OCI distribution specification 1.1 and of Docker's references.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from muslin.dist.registry import errors
from muslin.engine.fetch.request import is_loopback

REGISTRY = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
LONGEST = 255
"""Characters of a registry and repository together."""
LATEST = "latest"
DOCKER_HUB, DOCKER_HUB_HOST = "docker.io", "registry-1.docker.io"
OFFICIAL = "library/"
"""Where Docker Hub keeps names of one component."""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry, as a user names it."""

    name: str
    """Host, and port if it is given, such as `ghcr.io` or `localhost:5000`."""
    scheme: str
    """`https` or `http`."""

    @property
    def origin(self) -> str:
        """Scheme and host that requests go to."""
        host = DOCKER_HUB_HOST if self.name == DOCKER_HUB else self.name
        return f"{self.scheme}://{host.lower()}"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """What a command line says of where to push."""

    registry: Registry
    name: str
    """A repository, or what comes before each service's name; empty or with `/` at its end then."""
    tags: tuple[str, ...]

    @property
    def is_prefix(self) -> bool:
        """Whether each service gets a name of its own below it."""
        return not self.name or self.name.endswith("/")

    def repository(self, service: str) -> str:
        """The repository of a service. Raises `BadReference` if the whole is too long."""
        path = f"{self.name}{service}" if self.is_prefix else self.name
        if self.registry.name == DOCKER_HUB and "/" not in path:
            path = f"{OFFICIAL}{path}"
        if len(f"{self.registry.name}/{path}") > LONGEST:
            raise errors.BadReference(path, f"it has more than {LONGEST} characters")
        return path


def parse(text: str, *, tags: Sequence[str] = (), plain_http: bool = False) -> Destination:
    """Read a destination; `tags` are further ones, `latest` serves where there is none.

    HTTPS, or HTTP on loopback and where `plain_http` says so; `https://` before the name asks for
    HTTPS on loopback too. Raises `BadReference`.
    """
    said, found, rest = text.partition("://")
    bare = rest if found else text
    host, slash, path = bare.partition("/")
    if found and said != "https":
        why = "leave the scheme out; `--plain-http` is for a registry without TLS"
        raise errors.BadReference(text, why)
    if "@" in bare:
        why = "leave users and digests out; credentials come from `docker login`"
        raise errors.BadReference(text, why)
    if not slash or not ({".", ":"} & {*host} or host == "localhost"):
        why = f"it should begin with a registry, such as {DOCKER_HUB}/{bare}"
        raise errors.BadReference(text, why)
    if not REGISTRY.fullmatch(host):
        raise errors.BadReference(text, f"{host!r} is no host with or without a port")
    name, colon, tag = path.partition(":")
    chosen = (*([tag] if colon else []), *tags) or (LATEST,)
    _insist_on(text, name, chosen)
    is_own = not found and is_loopback(urlsplit(f"//{host}").hostname or "")
    plain = plain_http or is_own
    registry = Registry(
        name=DOCKER_HUB if host == f"index.{DOCKER_HUB}" else host,
        scheme="http" if plain else "https",
    )
    return Destination(registry=registry, name=name, tags=tuple(dict.fromkeys(chosen)))


def _insist_on(text: str, name: str, tags: Sequence[str]) -> None:
    if name and not REPOSITORY.fullmatch(name.removesuffix("/")):
        hint = f"; did you mean {name.lower()}?" if name != name.lower() else ""
        why = (
            f"{name!r} should consist of small letters and digits, with single . _ or - between "
            f"them, and / between its parts{hint}"
        )
        raise errors.BadReference(text, why)
    for tag in tags:
        if not TAG.fullmatch(tag):
            why = (
                f"the tag {tag!r} should have letters, digits, . _ and - alone, at most 128, and "
                "begin with none of . and -"
            )
            raise errors.BadReference(text, why)
