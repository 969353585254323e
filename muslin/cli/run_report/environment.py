"""Whether a run is to leave reports: on a forge, or where SARIF is asked for. Imports nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

GITHUB, GITLAB = "GITHUB_ACTIONS", "GITLAB_CI"
"""Variables that are `true` in the jobs of a forge."""
OPTION = "--sarif"


def wanted(words: Iterable[str], environment: Mapping[str, str]) -> bool:
    """Whether anything is to be left for a session that was called with these words."""
    return OPTION in words or any(is_on(environment, name) for name in (GITHUB, GITLAB))


def is_on(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable is `true`."""
    return environment.get(name, "").lower() == "true"
