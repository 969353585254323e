"""What lets somebody push: basic authorization, or a token from the server that a registry names.

Flow and fields are those of the distribution project's token specification, with identity tokens
by OAuth 2 (`grant_type=refresh_token`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode

from muslin.dist.registry import challenge as challenges
from muslin.dist.registry import errors
from muslin.dist.registry.answer import insist_on_passing
from muslin.dist.registry.challenge import Challenge
from muslin.dist.registry.connection import Connection
from muslin.dist.registry.credentials import Credential
from muslin.engine import redaction
from muslin.engine.fetch import failures

CLIENT = "muslin"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
USABLE = range(0x21, 0x7F)
"""Characters of a token; another one could end a header."""


class Authorization:
    """The header for one repository, renewed when the registry asks for it."""

    def __init__(
        self,
        connection: Connection,
        *,
        place: str,
        scopes: tuple[str, ...],
        credential: Callable[[], Credential | None],
    ) -> None:
        """Nothing is looked for before a registry asks."""
        self._connection, self._place, self._scopes = connection, place, scopes
        self._find = credential
        self._credential: Credential | None = None
        self._is_known = False
        self.header = ""
        """What goes with a request; empty until a registry asked for something."""

    @property
    def origin(self) -> str:
        """Where the credential comes from, for messages; empty if there is none."""
        found = self._known()
        return found.origin if found else ""

    def renew(self, header: str) -> None:
        """Get what `WWW-Authenticate` asks for.

        Raises `AccessDenied` if that cannot be had, `TokenRefused`, and what finding credentials
        raises.
        """
        offered = {one.scheme: one for one in reversed(challenges.parse(header))}
        found = self._known()
        if "bearer" in offered:
            self.header = f"Bearer {self._token(offered['bearer'], found)}"
        elif "basic" in offered and found is not None and found.password:
            self.header = _basic(found)
        else:
            raise errors.AccessDenied(self._place, self.origin)

    def _known(self) -> Credential | None:
        if not self._is_known:
            self._credential, self._is_known = self._find(), True
        return self._credential

    def _token(self, offered: Challenge, found: Credential | None) -> str:
        if found is not None and found.registry_token:
            return found.registry_token
        realm = offered.parameters.get("realm", "")
        shown = redaction.place(realm)
        if not self._connection.may_go_to(realm):
            why = "has an address that is neither https nor, beside such a registry, on loopback"
            raise errors.TokenRefused(self._place, shown, why)
        what = "the token for it"
        return self._connection.retries.run(
            what, self._place, lambda: self._asked(realm, offered.parameters.get("service", ""))
        )

    def _asked(self, realm: str, service: str) -> str:
        found, connection = self._known(), self._connection
        fields = [("service", service)] if service else []
        fields += [("client_id", CLIENT)]
        if found is not None and found.identity_token:
            scopes = [("scope", " ".join(self._scopes))]
            secret = [("grant_type", "refresh_token"), ("refresh_token", found.identity_token)]
            form = urlencode([*fields, *scopes, *secret]).encode()
            answer = connection.once("POST", realm, FORM, form)
        else:
            query = urlencode([*fields, *(("scope", scope) for scope in self._scopes)])
            own = {"Authorization": _basic(found)} if found is not None and found.password else {}
            address = f"{realm}{'&' if '?' in realm else '?'}{query}"
            answer = connection.once("GET", address, own, b"")
        insist_on_passing(answer)
        shown = redaction.place(realm)
        if answer.status in (401, 403):
            if found is None:
                raise errors.AccessDenied(self._place, "")
            why = f"does not accept the credentials of {found.origin} ({answer.status})"
            raise errors.TokenRefused(self._place, shown, why)
        if answer.status != 200:
            raise errors.TokenRefused(self._place, shown, str(failures.of_status(answer.status)))
        try:
            table = json.loads(answer.content)
            token = table.get("token") or table.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not all(ord(one) in USABLE for one in token) or not token:
            raise errors.TokenRefused(self._place, shown, "answers without a token")
        return token


def _basic(found: Credential) -> str:
    pair = f"{found.user}:{found.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
