"""Where the archive's files are requested, and by which keys its indexes may be signed."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muslin.engine.fetch.archive import machine
from muslin.engine.fetch.archive.located import Role
from muslin.engine.fetch.archive.machine import Entry


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """The directories of both archives, in the order in which they are tried."""

    addresses: Mapping[Role, tuple[str, ...]] = field(repr=False)
    """May contain a name and password (RFC 3986, 3.2.1): requests sends them to that host only."""
    keyrings: tuple[Path, ...] = ()
    """Files that the machine's administrator named beside the addresses."""
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Proxy by scheme, of apt's own configuration; the environment's variables serve otherwise."""


def of_machine(etc: Path, codename: str) -> Mirrors | None:
    """The mirrors in a Debian machine's apt files; None if they name no archive of the release."""
    found = machine.archive_of(etc, codename)
    if "main" not in found:
        return None
    return Mirrors(
        addresses={role: tuple(map(_with_login, entries)) for role, entries in found.items()},
        keyrings=tuple(
            sorted(
                {
                    Path(word)
                    for entries in found.values()
                    for entry in entries
                    for word in entry.signed_by.replace(",", " ").split()
                    if word.startswith("/")
                }
            )
        ),
        proxies=machine.proxies(etc),
    )


def public(directories: tuple[tuple[str, str], ...]) -> Mirrors:
    """Mirrors from pairs of addresses, of the main and of the security archive."""
    return Mirrors(
        addresses={
            "main": tuple(main for main, _ in directories),
            "security": tuple(security for _, security in directories),
        }
    )


def _with_login(entry: Entry) -> str:
    if entry.login is None:
        return entry.uri
    scheme, _, rest = entry.uri.partition("://")
    name, password = (urllib.parse.quote(word, safe="") for word in entry.login)
    return f"{scheme}://{name}:{password}@{rest}"
