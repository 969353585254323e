"""Copyright notices and licence texts of what is linked into programs: `recipes/licences.toml`."""

from __future__ import annotations

from muslin.models.declaration import Declaration


class Licences(Declaration):
    """What packages say of their parts."""

    notices: dict[str, str]
    """Years and holders, by the names of components."""
    texts: dict[str, str]
    """By SPDX identifiers, with exceptions."""
