"""How an address may be requested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Route:
    """The rules for a request and its redirections."""

    plain: bool = False
    """Whether HTTP will do beyond loopback: for what a signature vouches for."""
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Proxy by scheme; the environment's variables serve where there is none."""
