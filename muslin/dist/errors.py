"""What prevents that results are published.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin.errors import PipelineError


class ReadOnlyCheckout(PipelineError):
    """Artefacts are asked for where this user may put none."""

    def __init__(self, dist: Path) -> None:
        super().__init__(
            f"{dist} cannot be written, and that is where programs and images go: call nox in a "
            "checkout of your own. The sessions plan, fetch, toolchain, openssl, rust-std and "
            "services write to the cache alone and work here"
        )


class InTheWay(PipelineError):
    """Something else lies where an artefact or a folder of them goes."""

    def __init__(self, path: Path, kind: str, wanted: str) -> None:
        super().__init__(
            f"{path} is {kind}, and {wanted} goes there: move or remove it, and run the same "
            "command again. Nothing was built"
        )


class NotAsSigned(PipelineError):
    """Files are not what a trusted key has signed."""

    def __init__(self, place: Path, faults: Sequence[str]) -> None:
        listing = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(
            f"{place}: {len(faults)} file(s) are not as signed, do not use them:\n{listing}\n"
            "  Take them again from where they were published, or ask there for the right key"
        )


class NothingSigned(PipelineError):
    """There is no file that could be signed or verified."""

    def __init__(self, place: Path) -> None:
        super().__init__(
            f"{place} has no file to sign or to verify. `nox -s build-all` fills dist/, "
            "`nox -s sign-dist -- --key FILE` signs what it lists"
        )
