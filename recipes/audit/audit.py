"""One file through both witnesses: what it claims, and what it contains."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.elffile import ELFFile

from recipes.audit import claims, code, objects
from recipes.audit.baseline import Baseline
from recipes.audit.finding import Finding, Place, Refused

SMALLEST = 40
"""Bytes of a section's header in a 32-bit file; 64 in others."""
LINKED = ("ET_EXEC", "ET_DYN")


@dataclass(kw_only=True)
class Audit:
    """What was looked at, and what was found."""

    file: str
    members: int = 0
    """ELF files: the file itself, or an archive's members."""
    code_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader of the verdict wants to know."""
    unseen: list[str] = field(default_factory=list)
    """What could not be looked at, and why."""


def of(path: Path, name: str, baseline: Baseline) -> Audit:
    """Audit a program, an object or an archive.

    Raises `Refused` for what is none of them or is not sound.
    """
    audit = Audit(file=name)
    for place, content in objects.of(path, name):
        audit.members += 1
        try:
            _look(audit, place, content, baseline)
        except (Refused, MemoryError):
            raise
        except Exception as error:  # pyelftools raises all kinds upon lying files
            fault = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Refused(f"{place} is not a sound ELF file ({fault})") from error
    return audit


def _look(audit: Audit, place: Place, content: bytes, baseline: Baseline) -> None:
    elf = ELFFile(io.BytesIO(content))
    for fault in _unsound(elf, len(content)):
        raise Refused(f"{place} is not a sound ELF file: {fault}")
    linked = elf.header.e_type in LINKED
    if place.member in objects.NOT_CODE and not code.count(elf):
        return
    said = list(claims.faults(elf, baseline, linked=linked))
    audit.findings += [Finding(place=place, what=fault) for fault in said]
    if elf.header.e_machine != baseline.machine:
        return
    if not baseline.code:
        audit.notes.append(f"{place}: the target names no baseline; its code was not looked at")
    elif linked and code.is_hidden(elf):
        raise Refused(f"{place} has code and no section that says where")
    elif code.is_stripped(elf) and baseline.code != "x86_64":
        audit.unseen.append(f"{place} is stripped: what in it is code cannot be told any more")
    else:
        audit.findings += (
            Finding(place=place, what=f"no mapping symbols say what in {section} is code")
            for section in code.without_marks(elf)
        )
        audit.code_bytes += code.count(elf)
        audit.findings += code.findings(elf, place, baseline)


def _unsound(elf: ELFFile, size: int) -> Iterator[str]:
    """Tables and sections that lead out of the file."""
    header = elf.header
    # Numbers that do not fit into the header are in the first section.
    if header.e_shoff and header.e_shoff + elf.num_sections() * header.e_shentsize > size:
        yield "its section table leads out of it"
    if header.e_phoff and header.e_phoff + elf.num_segments() * header.e_phentsize > size:
        yield "its program table leads out of it"
    if (header.e_shoff and header.e_shentsize < SMALLEST) or header.e_shoff > size:
        yield "its sections overlap"
    for index, section in enumerate(elf.iter_sections()):
        header = section.header
        held = header.sh_type not in ("SHT_NOBITS", "SHT_NULL")
        if held and header.sh_offset + header.sh_size > size:
            yield f"section {index} leads out of it"
