"""One file through both witnesses: what it claims, and what it contains."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from muslin.audit import claims, code, layout, objects, symbols
from muslin.audit.baseline import Baseline
from muslin.audit.finding import Finding, Place, Refused
from muslin.audit.memory import Memory

LINKED = ("ET_EXEC", "ET_DYN")
WALKED = ("arm", "aarch64", "x86_64")
"""Code of which a program is walked through where it has no symbols."""


@dataclass(kw_only=True)
class Audit:
    """What was looked at, and what was found."""

    file: str
    members: int = 0
    """ELF files: the file itself, or an archive's members."""
    code_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Symbols of a program or a single object."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the verdict wants to know."""
    unseen: list[str] = field(default_factory=list)
    """What could not be looked at, and why."""


def of(path: Path, name: str, baseline: Baseline, *, walks: bool = False) -> Audit:
    """Audit a program, an object or an archive. A program without symbols may be walked through;
    otherwise it is not seen, as nothing tells its code from data.

    Raises `Refused` for what is none of them or is not sound.
    """
    audit = Audit(file=name)
    for place, content in objects.of(path, name):
        audit.members += 1
        try:
            _look(audit, place, content, baseline, walks=walks)
        except (Refused, MemoryError):
            raise
        except Exception as error:  # pyelftools raises all kinds upon lying files
            fault = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Refused(f"{place} is not a sound ELF file ({fault})") from error
    return audit


def _look(audit: Audit, place: Place, content: bytes, baseline: Baseline, *, walks: bool) -> None:
    elf = layout.Elf(content)
    linked = elf.header.e_type in LINKED
    walks = walks and linked and baseline.code in WALKED
    is_bare = walks and elf.num_sections() == 0
    for fault in layout.faults(elf, len(content), linked=linked and not is_bare):
        raise Refused(f"{place} is not a sound ELF file: {fault}")
    if place.member in objects.NOT_CODE and not code.count(elf):
        return
    said = list(claims.faults(elf, baseline, linked=linked))
    audit.findings += [Finding(place=place, what=fault) for fault in said]
    if elf.header.e_machine != baseline.machine:
        return
    if not baseline.code:
        audit.notes.append(f"{place}: the target names no baseline; its code was not looked at")
    elif code.is_for_the_linker(elf):
        audit.unseen.append(f"{place} holds what a linker makes code of (LTO), and no code yet")
    elif is_bare or (walks and code.is_stripped(elf)):
        # The pipeline looks before it strips, and is not verified anew for another walk.
        from muslin.audit.stripped import report  # noqa: PLC0415

        found = report.of(elf, content, place, baseline)
        audit.code_bytes += found.code_bytes
        audit.findings += found.findings
        audit.unseen += found.unseen
        audit.notes += found.notes
    elif code.is_stripped(elf) and baseline.has_marks:
        audit.unseen.append(f"{place} is stripped: what in it is code cannot be told any more")
    else:
        audit.code_bytes += code.count(elf)
        whole = Memory(elf, content) if linked else None
        audit.findings += code.findings(elf, place, baseline, whole=whole)
        if not place.member:
            audit.names |= symbols.names(elf)
