"""One file's audit with what is allowed told from what is not, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from muslin.audit import audit
from muslin.audit.allowed import Entry
from muslin.audit.baseline import Baseline
from muslin.audit.finding import Finding, Place


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said of one file."""

    file: str
    members: int
    """ELF files in it."""
    code_bytes: int
    refused: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, Entry], ...]
    unseen: tuple[str, ...]
    """What could not be looked into, and why."""
    notes: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether all of it was looked at and nothing was refused."""
        return not self.refused and not self.unseen

    def lines(self) -> Iterator[str]:
        """For people, the sum last; whatever names the file holds, each is one line."""
        for finding, entry in self.allowed:
            yield _printable(f"allowed: {finding}; {entry.reason}")
        yield from (_printable(f"note: {note}") for note in self.notes)
        yield from (_printable(f"not seen: {text}") for text in self.unseen)
        yield from (_printable(f"refused: {finding}") for finding in self.refused)
        yield _printable(
            f"{self.file}: {self.members} ELF file(s), {self.code_bytes} bytes of code, "
            f"{len(self.refused)} finding(s), {len(self.allowed)} allowed"
        )

    def table(self) -> dict[str, Any]:
        """For machines."""
        return {
            "file": self.file,
            "fits": self.fits,
            "elf_files": self.members,
            "code_bytes": self.code_bytes,
            "refused": [asdict(one) for one in self.refused],
            "allowed": [{**asdict(one), "reason": entry.reason} for one, entry in self.allowed],
            "not_seen": list(self.unseen),
            "notes": list(self.notes),
        }


def _printable(text: str) -> str:
    """Text with its control characters written as Python does."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def of(  # noqa: PLR0913  # keywords, one per fact that it depends on
    path: Path,
    name: str,
    *,
    held_to: Baseline,
    baseline: str,
    entries: Sequence[Entry],
    walks: bool = False,
) -> Verdict:
    """Hold a file to a processor; what is allowed is said by the baseline's name. Programs without
    symbols may be walked through.

    Raises `Refused` for what is no ELF file or archive, or is not sound.
    """
    found = audit.of(path, name, held_to, walks=walks)
    refused: list[Finding] = []
    allowed: list[tuple[Finding, Entry]] = []
    there: set[tuple[Place, str]] = set()
    # Code first: a claim is allowed where the code is that it comes of.
    for finding in sorted(found.findings, key=lambda one: not one.section):
        fitting = (one for one in entries if one.covers(finding, baseline, found.names))
        if not finding.section:
            fitting = (one for one in fitting if (finding.place, one.reason) in there)
        entry = next(fitting, None)
        if entry is None:
            refused.append(finding)
        else:
            there.add((finding.place, entry.reason))
            allowed.append((finding, entry))
    return Verdict(
        file=name,
        members=found.members,
        code_bytes=found.code_bytes,
        refused=tuple(refused),
        allowed=tuple(allowed),
        unseen=tuple(found.unseen),
        notes=tuple(found.notes),
    )
