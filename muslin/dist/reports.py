"""The reports in `dist/`, read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models.declaration import Foreign


class Verdict(Foreign):
    """What a verification's report says of its subject; one of a start has neither."""

    fits: bool = False
    baseline: str = ""
    """The processor whose instructions were looked for; none if claims alone were looked at."""
    ran: tuple[str, ...] = ()
    """What was seen of it when it ran, a line each."""
    shipped: str = ""
    """The digest of the program that was stripped, if its subject is one."""


def read(path: Path) -> Verdict | None:
    """A report; None for a file that is none."""
    try:
        return declaration.parse(path, documents.json_table(path), Verdict)
    except errors.BadDeclaration:  # somebody's own, or cut off: it vouches for nothing
        return None


def verified(dist: Path, target: str) -> dict[str, str]:
    """Digests of the stripped programs that `dist/` has a report of, and where that is."""
    return {
        verdict.shipped: str(path.with_suffix(".txt").relative_to(dist.parent))
        for path, verdict in of_programs(dist, target)
    }


def of_programs(dist: Path, target: str) -> Iterator[tuple[Path, Verdict]]:
    """The reports on programs of a target that fit it."""
    for path in sorted((dist / "reports" / target).glob("*.json")):
        said = read(path)
        if said is not None and said.fits and said.shipped:
            yield path, said
