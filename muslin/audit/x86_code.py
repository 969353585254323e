"""All of a section of x86-64 code: one instruction after the other, and what branches show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import capstone

from muslin.audit import constants, x86
from muslin.audit.baseline import Baseline
from muslin.audit.beyond import Part
from muslin.audit.constants import WINDOW
from muslin.audit.finding import Hit
from muslin.audit.memory import Memory
from muslin.audit.stretches import Run

Instruction = tuple[int, int, str, str]
"""Offset, size, name and operands."""


def hits(part: Part, baseline: Baseline, whole: Memory | None) -> Iterator[Hit]:
    """One instruction after the other; then once more from where a branch leads into the middle of
    one, for that one was data, or hides another. Notes where each begins, and what leads out."""
    content, led_to = part.content, set[int]()
    part.begun = bytearray(len(content))
    sweep = _Sweep(part, baseline, whole)
    for run in part.runs:
        found = list(sweep.needs(_in_turn(run, content)))
        yield from found
        # A table is read as code too, and its branches are none: it lies behind a function's size,
        # or has in it what is no instruction.
        sure = run.known or (run.end if all(one.needs != x86.UNKNOWN for one in found) else 0)
        led_to |= {to for at, to in sweep.taken() if at < sure}
    while led_to:
        at = led_to.pop()
        if 0 <= at < len(content):
            yield from sweep.needs(_from(at, content, part.begun))
            led_to |= {to for _, to in sweep.taken()}
        else:
            part.leads_out.add(at)


class _Sweep:
    """Looks at instructions and collects where they lead."""

    def __init__(self, part: Part, baseline: Baseline, whole: Memory | None) -> None:
        self._part, self._has, self._whole = part, baseline.has, whole
        self._branches: list[tuple[int, int]] = []

    def taken(self) -> list[tuple[int, int]]:
        """The branches since this was asked last: where they lie and where they lead, from the
        start of the section."""
        branches, self._branches = self._branches, []
        return branches

    def needs(self, instructions: Iterator[Instruction]) -> Iterator[Hit]:
        """What they need beyond the baseline. Notes where each begins."""
        begun, last = self._part.begun, deque[Instruction](maxlen=WINDOW)
        for one in instructions:
            offset, size, name, operands = one
            begun[offset] = 1
            last.append(one)
            for need in x86.needs(name, operands):
                if need not in self._has:
                    yield Hit(offset, size, need)
            if x86.leads(name, operands):
                to = int(operands, 0)  # of 64 bits; before the section is less than nothing
                self._branches.append((offset, to - (1 << 64) if to >> 63 else to))
            elif name in x86.BY_VALUE and self._whole is not None:
                there = constants.x86_64(last, self._part.address, self._whole)
                if there and self._whole.is_executable(there):
                    self._branches.append((offset, there - self._part.address))


def _in_turn(run: Run, content: bytes) -> Iterator[Instruction]:
    """All of a stretch."""
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.skipdata = True
    at = run.start
    while at < run.end:
        begin, at = at, run.end
        for one in decoder.disasm_lite(content[begin : run.end], begin):
            yield one
            offset, size, name, _ = one
            if name in x86.TRAPS and (more := x86.operand_bytes(content, offset + size)):
                at = offset + size + more
                break


def _from(at: int, content: bytes, begun: bytearray) -> Iterator[Instruction]:
    """From an offset on, up to where code goes elsewhere or was looked at."""
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.skipdata = True
    while at < len(content) and not begun[at]:
        (one,) = decoder.disasm_lite(content[at : at + x86.LONGEST], at, 1)
        yield one
        _, size, name, _ = one
        if name in x86.ENDS:
            return
        at += size
