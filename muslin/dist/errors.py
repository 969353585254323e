"""What prevents that results are published.

One class for each situation, with its message.
"""

from __future__ import annotations

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


class UnusableKey(PipelineError):
    """The key for an archive's signature cannot sign."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot sign the archive for apt: {why}. --key takes an OpenPGP secret key "
            "without a password, as `gpg --export-secret-keys --armor NAME` writes it"
        )
