"""What cannot be put together to a graph of stages.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from muslin.errors import PipelineError


class NoBoard(PipelineError):
    """A boot was asked for where no board is declared for any of the targets."""

    def __init__(self, targets: Iterable[str], known: Mapping[str, Sequence[str]]) -> None:
        there = "; ".join(f"{name} runs {', '.join(of)}" for name, of in known.items())
        super().__init__(
            f"no board is declared for {' or '.join(targets)}: {there}. "
            "One file in boards/ declares another"
        )


class NoArchitecture(PipelineError):
    """A package is requested for a target that no system with dpkg runs."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"{target} has no packages: toolchains/{target}.toml names no architecture of Debian. "
            'Add it, such as debian = { architecture = "arm64" }, or name other targets'
        )
