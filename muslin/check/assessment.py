"""One program through the audit: the only module of the check that calls `muslin.audit.verdict`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from elftools.elf.enums import ENUM_E_MACHINE

from muslin.audit import allowed, baseline, verdict
from muslin.audit.allowed import Entry
from muslin.audit.baseline import Baseline
from muslin.audit.finding import Finding
from muslin.audit.objects import ARCHIVE, ELF
from muslin.audit.verdict import Verdict
from muslin.check import computers, requirement
from muslin.check.programs import Program
from muslin.check.requirement import Requirement

DYNAMIC = re.compile(r"(?:wants the interpreter|needs) (?P<name>\S.*)")
"""Claims of a program that is not static."""
ATTRIBUTE = re.compile(r"(?P<tag>Tag_\w+) is (?P<value>\w+)")
ARCHITECTURES = {"v6": 6, "v6KZ": 7, "v6T2": 8, "v6K": 9, "v7": 10}
OBJECT = 1 << 20
"""Bytes of an archive in which its first object begins."""
NOT_LOOKED_AT = "its code was not looked at"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is passed that would not be."""

    accept_unseen: bool = False
    allow_dynamic: bool = False


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What is known of one program."""

    program: str
    machine: str
    """By pyelftools' name."""
    held_to: str = ""
    """The name of what it was held to; empty where its needs were looked for."""
    needs: tuple[str, ...] = ()
    """Words for what it needs; without `held_to` beyond the least of its machine."""
    probed: tuple[str, ...] = ()
    """Needs of code that is reached behind a look at the processor alone."""
    claimed: tuple[str, ...] = ()
    """Needs that its attributes state and its code was not seen to have."""
    runs_on: str = ""
    """The computers that have what it needs, in words; empty if none is known."""
    dynamic: tuple[str, ...] = ()
    """Interpreter and shared libraries."""
    refused: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, str], ...] = ()
    """With the reason."""
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    code_bytes: int = 0
    accepted_unseen: bool = False

    @property
    def fits(self) -> bool:
        """Whether nothing was refused and all of it was seen, or need not be."""
        return not self.refused and (self.accepted_unseen or not self.unseen)


def of(program: Program, held_to: Sequence[Requirement], options: Options) -> list[Assessment]:
    """Hold a program to requirements; without one look for what it needs at least.

    Raises `Refused` for what is no sound ELF file.
    """
    machine, bits, little_endian = _header(program)
    if not held_to:
        least = requirement.least(machine, bits=bits, little_endian=little_endian)
        return [_needs(program, machine, least, options)]
    return [_held(program, machine, wanted, options) for wanted in held_to]


def without_rules(program: Program, text: str, options: Options) -> Assessment:
    """A program that is for a platform without rules."""
    return Assessment(
        program=program.name,
        machine=_header(program)[0],
        unseen=(text,),
        accepted_unseen=options.accept_unseen,
    )


def _held(program: Program, machine: str, wanted: Requirement, options: Options) -> Assessment:
    processor = wanted.for_machine(machine)
    found = _verdict(program, processor, wanted.allowed_for)
    dynamic = tuple(_dynamic(found.refused))
    refused = tuple(
        one for one in found.refused if not (options.allow_dynamic and _is_dynamic(one))
    )
    return Assessment(
        program=program.name,
        machine=machine,
        held_to=wanted.name,
        needs=tuple(sorted({one.what for one in refused if one.section})),
        dynamic=dynamic,
        refused=refused,
        allowed=tuple((one, entry.reason) for one, entry in found.allowed),
        unseen=(*found.unseen, *_without_rules(found)),
        notes=tuple(note for note in found.notes if NOT_LOOKED_AT not in note),
        code_bytes=found.code_bytes,
        accepted_unseen=options.accept_unseen,
    )


def _needs(program: Program, machine: str, least: Baseline, options: Options) -> Assessment:
    found = _verdict(program, least, "")
    certain = {one.what for one in found.refused if one.section}
    probed = {one.what for one, _ in found.allowed if one.section} - certain
    claimed = {word for one in found.refused for word in _claimed(one)} - certain
    faults = [one for one in found.refused if not (one.section or _is_about_needs(one))]
    every = certain | claimed
    return Assessment(
        program=program.name,
        machine=machine,
        needs=tuple(sorted(certain)),
        probed=tuple(sorted(probed)),
        claimed=tuple(sorted(claimed - probed)),
        runs_on=computers.fitting(machine, every),
        dynamic=tuple(_dynamic(found.refused)),
        refused=tuple(faults),
        allowed=tuple((one, entry.reason) for one, entry in found.allowed),
        unseen=(*found.unseen, *_without_rules(found)),
        notes=tuple(note for note in found.notes if NOT_LOOKED_AT not in note),
        code_bytes=found.code_bytes,
        accepted_unseen=options.accept_unseen,
    )


def _verdict(program: Program, processor: Baseline, allowed_for: str) -> Verdict:
    name = allowed_for or "any"
    entries = _entries() if allowed_for else _for_any(name)
    return verdict.of(
        program.path,
        program.name,
        held_to=processor,
        baseline=name,
        entries=entries,
        walks=True,
    )


@functools.cache
def _entries() -> tuple[Entry, ...]:
    return allowed.load()


@functools.cache
def _for_any(name: str) -> tuple[Entry, ...]:
    """Code that is behind a look at the processor is so on every baseline."""
    return tuple(replace(entry, baselines=(*entry.baselines, name)) for entry in _entries())


def _header(program: Program) -> tuple[str, int, bool]:
    """Machine, width of addresses and order of bytes; of an archive those of its first object."""
    with program.path.open("rb") as file:
        head = file.read(OBJECT)
    if head.startswith(ARCHIVE):
        head = head[max(head.find(ELF), 0) :]
    if not head.startswith(ELF) or len(head) < 20:
        return "", 0, True
    order: Literal["little", "big"] = "little" if head[5] == 1 else "big"
    return _machines().get(int.from_bytes(head[18:20], order), ""), 32 * head[4], order == "little"


@functools.cache
def _machines() -> dict[int, str]:
    return {number: name for name, number in ENUM_E_MACHINE.items() if isinstance(number, int)}


def _without_rules(found: Verdict) -> Iterator[str]:
    yield from (note for note in found.notes if NOT_LOOKED_AT in note)


def _is_dynamic(finding: Finding) -> bool:
    return not finding.section and DYNAMIC.fullmatch(finding.what) is not None


def _dynamic(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings:
        if not one.section and (match := DYNAMIC.fullmatch(one.what)):
            yield match["name"]


def _claimed(finding: Finding) -> frozenset[str]:
    match = None if finding.section else ATTRIBUTE.fullmatch(finding.what)
    if match is None:
        return frozenset()
    value = ARCHITECTURES.get(match["value"])
    if value is None:
        value = int(match["value"]) if match["value"].isdigit() else -1
    return baseline.implied_by(match["tag"], value)


def _is_about_needs(finding: Finding) -> bool:
    """Whether a claim tells what a program needs, and is no fault of the file."""
    return _is_dynamic(finding) or ATTRIBUTE.fullmatch(finding.what) is not None
