"""Which stretches of a section are code, and of which kind.

On ARM and AArch64 mapping symbols say it; what they call data is code all the same where something
leads there: the instruction before it, a branch, or a function that starts there. Assembler files
write instructions as numbers for old assemblers, and some programs lose these symbols.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from elftools.elf.sections import Section

from muslin.audit import arm, flow, ppc_flow, riscv_flow, symbols
from muslin.audit.baseline import Baseline
from muslin.audit.symbols import CALLED, WIDTH, Symbol

NOTHING = {
    **dict.fromkeys("atx", (0xBF00, 0x46C0, 0xE320F000, 0xE1A00000, 0xF3AF8000, 0xD503201F)),
    "v": riscv_flow.NOTHING,
    "p": ppc_flow.NOTHING,
}
"""The instructions that assemblers fill with: Thumb's, ARM's and AArch64's, and others'."""
STATES = {"a": "ARM", "t": "Thumb"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A stretch of one section that is of one kind."""

    kind: str
    """`a` ARM, `t` Thumb, `x` AArch64 or x86, `v` RISC-V, `p` PowerPC, `d` data."""
    start: int
    end: int
    """From the start of the section."""
    behind_data: bool = False
    """Whether data is before it: nobody comes by what fills up there, unless something leads to
    it."""
    known: int = 0
    """Up to where it is code by the size of a function that starts it (x86-64); what is behind may
    be a table."""


@dataclass(frozen=True, order=True)
class Start:
    """Where something leads into data: a branch, a function, the instruction before."""

    at: int
    kind: str
    size: int = 0
    """Of a function that has one."""


def wrong_marks(there: Sequence[Symbol], section: Section, baseline: Baseline) -> Iterator[str]:
    """Where mapping symbols leave it open what is code, or say it wrong."""
    marks = symbols.marks(there, baseline.usual)
    # Of 32 bits code may be ARM or Thumb: without a mark at the start nobody knows.
    if baseline.code == "arm" and not (marks and marks[0][0] <= 0):
        yield f"no mapping symbols say what in {section.name} is code"
    for fault in symbols.wrong_marks(there, section.header.sh_size, baseline.usual):
        yield f"{section.name}: {fault}"
    if baseline.code != "arm":
        return
    starts = [start for start, _ in marks]
    for one in there:
        at = bisect.bisect_right(starts, one.offset) - 1
        if one.kind not in CALLED or at < 0 or not 0 <= one.offset < section.header.sh_size:
            continue
        kind = marks[at][1]
        if kind in STATES and one.thumb != (kind == "t"):
            yield (
                f"{section.name}: a mapping symbol says that {one.name} is {STATES[kind]}, "
                "and its own says that it is not"
            )


# Long: one walk over a section; each kind of code goes on from the one before.
def runs(
    there: Sequence[Symbol],
    content: bytes,
    baseline: Baseline,
    relocated: Callable[[], Collection[int]] = tuple,
) -> Iterator[Run]:
    """A section's code in stretches of one kind each; `relocated` are the places that a linker
    still fills in."""
    size = len(content)
    if baseline.is_x86:
        # Anew at every function: what is before it may be a table, and end in half an instruction.
        starts = {one.offset for one in there if one.kind in (*CALLED, "STT_NOTYPE")}
        inside = sorted(one for one in starts if 0 < one < size)
        ends = {one.offset: one.offset + one.size for one in sorted(there) if one.kind in CALLED}
        for start, end in pairwise([0, *inside, size]):
            yield Run(kind="x", start=start, end=end, known=min(ends.get(start, 0), end))
        return
    usual = baseline.usual
    marks = _marks(there, content, baseline)
    if not marks or marks[0][0] > 0:
        marks.insert(0, (0, usual))
    stretches = [
        Run(kind=kind, start=start, end=end)
        for (start, kind), (end, _) in pairwise([*marks, (size, "")])
        if start < end
    ]
    stretches[1:] = [
        replace(one, behind_data=before.kind == "d") for before, one in pairwise(stretches)
    ]
    data = [one for one in stretches if one.kind == "d"]
    led_to = _led_to([one for one in stretches if one.kind != "d"], data, content, relocated)
    functions = (
        Start(one.offset, "t" if one.thumb else usual, one.size)
        for one in there
        if one.kind in CALLED
    )
    leads = sorted({*functions, *led_to})
    before = Run(kind="d", start=0, end=0)
    for one in stretches:
        if one.kind != "d":
            yield one
        else:
            first, end = (bisect.bisect_left(leads, Start(at, "")) for at in (one.start, one.end))
            into = leads[first:end]
            if before.kind != "d" and before.end == one.start and goes_on(before, content):
                into.append(Start(one.start, before.kind))
            yield from _in_data(one, into, content)
        before = one


def _marks(there: Sequence[Symbol], content: bytes, baseline: Baseline) -> list[tuple[int, str]]:
    """What a section's marks say; without them RISC-V's code is read anew at every function."""
    if baseline.code == "ppc":
        return ppc_flow.marks(content)
    size, usual = len(content), baseline.usual
    marks = [mark for mark in symbols.marks(there, usual) if 0 <= mark[0] <= size]
    if baseline.code == "riscv" and not marks:
        starts = {one.offset for one in there if one.kind in CALLED}
        return [(at, usual) for at in sorted(starts) if 0 <= at < size]
    return marks


def _in_data(data: Run, starts: Iterable[Start], content: bytes) -> Iterator[Run]:
    """What of a stretch of data is code, from where something leads into it: all of a function
    that has a size, else up to where it ends."""
    covered: dict[tuple[str, int], int] = {}
    for start in sorted(set(starts)):
        way = (start.kind, start.at % WIDTH[start.kind])
        seen = covered.get(way, 0)
        if start.size:
            end = min(data.end, start.at + start.size)
        elif start.at >= seen:
            end = _end(Run(kind=start.kind, start=start.at, end=data.end), content)
        else:  # what something before it runs into
            continue
        if max(start.at, seen) < end:
            covered[way] = end
            yield Run(kind=start.kind, start=max(start.at, seen), end=end)


def _led_to(
    code: Sequence[Run],
    data: Sequence[Run],
    content: bytes,
    relocated: Callable[[], Collection[int]],
) -> list[Start]:
    """Where branches lead that go into data."""
    if not data:
        return []
    within = bytearray(len(content))
    for one in data:
        within[one.start : one.end] = b"\1" * (one.end - one.start)
    found = [
        (at, to, kind)
        for run in code
        for at, to, kind in flow.branches(run.kind, run.start, content[run.start : run.end])
        if 0 <= to < len(content) and within[to]
    ]
    if found:
        filled_in = relocated()  # what they say in an object is no place yet
        found = [one for one in found if one[0] not in filled_in]
    return [Start(to, kind) for _, to, kind in found]


def goes_on(run: Run, content: bytes, address: int = 0, targets: Sequence[int] = ()) -> bool:
    """Whether the processor goes on behind a stretch of ARM or AArch64 code of a section at an
    address: its last instruction ends nothing, or one of the `targets`, which are sorted, lies in
    what fills up behind that. A call is taken not to return: a pool of constants is behind many a
    call that does not."""
    filled, all_of = run.start, list[int]()
    last_ends, only_nothing = True, True
    for at, number, conditional in _last(run, content):
        all_of.append(number)
        if number and number not in NOTHING[run.kind]:  # linkers fill with zeros between objects
            only_nothing = False
            filled = at + length(run.kind, number)
            last_ends = (not conditional and ends(run.kind, number)) or flow.is_exit(
                run.kind, all_of[-flow.LOOK_BACK :]
            )
    index = bisect.bisect_left(targets, address + filled)
    if only_nothing and any(all_of) and not run.behind_data:
        return True
    return not last_ends or (index < len(targets) and targets[index] < address + run.end)


def called_last(run: Run, content: bytes, address: int) -> tuple[int, str] | None:
    """Address and state of what a stretch calls with its last instruction, if that is a call of
    what it names."""
    found: tuple[int, str] | None = None
    for at, number, _ in _last(run, content):
        if number and number not in NOTHING[run.kind]:
            size = length(run.kind, number)
            calls = flow.is_call(run.kind, number)
            there = flow.branches(run.kind, address + at, content[at : at + size])
            found = next(((to, kind) for _, to, kind in there), None) if calls else None
    return found


def _last(run: Run, content: bytes) -> Iterator[tuple[int, int, bool]]:
    """The last instructions, as many as tell how a stretch ends, as `_instructions` does. Those of
    Thumb and RISC-V can be told from the start alone."""
    start = run.start
    if WIDTH[run.kind] == 4:
        start = run.end - (run.end - run.start) % 4
        while start > run.start and word(content, start - 4, 4) in (0, *NOTHING[run.kind]):
            start -= 4
        start = max(run.start, start - 4 * flow.LOOK_BACK)
    return _instructions(Run(kind=run.kind, start=start, end=run.end), content)


def _end(run: Run, content: bytes) -> int:
    """Where the instructions end that are come by in turn."""
    at = run.start
    for at_, number, conditional in _instructions(run, content):
        at = at_ + length(run.kind, number)
        if not conditional and ends(run.kind, number):
            break
    return at


def _instructions(run: Run, content: bytes) -> Iterator[tuple[int, int, bool]]:
    """Place and number of each, one of Thumb's with four bytes has its first half above the second;
    and whether an `it` before it makes it conditional."""
    if run.kind == "v":
        code = content[run.start : run.end]
        yield from ((*one, False) for one in riscv_flow.instructions(run.start, code))
        return
    at, width, conditional = run.start, WIDTH[run.kind], 0
    while at + width <= run.end:
        number, size = word(content, at, width), width
        if run.kind == "t" and arm.is_wide(number) and at + 4 <= run.end:
            number, size = number << 16 | word(content, at + 2, 2), 4
        yield at, number, conditional > 0
        if run.kind == "t":
            conditional = flow.conditional_after(number) or max(conditional - 1, 0)
        at += size


def length(kind: str, number: int) -> int:
    """Bytes of an instruction."""
    if kind == "v":
        return riscv_flow.size(number)
    return 4 if kind != "t" or number >> 16 else 2


def word(content: bytes, at: int, size: int) -> int:
    """A number of so many bytes."""
    return int.from_bytes(content[at : at + size], "little")


def ends(kind: str, number: int) -> bool:
    """Whether nothing is run behind an instruction that has no condition."""
    match kind:
        case "a":
            return flow.ends_a32(number)
        case "t":
            return flow.ends_thumb(number)
        case "v":
            return riscv_flow.ends(number)
        case "p":
            return ppc_flow.ends(number)
        case _:
            return flow.ends_a64(number)
