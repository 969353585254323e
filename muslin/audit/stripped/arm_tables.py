"""Jump tables of 32-bit ARM, by the words before the jump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muslin.audit import constants
from muslin.audit.stripped.jump_table import LOOK_BACK, Distances, Steps, Table
from muslin.audit.stripped.reach import Jump
from muslin.audit.stripped.thumb_text import ThumbText


def a32(words: Sequence[int], here: int) -> Table | None:
    word = words[-1]
    if word & 0x0FFFFFF0 == 0x079FF100:  # ldr pc, [pc, rN, lsl #2]
        return Table(here + 8, 4, lambda value: value, _bound_a32(words, word & 0xF))
    if word & 0x0FFFFFF0 == 0x008FF100:  # add pc, pc, rN, lsl #2: branches in turn
        bound = _bound_a32(words, word & 0xF)
        if bound is None:
            return None
        return Table(here + 8, 4, Steps(here + 8, 4), bound)
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
        return Table(where, 4, Distances(base), _bound_a32(words, load & 0xF), is_signed=True)
    return None


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


def thumb(text: ThumbText, jump: Jump) -> Table | None:
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
