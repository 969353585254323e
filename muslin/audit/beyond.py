"""From the code of a linked file's sections to all that it leads to."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain

from elftools.elf.elffile import ELFFile

from muslin.audit import constants, flow
from muslin.audit.baseline import Baseline
from muslin.audit.memory import Memory
from muslin.audit.stretches import Run, called_last, goes_on
from muslin.audit.walk import OTHER, Lead, Met, Walk, decoded, marks, roots
from muslin.audit.x86 import LONGEST

BEGUN = bytes.maketrans(b"\1", bytes([OTHER]))


@dataclass
class Part:
    """A section whose code was looked at."""

    address: int
    content: bytes
    runs: list[Run] = field(default_factory=list)
    begun: bytearray = field(default_factory=bytearray)
    """Of x86: 1 where an instruction was found to begin."""
    filled_in: Callable[[], Collection[int]] = tuple
    """The places that a linker still fills in."""
    leads_out: set[int] = field(default_factory=set)
    """Of x86: where branches lead that leave the section, from its start."""


@dataclass
class Looked:
    """What was looked at by sections."""

    of: Baseline
    parts: list[Part] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    """Their addresses, without the bit that says Thumb."""


def walk(elf: ELFFile, looked: Looked, memory: Memory) -> Iterator[Met]:
    """What is met on all ways that lead out of what was looked at."""
    way = Walk(memory, looked.of, leads=[*roots(elf, memory)])
    if looked.of.is_x86:
        for part in looked.parts:
            way.looked_at(part.address, bytes(part.begun.translate(BEGUN)))
        for part in looked.parts:
            way.leads += _out_of(part, memory, looked.of)
    else:
        for part in looked.parts:
            for run in part.runs:
                way.looked_at(part.address + run.start, marks(run, part.content))
        way.leads += _beyond_marks(looked, way)
    yield from way.run()


def _out_of(part: Part, memory: Memory, baseline: Baseline) -> Iterator[Lead]:
    """What leads out of a section of x86."""
    for to in part.leads_out:
        yield Lead(part.address + to, "x", f"a branch of the section at {part.address:#x}")
    whole, size = memory.at(part.address), len(part.content)
    if whole is None:
        return
    first = max(size - flow.LOOK_BACK * LONGEST, 0)
    last = [
        decoded(whole, part.address + at - whole.start, "x", baseline)
        for at in range(first, size)
        if part.begun[at]
    ]
    end = part.address + size
    # A call is taken not to return, as in `stretches.goes_on`.
    over = last and (last[-1].ends or last[-1].calls)
    if last and not over and not flow.is_exit("x", [one.number for one in last]):
        yield Lead(end, "x", f"the code before {end:#x}")


def _beyond_marks(looked: Looked, way: Walk) -> list[Lead]:
    """What leads to where no instruction of another processor was looked at."""
    leads, targets = list[Lead](), array("Q", looked.functions)
    for part in looked.parts:
        for run in part.runs:
            code = part.content[run.start : run.end]
            start = part.address + run.start
            for at, to, kind in chain(
                flow.branches(run.kind, start, code),
                constants.branches(run.kind, start, code, way.memory),
            ):
                if to > 0:
                    targets.append(to)
                if not way.was_looked_at(to, kind):
                    leads.append(Lead(to, kind, f"a branch at {at:#x}"))
    ordered = sorted(targets)
    for part in looked.parts:
        for run in part.runs:
            end = part.address + run.end
            if way.was_looked_at(end, run.kind):
                continue
            called = called_last(run, part.content, part.address)
            if goes_on(run, part.content, part.address, ordered) or (
                called and way.returns(*called)
            ):
                leads.append(Lead(end, run.kind, f"the code before {end:#x}"))
    return leads
