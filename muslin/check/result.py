"""What a check found, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from muslin.audit.finding import Finding
from muslin.check import computers, problem
from muslin.check.assessment import Assessment
from muslin.check.problem import Problem
from muslin.check.programs import Unreadable

SCHEMA = "muslin-check/1"
"""Of the JSON; the number goes up where a field loses its meaning, not where one is added."""
FITS, DOES_NOT_FIT, UNREADABLE = 0, 1, 2
"""Exit codes; 2 is that of wrong use too."""
SHOWN = 12
"""Findings of one program in the text; the JSON has all."""
MACHINES = {
    "EM_ARM": "32-bit ARM",
    "EM_AARCH64": "AArch64",
    "EM_X86_64": "x86-64",
    "EM_386": "32-bit x86",
    "EM_RISCV": "RISC-V",
    "EM_PPC64": "64-bit PowerPC",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that one check found."""

    assessments: tuple[Assessment, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def exit_code(self) -> int:
        """The worst of what was found; what does not fit is worse than what cannot be read."""
        if any(not one.fits for one in self.assessments):
            return DOES_NOT_FIT
        return UNREADABLE if self.unreadable or not self.assessments else FITS

    def lines(self) -> Iterator[str]:
        """For people; whatever names the files hold, each line is one."""
        for one in self.assessments:
            yield from map(_printable, _text(one))
        for fault in self.unreadable:
            yield _printable(f"{fault.name}: unreadable: {fault.reason}")

    def table(self) -> dict[str, Any]:
        """For machines."""
        return {
            "schema": SCHEMA,
            "fits": self.exit_code == FITS,
            "exit_code": self.exit_code,
            "programs": [_row(one) for one in self.assessments],
            "unreadable": [asdict(one) for one in self.unreadable],
        }

    def problems(self) -> Iterator[Problem]:
        """Everything for which the exit code is not 0."""
        for one in self.assessments:
            held = f" (held to {one.held_to})" if one.held_to else ""
            for finding in one.refused:
                yield _problem(
                    problem.DOES_NOT_FIT, one.program, f"{_described(finding)}{held}", finding
                )
            for text in () if one.accepted_unseen else one.unseen:
                yield _problem(problem.NOT_SEEN, one.program, text)
        for fault in self.unreadable:
            yield _problem(problem.UNREADABLE, fault.name, fault.reason)


def _problem(kind: str, program: str, text: str, finding: Finding | None = None) -> Problem:
    return Problem(kind=kind, path=program, program=program, text=text, finding=finding)


def _text(one: Assessment) -> Iterator[str]:
    machine = MACHINES.get(one.machine, one.machine)
    yield f"{one.program}: {machine}, {_conclusion(one)}"
    if one.held_to:
        yield from (f"  allowed: {_described(finding)}; {why}" for finding, why in one.allowed)
    elif one.probed:
        yield f"  behind a look at the processor: {_list(one.probed)}"
    if one.claimed:
        yield f"  its attributes claim: {_list(one.claimed)}"
    if one.dynamic:
        yield f"  dynamic: {', '.join(one.dynamic)}"
    yield from (f"  note: {note}" for note in one.notes)
    yield from (f"  not seen: {text}" for text in one.unseen)
    for finding in one.refused[:SHOWN]:
        yield f"  refused: {_described(finding)}"
    if len(one.refused) > SHOWN:
        yield f"  and {len(one.refused) - SHOWN} more; --json lists all"


def _conclusion(one: Assessment) -> str:
    if one.held_to:
        if one.refused:
            return f"does not fit {one.held_to}: {len(one.refused)} finding(s)"
        if one.unseen:
            accepted = " (accepted)" if one.accepted_unseen else ""
            return f"not fully seen, nothing that does not fit {one.held_to} was found{accepted}"
        return f"fits {one.held_to}"
    if not one.needs and one.unseen:
        claimed = f"claims {_list(one.claimed)}" if one.claimed else "claims the least"
        return f"not fully seen, {claimed}: {one.runs_on or 'no known computer'}"
    needs = _list({*one.needs, *one.claimed}) or "the least of its kind"
    return f"needs at least {needs}: {one.runs_on or 'no known computer'}"


def _list(needs: frozenset[str] | set[str] | tuple[str, ...]) -> str:
    return ", ".join(computers.summary(needs))


def _described(finding: Finding) -> str:
    """A finding without its file, and with the member of an archive."""
    text = str(finding).removeprefix(f"{finding.place}: ")
    return f"{finding.place.member}: {text}" if finding.place.member else text


def _row(one: Assessment) -> dict[str, Any]:
    return {
        "program": one.program,
        "machine": one.machine,
        "held_to": one.held_to,
        "fits": one.fits,
        "needs": list(one.needs),
        "needs_behind_a_probe": list(one.probed),
        "needs_claimed": list(one.claimed),
        "runs_on": one.runs_on,
        "dynamic": list(one.dynamic),
        "code_bytes": one.code_bytes,
        "refused": [asdict(finding) for finding in one.refused],
        "allowed": [{**asdict(finding), "reason": why} for finding, why in one.allowed],
        "not_seen": list(one.unseen),
        "not_seen_accepted": one.accepted_unseen,
        "notes": list(one.notes),
    }


def _printable(text: str) -> str:
    """Text with its control characters written as Python does."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
