"""Jump tables of AArch64, by the words before the jump."""

from __future__ import annotations

from collections.abc import Sequence

from muslin.audit.flow import signed
from muslin.audit.stripped.jump_table import Distances, Table


def a64(words: Sequence[int], here: int) -> Table | None:
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
        Distances(origin, shift),
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
