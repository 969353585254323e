"""What prevents that results are published.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin.errors import PipelineError
from muslin.invocation import spelled


class ReadOnlyCheckout(PipelineError):
    """Artefacts are asked for where this user may put none."""

    def __init__(self, dist: Path) -> None:
        super().__init__(
            f"{dist} cannot be written, and that is where programs and images go: work in a "
            "copy of the project that you may write. The sessions plan, fetch, toolchain, openssl, "
            "rust-std and services write to the cache alone and work here"
        )


class InTheWay(PipelineError):
    """Something else lies where an artefact or a folder of them goes."""

    def __init__(self, path: Path, kind: str, wanted: str) -> None:
        super().__init__(
            f"{path} is {kind}, and {wanted} goes there: move or remove it, and run the same "
            "command again. Nothing was built"
        )


class NothingBuilt(PipelineError):
    """What is to be pushed is not in `dist/`."""

    def __init__(self, path: Path, service: str = "") -> None:
        command = spelled("build-all", f"--service {service}" if service else "")
        super().__init__(f"{path} is missing or not listed: run `{command}` first")


class ChangedByHand(PipelineError):
    """A file of `dist/` is not what a run placed there."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} was changed after it was built: {why}. Nothing was pushed; "
            f"`{spelled('build-all')}` places the verified files again"
        )


class PlatformsMissing(PipelineError):
    """An image in `dist/` does not hold every platform that is to be pushed."""

    def __init__(self, path: Path, service: str, targets: Sequence[str]) -> None:
        command = spelled("build-all", f"{' '.join(targets)} --service {service}")
        super().__init__(
            f"{path} has no platform for {', '.join(targets)}: `{command}` adds it, "
            "or name the targets to push"
        )


class NotVerified(PipelineError):
    """A program in an image has no report that it was verified."""

    def __init__(self, service: str, target: str, why: str) -> None:
        command = spelled("build-all", f"{target} --service {service}")
        super().__init__(
            f"{service} for {target} is not verified: {why}. Nothing was pushed; "
            f"`{command}` builds and verifies it"
        )


class UnusableKey(PipelineError):
    """The key for an archive's signature cannot sign."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot sign the archive for apt: {why}. --key takes an OpenPGP secret key "
            "without a password, as `gpg --export-secret-keys --armor NAME` writes it"
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
            f"{place} has no file to sign or to verify. `{spelled('build-all')}` fills dist/, "
            f"`{spelled('sign-dist', '--key FILE')}` signs what it lists"
        )
