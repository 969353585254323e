"""What an instruction of 64-bit PowerPC needs beyond POWER8, from its bits.

What POWER8 has is listed (`ppc_power8.py`), with what it takes for nothing, as `hashst`. All else
is a finding, in the words of the version that has it (`ppc_later.py`) if that is known.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from muslin.audit.ppc_later import POWER9 as OF_POWER9
from muslin.audit.ppc_later import POWER10 as OF_POWER10
from muslin.audit.ppc_power8 import POWER8 as OF_POWER8

POWER9 = "Power ISA 3.0 (POWER9)"
POWER10 = "Power ISA 3.1 (POWER10)"
PREFIXED = "instructions with a prefix (POWER10)"
SYSTEM = "a special register beyond POWER8's for programs"
UNKNOWN = "something that no rule knows"

Table = tuple[tuple[tuple[int, int], ...], ...]
MOVES = {339: "mfspr", 371: "mftb", 467: "mtspr"}
"""Extended opcodes of primary opcode 31 that name a special register."""
REGISTERS = frozenset(
    (
        *(1, 3, 8, 9, 13),  # XER, DSCR, LR, CTR, AMR
        *range(128, 132),  # transactional memory
        *(256, 259, 268, 269),  # VRSAVE, SPRG3, TB, TBU
        287,  # PVR: the kernel answers
        *range(768, 784),  # performance monitor
        *range(800, 807),  # event-based branches
        *(815, 896, 898),  # TAR, PPR, PPR32
    )
)
"""Those that programs may use (version 2.07 B, book III-S, section 5.4.4)."""


def _index(word: int) -> int:
    """Where the rows are that a word may match: by the primary opcode and five more bits."""
    return word >> 21 & 0x7E0 | word >> 1 & 0x1F


@functools.cache
def _table(name: str) -> Table:
    """The rows of one of the tables by `_index`."""
    source: Mapping[int, str] = {"8": OF_POWER8, "9": OF_POWER9, "10": OF_POWER10}[name]
    rows: list[list[tuple[int, int]]] = [[] for _ in range(1 << 11)]
    for mask, words in source.items():
        for word in words.split():
            bits = int(word.rpartition("=")[2], 16)
            for more in range(32):
                if not (more << 1 ^ bits) & mask & 0x3E:
                    rows[bits >> 21 & 0x7E0 | more].append((mask, bits))
    return tuple(map(tuple, rows))


def _is_of(name: str, word: int) -> bool:
    return any(word & mask == bits for mask, bits in _table(name)[_index(word)])


def needs(word: int) -> Iterator[str]:
    """Everything that an instruction needs beyond POWER8."""
    if not word:
        return  # defined to be no instruction ever: what linkers fill with, and tables begin with
    if word >> 26 == 1:
        yield PREFIXED
    elif _is_of("8", word):
        moves = word >> 26 == 31 and word >> 1 & 0x3FF in MOVES
        if moves and (word >> 16 & 0x1F | word >> 6 & 0x3E0) not in REGISTERS:
            yield SYSTEM
    elif word & 0xFC1FFFFF == 0xFC18048E:  # mffsl: before POWER9 it is mffs, which has more bits
        return
    else:
        later = (words for name, words in (("9", POWER9), ("10", POWER10)) if _is_of(name, word))
        yield next(later, UNKNOWN)
