"""The choice among alternatives and providers."""

from __future__ import annotations

from collections.abc import Sequence

from muslin.engine.fetch.archive import dependencies

AWKS = {
    "base": {"Package": "base", "Version": "1", "Pre-Depends": "awk"},
    "gawk": {"Package": "gawk", "Version": "1", "Provides": "awk"},
    "mawk": {"Package": "mawk", "Version": "1", "Provides": "awk"},
}


class Packages:
    """The packages above."""

    def newest(self, name: str) -> dependencies.Stanza | None:
        """A package."""
        return AWKS.get(name)

    def providers(self, name: str) -> Sequence[str]:
        """Those that provide a name."""
        return [one for one, stanza in AWKS.items() if stanza.get("Provides") == name]


def test_the_first_provider_where_none_is_asked_for() -> None:
    assert set(dependencies.closure(["base"], Packages())) == {"base", "gawk"}


def test_what_is_asked_for_meets_what_others_need() -> None:
    assert set(dependencies.closure(["base", "mawk"], Packages())) == {"base", "mawk"}
