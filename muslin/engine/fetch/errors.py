"""What fails when a source is downloaded.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin.errors import PipelineError


class WrongDigest(PipelineError):
    """A download is complete and is not the file that was pinned."""

    def __init__(  # noqa: PLR0913  # each is a line of the message
        self, name: str, origin: str, wanted: str, got: str, kept: Path | None, *, found: str = ""
    ) -> None:
        """`found` says how it was noticed, where no file was kept."""
        if kept:
            found = f"The received file was kept for a look at {kept}."
        super().__init__(
            f"{name} from {origin} is not the file that is pinned.\n"
            f"  pinned SHA-256: {wanted}\n  received:       {got}\n"
            f"  {found}\n"
            "  Do not build with it: compare both with what the project itself announces. "
            "MUSLIN_MIRROR names another server; a pin that is wrong is in recipes/pins/"
        )


class WrongSize(PipelineError):
    """A download has another length than its pin."""

    def __init__(self, name: str, origin: str, wanted: int, got: int) -> None:
        amount = f"more than {wanted}" if got > wanted else f"only {got}"
        super().__init__(
            f"{name} from {origin} has {amount} bytes where {wanted} are pinned; "
            "none of it was kept. MUSLIN_MIRROR names another server; "
            "a pin that is wrong is in recipes/pins/"
        )


class DownloadTooLarge(PipelineError):
    """A download exceeds the limit for a pin without a size."""

    def __init__(self, name: str, origin: str, most: int) -> None:
        super().__init__(
            f"{name} from {origin} has more than {most} bytes, the limit for a pin without a size; "
            "none of it was kept. Add `size` to its pin in recipes/pins/upstream.toml"
        )


class NotTheFile(PipelineError):
    """A server answered with a page for people instead of the file."""

    def __init__(self, name: str, origin: str) -> None:
        super().__init__(
            f"{origin} answered with an HTML page instead of {name}, as servers do that want a "
            "login or have lost the file; open the address in a browser to see"
        )


class TooSlow(PipelineError):
    """A download went on for longer than a working server takes."""

    def __init__(self, name: str, origin: str, received: int, seconds: float) -> None:
        super().__init__(
            f"{name} from {origin}: only {received} bytes received in {seconds:.0f} s; "
            "they are kept, and the next attempt continues there"
        )


class ServerFailed(PipelineError):
    """A server did not send the file."""

    def __init__(self, name: str, origin: str, why: str) -> None:
        self.fault = f"{name} from {origin}: the server {why}"
        """Without the remedy, which the Debian archive's mirrors do not have."""
        super().__init__(f"{self.fault}; MUSLIN_MIRROR names another one")


class UnsafeAddress(PipelineError):
    """An address that is neither HTTPS nor this machine's own."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} is not fetched: only https, or http on loopback. It stands in "
            "MUSLIN_MIRROR or in recipes/pins/upstream.toml"
        )


class NoNetwork(PipelineError):
    """None of a source's origins could be reached."""

    def __init__(self, name: str, attempts: Sequence[str]) -> None:
        tried = "\n".join(f"    {attempt}" for attempt in attempts)
        super().__init__(
            f"{name} could not be fetched:\n{tried}\n"
            "  Is this machine on the network, and are its proxy settings right? "
            "What was fetched before is kept; run the same command again."
        )


class ArchiveUnusable(PipelineError):
    """The Debian archive does not have what is wanted of it."""

    def __init__(self, why: str, detail: str = "") -> None:
        more = "".join(f"\n    {line}" for line in detail.splitlines()[-8:])
        super().__init__(f"the Debian archive cannot be used: {why}{more}")


class ArchiveUnreachable(PipelineError):
    """No mirror has a signed index of a suite that can be accepted."""

    def __init__(self, suite: str, detail: str) -> None:
        lines = "".join(f"\n    {line}" for line in detail.splitlines()[-8:])
        super().__init__(
            f"the Debian archive ({suite}) cannot be asked:{lines}\n"
            "  Is this machine on the network, and are its clock and its proxy settings right? "
            "What was fetched before is kept; run the same command again."
        )


class IndexFailed(PipelineError):
    """Pip did not get a wheel, or found no set of wheels."""

    def __init__(self, wanted: str, lines: Sequence[str], *, received: str = "") -> None:
        self.received = received
        """SHA-256 of another file than the pinned one, if pip got such a file."""
        said = "".join(f"\n    {line}" for line in lines)
        super().__init__(
            f"{wanted}: pip failed:{said}\n"
            "  Which index it asks is its own configuration: PIP_INDEX_URL or "
            "`pip config list`. Without an index, PIP_FIND_LINKS names a folder with wheels and "
            "MUSLIN_MIRROR one on the web, or put the pinned file into "
            "<cache>/downloads/<its SHA-256>/"
        )


class LeftArchive(PipelineError):
    """A pinned version went away between the look at the archive and the download."""

    def __init__(self, package: str, version: str) -> None:
        super().__init__(
            f"{package} {version} is not in the Debian archive any more. Run the same command "
            "again: it asks the archive what there is instead"
        )
