"""All of a section of x86 code: one instruction after the other, and what branches show."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from muslin.audit import constants, flow, x86, x86_decoder
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
    filled_in = part.filled_in() if baseline.bits == 32 else ()
    for run in part.runs:
        found = list(sweep.needs(_in_turn(run, content, baseline)))
        yield from found
        # A table is read as code too, and its branches are none: it lies behind a function's size,
        # or has in it what is no instruction.
        sure = run.known or (run.end if all(one.needs != x86.UNKNOWN for one in found) else 0)
        taken = [to for at, to in sweep.taken() if at < sure and not _is_open(at, filled_in)]
        led_to.update(taken)
    while led_to:
        at = led_to.pop()
        if 0 <= at < len(content):
            yield from sweep.needs(_from(at, part, baseline))
            led_to |= {to for at, to in sweep.taken() if not _is_open(at, filled_in)}
        else:
            part.leads_out.add(at)


def _is_open(at: int, filled_in: Collection[int]) -> bool:
    """Whether a linker still fills in where a branch leads: an object's 32-bit code holds no
    offset there, but what is to be added to one."""
    return bool(filled_in) and (at + 1 in filled_in or at + 2 in filled_in)


class _Sweep:
    """Looks at instructions and collects where they lead."""

    def __init__(self, part: Part, baseline: Baseline, whole: Memory | None) -> None:
        self._part, self._has, self._whole = part, baseline.has, whole
        self._bits = baseline.bits
        self._branches: list[tuple[int, int]] = []

    def taken(self) -> list[tuple[int, int]]:
        """The branches since this was asked last: where they lie and where they lead, from the
        start of the section."""
        branches, self._branches = self._branches, []
        return branches

    def needs(self, instructions: Iterator[Instruction]) -> Iterator[Hit]:
        """What they need beyond the baseline. Notes where each begins."""
        begun, content = self._part.begun, self._part.content
        last = deque[Instruction](maxlen=WINDOW)
        for one in instructions:
            offset, size, name, operands = one
            begun[offset] = 1
            last.append(one)
            code = content[offset : offset + size]
            for need in x86.needs(name, operands, code, self._bits):
                if need not in self._has:
                    yield Hit(offset, size, need)
            if x86.leads(name, operands):
                # Before the section is less than nothing.
                self._branches.append(
                    (offset, flow.signed(int(operands, 0) & (1 << self._bits) - 1, self._bits))
                )
                if 0x66 in code and self._bits == 64:
                    others = x86.other_reading(self._part.address + offset, code, name)
                    self._branches += [(offset, to - self._part.address) for to in others]
            elif name in x86.BY_VALUE and self._whole is not None:
                there = constants.x86_64(last, self._part.address, self._whole)
                if there and self._whole.is_executable(there):
                    self._branches.append((offset, there - self._part.address))


def _in_turn(run: Run, content: bytes, baseline: Baseline) -> Iterator[Instruction]:
    """All of a stretch."""
    disassembler = x86_decoder.made(baseline.bits, skips=True)
    at = run.start
    while at < run.end:
        begin, at = at, run.end
        for one in disassembler.disasm_lite(content[begin : run.end], begin):
            yield one
            offset, size, name, _ = one
            if name in x86.TRAPS and (more := x86.operand_bytes(content, offset + size)):
                at = offset + size + more
                break


def _from(at: int, part: Part, baseline: Baseline) -> Iterator[Instruction]:
    """From an offset on, up to where code goes elsewhere or was looked at."""
    content, begun = part.content, part.begun
    disassembler = x86_decoder.made(baseline.bits, skips=True)
    while at < len(content) and not begun[at]:
        (one,) = disassembler.disasm_lite(content[at : at + x86.LONGEST], at, 1)
        yield one
        _, size, name, _ = one
        if name in x86.ENDS:
            return
        at += size
