"""What prevents that an image is pushed.

One class for each situation, with its message. No message contains a text that a registry or a
credential helper sent: it may repeat a credential.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin.errors import PipelineError

LOGIN = "`docker login {0}` or `podman login {0}` stores credentials"


class BadReference(PipelineError):
    """The name to push to is not one that a registry takes."""

    def __init__(self, text: str, why: str) -> None:
        shown = "the name with a user or password" if "@" in text else repr(text)
        super().__init__(f"{shown} is no place to push to: {why}")


class OneNameForSeveral(PipelineError):
    """Several services are to be pushed to one name."""

    def __init__(self, text: str, services: Sequence[str]) -> None:
        super().__init__(
            f"{len(services)} services cannot be pushed to one name: {', '.join(services)}. "
            f"`{text}/` with a slash at the end gives each a name of its own below it, "
            "`--service NAME` selects one"
        )


class CredentialsUnreadable(PipelineError):
    """A file with credentials of registries cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}: credentials cannot be read: {why}. Correct the file, or log in again with "
            "`docker login` or `podman login`"
        )


class HelperFailed(PipelineError):
    """A credential helper that a configuration names gives no credentials."""

    def __init__(self, program: str, registry: str, declared: Path, why: str) -> None:
        super().__init__(
            f"{program}, which {declared} names for {registry}, {why}. "
            f"`echo {registry} | {program} get` shows what it says"
        )


class AccessDenied(PipelineError):
    """A registry does not accept who pushes."""

    def __init__(self, place: str, origin: str) -> None:
        registry = place.partition("/")[0]
        why = (
            f"the credentials of {origin} are not accepted, or may not push there"
            if origin
            else "there are no credentials for it"
        )
        super().__init__(f"{place}: access denied (401): {why}. {LOGIN.format(registry)}")


class Forbidden(PipelineError):
    """A registry knows who pushes and does not allow it."""

    def __init__(self, place: str, origin: str) -> None:
        who = f"the credentials of {origin} have" if origin else "anonymous users have"
        super().__init__(
            f"{place}: forbidden (403): {who} no right to push there. Check the name, and that "
            "the account or token may write packages or images"
        )


class NoRepository(PipelineError):
    """A registry does not have the repository, and does not create it."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place}: not found (404): the registry has no such repository or project and does "
            "not create it at a push, or no registry answers there. Check the name, or create the "
            "repository first"
        )


class NotARegistry(PipelineError):
    """What answers is not a registry of the OCI distribution specification."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(
            f"{place}: the answer is not a registry's: {what}. A proxy or a login page may answer "
            "instead: check the name of the registry, its port and the proxy"
        )


class TooLargeForRegistry(PipelineError):
    """A registry, or a proxy before it, does not take a file of this size."""

    def __init__(self, place: str, what: str, size: int) -> None:
        super().__init__(
            f"{place}: {what} with {size} bytes is too large (413). The limit is the registry's or "
            "its proxy's, such as client_max_body_size of nginx"
        )


class RegistryRefused(PipelineError):
    """A registry refuses a part of the image."""

    def __init__(self, place: str, what: str, status: int, code: str) -> None:
        reason = f"{status} {code}".rstrip()
        super().__init__(
            f"{place}: the registry refuses {what} ({reason}). The rules of the repository may "
            "forbid it, such as tags that cannot be changed; nothing else was tagged"
        )


class RegistryFailed(PipelineError):
    """A registry cannot be reached, or fails at every attempt."""

    def __init__(self, place: str, what: str, why: str) -> None:
        super().__init__(
            f"{place}: {what}: the registry {why}. What was pushed is kept there: run the same "
            "command again, and it goes on from there"
        )


class WrongAnswer(PipelineError):
    """A registry stored something else than it was sent."""

    def __init__(self, place: str, what: str, wanted: str) -> None:
        super().__init__(
            f"{place}: the registry reports another digest for {what} than {wanted}. Do not use "
            "what it serves under this name; a proxy or the registry changes content"
        )


class BadRedirection(PipelineError):
    """A registry sends a request to where it must not go."""

    def __init__(self, place: str, what: str, why: str) -> None:
        super().__init__(
            f"{place}: {what}: the registry redirects {why}. A registry behind a proxy needs its "
            "public address in its own configuration, or the header X-Forwarded-Proto"
        )


class TokenRefused(PipelineError):
    """The server that a registry names for tokens gives none."""

    def __init__(self, place: str, realm: str, why: str) -> None:
        registry = place.partition("/")[0]
        super().__init__(
            f"{place}: no token from {realm}: the server {why}. {LOGIN.format(registry)}"
        )
