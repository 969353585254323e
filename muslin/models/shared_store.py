"""The table `[tool.muslin.store]` and its variables."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from muslin.engine.remote.errors import PASSPHRASE_VARIABLE
from muslin.engine.remote.terms import Terms
from muslin.models import errors
from muslin.models.declaration import Declaration

STORE_VARIABLE = "MUSLIN_STORE"
TRUSTED_VARIABLE = "MUSLIN_STORE_TRUSTED"
KEY_VARIABLE = "MUSLIN_STORE_KEY"
TOKEN_VARIABLE = "MUSLIN_STORE_TOKEN"  # noqa: S105  # a name
OFF = "off"
ADDRESS = r"^(https?://[A-Za-z0-9._\-\[\]:]+(/[A-Za-z0-9._~\-/]*)?|file:///[^\x00-\x1f?#]+)?$"
"""Neither credentials nor a query: both would be in what is printed."""
TOKEN = re.compile(r"[!-~]+")
SIGNERS = 8

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$")]


class Table(Declaration):
    """The table `[tool.muslin.store]`."""

    url: Annotated[str, Field(pattern=ADDRESS)] = ""
    """`https://…`, `http://…` or `file:///…`, without credentials: what has the layout of Bazel's
    HTTP cache."""
    trusted: tuple[Line, ...] = ()
    """Files of public keys, from the project's directory; their signers are believed."""
    threshold: Annotated[int, Field(ge=1, le=SIGNERS)] = 1
    """So many of the trusted keys must have signed the same tree."""
    key: Annotated[str, Field(pattern=r"^[^\x00-\x1f]*$")] = ""
    """File of the private key that signs what is pushed; where it is absent, nothing is."""


def terms(table: Table, project: Path) -> Terms | None:
    """What the table and the environment say; None if no store is used.

    Raises `BadVariable`, `BadToken`. Whether there are keys enough is for a run that uses them: the
    session that makes keys is one that does not.
    """
    address = os.environ.get(STORE_VARIABLE) or table.url
    if not address or address == OFF:
        return None
    if not re.fullmatch(ADDRESS, address):
        wanted = "https://…, http://… or file:///… without credentials, `off`"
        raise errors.BadVariable(STORE_VARIABLE, address, wanted)
    trusted = [one for one in os.environ.get(TRUSTED_VARIABLE, "").split(":") if one]
    files = tuple(_file(one, project) for one in (trusted or table.trusted))
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token and not TOKEN.fullmatch(token):
        raise errors.BadToken(TOKEN_VARIABLE)
    return Terms(
        address=address.rstrip("/"),
        trusted=files,
        threshold=table.threshold,
        key=_key(table, project),
        token=token,
        passphrase=os.environ.get(PASSPHRASE_VARIABLE, ""),
    )


def _key(table: Table, project: Path) -> Path | None:
    """The private key that signs: one that the environment names must be there; the project's file
    speaks for all who build it, and few have the key."""
    if named := os.environ.get(KEY_VARIABLE):
        return _file(named, project)
    path = _file(table.key, project) if table.key else None
    return path if path is not None and path.exists() else None


def _file(named: str, project: Path) -> Path:
    try:
        return project / Path(named).expanduser()
    except RuntimeError:  # a home of nobody's
        return project / named
