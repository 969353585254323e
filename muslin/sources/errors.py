"""What fails when sources are chosen, updated or compared with advisories.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from muslin.errors import PipelineError
from muslin.invocation import spelled


class NotAsked(PipelineError):
    """A question without the network, in a cache that was never told the answer."""

    def __init__(self, components: Sequence[str]) -> None:
        super().__init__(
            f"this cache does not know the archive's changelogs of {', '.join(components)} yet: "
            f"run `{spelled('advisories')}` once with the network"
        )


class NoRecord(PipelineError):
    """A pin of the upstream set is to move, and nothing here states a newer release's digest."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the archive is no record of releases of {name!r}, only of {', '.join(known)}: write "
            "the new version, digest and size into recipes/pins/upstream.toml by hand, from two "
            "public records"
        )


class DriverWantsUpstream(PipelineError):
    """A driver is asked for that builds from another source set than the run's."""

    def __init__(self, driver: str, sources: str) -> None:
        super().__init__(
            f"the driver {driver} builds from the upstream set, and this run's is {sources}: "
            f"add `--sources upstream --driver {driver}`"
        )


class NoRust(PipelineError):
    """The pinned release of Rust has no compiler for this machine."""

    def __init__(self, version: str, machine: str, there: Iterable[str]) -> None:
        known = ", ".join(sorted(one for one in there if one))
        super().__init__(
            f"recipes/pins/upstream.toml has Rust {version} for {known}, and none for {machine}. "
            "Add its rustc, cargo and rust-std to [[rust.files]], or choose another source set: "
            "MUSLIN_SOURCES=debian"
        )


class NoSourcePackage(PipelineError):
    """A new pin is asked for and the archive knows no such package."""

    def __init__(self, name: str, suite: str) -> None:
        super().__init__(
            f"the Debian archive ({suite}) has no source package {name!r}; "
            "the field `Source` of a binary package names the source package that it is built from"
        )


class NotInArchive(PipelineError):
    """The archive has neither the pinned version nor another of its series."""

    def __init__(self, package: str, version: str, series: str, there: Sequence[str]) -> None:
        super().__init__(
            f"the Debian archive has no {package} {version} any more, nor another {series}; "
            f"it has {', '.join(there) or 'no version of it'}.\n"
            "  An older version than the pinned one is not taken: it would lack fixes. `git pull` "
            "for newer pins, take up the new series in recipes/pins/, or ask another mirror."
        )


class NoPatches(PipelineError):
    """A source package keeps its patches in no archive of their own."""

    def __init__(self, package: str, version: str) -> None:
        super().__init__(
            f"{package} {version} has no .debian.tar: its patches cannot be taken from it"
        )
