"""Where branches by a register lead: what was put together just before, and jump tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from muslin.audit import constants
from muslin.audit.flow import signed
from muslin.audit.memory import Memory
from muslin.audit.stripped import x86_jumps
from muslin.audit.stripped.area import TABLE, Areas
from muslin.audit.stripped.reach import Jump, Resolved
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

LOOK_BACK = 16
"""Instructions before a jump among which its table's address and bound are looked for."""
MOST, UNBOUNDED = 16384, 256
"""Entries of a table, and of one whose number no comparison says."""


@dataclass(frozen=True)
class Table:
    """A table of places to go on at."""

    address: int
    size: int
    """Bytes of an entry."""
    target: Callable[[int], int]
    """The key that an entry says."""
    bound: int | None = None
    """The number of entries; None where no comparison says it."""
    is_signed: bool = False


@dataclass
class Jumps:
    """Resolves the jumps of a program."""

    areas: Areas
    memory: Memory

    def resolve(self, jump: Jump) -> Resolved:
        """Where a jump leads."""
        if isinstance(jump.area.texts[jump.state], X86Text):
            return self._x86(jump)
        if not jump.calls and (table := self._table(jump)) is not None:
            return self._entries(jump, table)
        near = self._constants(jump, jump.begin)
        if near:
            return Resolved(near, sure=True)
        return Resolved(self._constants(jump, jump.at - 4 * LOOK_BACK) if jump.state == 0 else ())

    def _x86(self, jump: Jump) -> Resolved:
        text = jump.area.texts[0]
        assert isinstance(text, X86Text)
        before = text.before(jump.begin, jump.at)
        to = constants.x86_64(before[-constants.WINDOW :], text.start, self.memory)
        if to and self.areas.at(to) is not None:
            return Resolved((to,), sure=True)
        found = None if jump.calls else x86_jumps.table(before, text.start)
        if found is None or found.bound is None:
            return Resolved()
        target = _From(found.address if found.is_relative else 0)
        size = 4 if found.is_relative else 8
        table = Table(found.address, size, target, found.bound, is_signed=found.is_relative)
        return self._entries(jump, table)

    def _constants(self, jump: Jump, begin: int) -> tuple[int, ...]:
        kind = jump.area.texts[jump.state].kind
        first = max(begin, jump.at - 4 * LOOK_BACK if kind != "t" else begin, 0)
        text = jump.area.texts[jump.state]
        code = text.content[first : jump.at + 4]
        here = jump.area.start + jump.at
        return tuple(
            to | (kind_there == "t")
            for at, to, kind_there in constants.branches(
                kind, text.start + first, code, self.memory
            )
            if at == here
        )

    def _entries(self, jump: Jump, table: Table) -> Resolved:
        """What a table holds, up to its bound, or up to what cannot be an entry of it."""
        targets, nearest = list[int](), 0
        area = jump.area
        for index in range(min(table.bound or MOST, MOST)):
            at = table.address + table.size * index
            if table.bound is None and index == UNBOUNDED and not nearest:
                break
            value = self.memory.word(at, table.size)
            if value is None or (table.bound is None and nearest and at >= nearest):
                break
            key = table.target(signed(value, 8 * table.size) if table.is_signed else value)
            to = key & ~1 if self.areas.is_arm else key
            width = area.texts[key & 1 if self.areas.is_arm else 0].width
            if not area.start <= to < area.end or to % width:
                if table.bound is None:
                    break
                return Resolved()
            targets.append(key)
            if to > at and area.start <= table.address < area.end:
                nearest = min(nearest, to) if nearest else to
        if not isinstance(table.target, _Steps):
            self.note(table.address, table.size * len(targets))
        return Resolved(tuple(dict.fromkeys(targets)), sure=table.bound is not None)

    def note(self, address: int, size: int) -> None:
        """Note that a table lies somewhere."""
        if (area := self.areas.at(address)) is not None:
            area.note_data(address, size, TABLE)

    def _table(self, jump: Jump) -> Table | None:
        text = jump.area.texts[jump.state]
        if text.kind == "t":
            assert isinstance(text, ThumbText)
            return _thumb(text, jump)
        index = jump.at >> 2
        words = text.words[max(index - LOOK_BACK, 0) : index + 1]  # type: ignore[union-attr]
        return (_a32 if text.kind == "a" else _a64)(words, jump.area.start + jump.at)


# --- ARM --------------------------------------------------------------------------------------


def _a32(words: Sequence[int], here: int) -> Table | None:
    word = words[-1]
    if word & 0x0FFFFFF0 == 0x079FF100:  # ldr pc, [pc, rN, lsl #2]
        return Table(here + 8, 4, lambda value: value, _bound_a32(words, word & 0xF))
    if word & 0x0FFFFFF0 == 0x008FF100:  # add pc, pc, rN, lsl #2: branches in turn
        bound = _bound_a32(words, word & 0xF)
        if bound is None:
            return None
        return Table(here + 8, 4, _Steps(here + 8, 4), bound)
    if word & 0x0FF0FFF0 == 0x0790F100:  # ldr pc, [rB, rI, lsl #2]
        base = _near_a32(words, here, word >> 16 & 0xF)
        return (
            None
            if base is None
            else Table(base, 4, lambda value: value, _bound_a32(words, word & 0xF))
        )
    if word & 0x0FF0FFF0 == 0x0080F000:  # add pc, rB, rO
        return _relative_a32(words, here)
    return None


def _relative_a32(words: Sequence[int], here: int) -> Table | None:
    """`add pc, rB, rO` with a load of one of them, from a table, before."""
    first, second = words[-1] >> 16 & 0xF, words[-1] & 0xF
    for of, offset in ((first, second), (second, first)):
        base = here + 8 if of == 15 else _near_a32(words, here, of)
        load = _load_a32(words, offset)
        if base is None or load is None or load >> 16 & 0xF not in (of, first, second):
            continue
        where = _near_a32(words, here, load >> 16 & 0xF) or base
        return Table(where, 4, _From(base), _bound_a32(words, load & 0xF), is_signed=True)
    return None


@dataclass(frozen=True)
class _From:
    """Of a table of distances, which may be counted in units."""

    base: int
    shift: int = 0

    def __call__(self, value: int) -> int:
        return self.base + (value << self.shift)


class _Steps:
    """Of a table that is code: each entry is a target itself, whatever it holds."""

    def __init__(self, start: int, size: int) -> None:
        self.next, self.size = start - size, size

    def __call__(self, _: int) -> int:
        self.next += self.size
        return self.next


def _near_a32(words: Sequence[int], here: int, register: int) -> int | None:
    """What `add rN, pc, #n` before put into a register."""
    for back in range(1, len(words)):
        word = words[-1 - back]
        if word >> 12 & 0xF == register and word & 0x0C000000 == 0:
            if word & 0x0FFF0000 in (0x028F0000, 0x024F0000):
                return constants.add_to_pc(word | 0xF000, here - 4 * back)
            return None
    return None


def _load_a32(words: Sequence[int], register: int) -> int | None:
    """The `ldr rN, [rB, rI, lsl #2]` before."""
    for word in reversed(words[:-1]):
        if word >> 12 & 0xF == register and word & 0x0C000000 in (0, 0x04000000):
            return word if word & 0x0FF00FF0 == 0x07900100 else None
    return None


def _bound_a32(words: Sequence[int], register: int) -> int | None:
    """One more than what `cmp rN, #n` before compares with."""
    for word in reversed(words[:-1]):
        if word & 0x0FF0F000 == 0x03500000 and word >> 16 & 0xF == register:
            value, turn = word & 0xFF, (word >> 8 & 0xF) * 2
            lower = words[-1] >> 28 == 3  # under the condition that it is lower
            return ((value >> turn | value << (32 - turn)) & 0xFFFFFFFF) + (not lower)
        if (
            word >> 12 & 0xF == register
            and word & 0x0C000000 == 0
            and word & 0x01800000 != 0x1000000
        ):
            return None
    return None


# --- Thumb ------------------------------------------------------------------------------------


def _thumb(text: ThumbText, jump: Jump) -> Table | None:
    at, here = jump.at, text.start + jump.at
    first, second = text.halves[at >> 1], 0
    if at + 4 <= len(text.content):
        second = text.halves[(at >> 1) + 1]
    before = list(_before(text, jump))
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000 and first & 0xF == 15:
        size = 2 if second & 0x10 else 1
        bound = _bound_thumb(before, second & 0xF)
        return Table(here + 4, size, lambda value: here + 4 + 2 * value | 1, bound)
    if first & 0xFFF0 == 0xF850 and second & 0xFFF0 == 0xF020:  # ldr pc, [rB, rI, lsl #2]
        base = _near_thumb(before, first & 0xF)
        return (
            None
            if base is None
            else Table(base, 4, lambda value: value, _bound_thumb(before, second & 0xF))
        )
    return None


def _before(text: ThumbText, jump: Jump) -> Iterator[tuple[int, int]]:
    """Address and number of the instructions of the block before a jump, the last first; those of a
    block before that, where it surely goes on."""
    begin = max(min(jump.begin, jump.at), jump.at - 8 * LOOK_BACK)
    found = list[tuple[int, int]]()
    seen = jump.area.seen
    for index in range(begin - 2 * LOOK_BACK >> 1, jump.at >> 1):
        if index < 0 or (seen[index] & 4):
            continue
        half = text.halves[index]
        if half >= 0xE800:
            half = half << 16 | text.halves[index + 1]
        found.append((text.start + 2 * index, half))
    return reversed(found)


def _bound_thumb(before: Sequence[tuple[int, int]], register: int) -> int | None:
    for _, number in before:
        if number & 0xFFFFF800 == 0x2800 and number >> 8 & 7 == register:
            return (number & 0xFF) + 1
        if number & 0xFFF08F00 == 0xF1B00F00 and number >> 16 & 0xF == register:
            return (number & 0xFF) + 1 if not number & 0x7000 and not number >> 26 & 1 else None
    return None


def _near_thumb(before: Sequence[tuple[int, int]], register: int) -> int | None:
    for at, number in before:
        if number >> 11 == 0b10100 and number >> 8 & 7 == register:
            return (at + 4 & ~3) + 4 * (number & 0xFF)
        if number & 0xFB5F8000 in (0xF20F0000, 0xF20F8000) and number >> 8 & 0xF == register:
            offset = number & 0xFF | number >> 4 & 0x700 | number >> 15 & 0x800
            return (at + 4 & ~3) + (-offset if number & 0x00A00000 == 0x00A00000 else offset)
    return None


# --- AArch64 ----------------------------------------------------------------------------------


def _a64(words: Sequence[int], here: int) -> Table | None:
    """`add xT, xB, xO, (s|u)xt?, lsl #n; br xT` with a load of the offset before."""
    if words[-1] & 0xFFFFFC1F != 0xD61F0000:
        return None
    back, added = _last_write(words, len(words) - 1, words[-1] >> 5 & 0x1F)
    if added & 0x7F200000 != 0x0B000000 and added & 0x7FE00000 != 0x0B200000:
        return None
    extended = bool(added & 0x00200000)
    base, offset = added >> 5 & 0x1F, added >> 16 & 0x1F
    shift = added >> 10 & (7 if extended else 0x3F)
    where, load = _last_write(words, back, offset)
    if load and load & 0x3F000000 == 0x13000000:  # sxtw and so on
        where, load = _last_write(words, where, load >> 5 & 0x1F)
    if load & 0x3F200C00 != 0x38200800:
        return None
    size, load_signed = 1 << (load >> 30), bool(load >> 23 & 1)
    is_signed = load_signed or (extended and bool(added >> 15 & 1))
    table = _value(words, where, load >> 5 & 0x1F, here)
    origin = _value(words, back, base, here)
    if table is None or origin is None:
        return None
    bound = _bound_a64(words, where, load >> 16 & 0x1F)
    return Table(
        table,
        size,
        _From(origin, shift),
        bound,
        is_signed=is_signed or size == 4,
    )


def _last_write(words: Sequence[int], before: int, register: int) -> tuple[int, int]:
    """Index and word of the last instruction before one that names a register as its result; 0 and
    0 without any."""
    for index in range(before - 1, -1, -1):
        word = words[index]
        is_store = word & 0x0A000000 == 0x08000000 and not word & 0x00C00000
        if word & 0x1F == register and not is_store and word & 0x1C000000 != 0x14000000:
            return index, word
    return 0, 0


def _value(words: Sequence[int], before: int, register: int, here: int) -> int | None:
    """An address that `adr`, or `adrp` and `add`, put into a register."""
    index, word = _last_write(words, before, register)
    at = here - 4 * (len(words) - 1 - index)
    if word & 0x1F000000 == 0x10000000:
        offset = signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
        return (at & ~0xFFF) + (offset << 12) if word >> 31 else at + offset
    if word & 0xFF800000 == 0x91000000:
        page = _value(words, index, word >> 5 & 0x1F, here)
        more = (word >> 10 & 0xFFF) << (12 if word & 0x400000 else 0)
        return None if page is None else page + more
    return None


def _bound_a64(words: Sequence[int], before: int, register: int) -> int | None:
    for index in range(before - 1, -1, -1):
        word = words[index]
        if word & 0x7F80001F == 0x7100001F and word >> 5 & 0x1F == register:
            return _limit((word >> 10 & 0xFFF), words[index + 1 : before + 4])
        if word & 0x1F == register and word & 0x7FE0FFE0 == 0x2A0003E0:  # mov: of the same value
            register = word >> 16 & 0x1F
    return None


def _limit(compared: int, words: Sequence[int]) -> int | None:
    """How many values are below, or not above, what an index is compared with."""
    for word in words:
        if word & 0xFF000010 == 0x54000000:
            return {8: compared + 1, 2: compared}.get(word & 0xF)  # b.hi, b.hs
    return None
