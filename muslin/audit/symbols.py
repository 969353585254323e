"""An ELF file's symbols by section: names of code, and marks that say what is code.

On ARM and AArch64 mapping symbols say what is code of which kind and what is data (ELF for the Arm
Architecture, IHI 0044, section 5.5.5); they are gone once a program is stripped.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

MAPPING = {"$a": "a", "$t": "t", "$d": "d", "$x": "x"}
WIDTH = {"a": 4, "t": 2, "d": 1, "x": 4, "v": 2, "p": 4}
"""Bytes that code of a kind is a multiple of."""
CALLED = ("STT_FUNC", "STT_GNU_IFUNC")
FAR = 16
"""Symbols that one may lie within another's size."""


@dataclass(frozen=True, order=True)
class Symbol:
    """A name in a section."""

    offset: int
    """From the start of the section, without the bit that says Thumb."""
    name: str
    size: int
    kind: str
    """Its type, by pyelftools' name."""
    thumb: bool


def of(elf: ELFFile) -> dict[int, list[Symbol]]:
    """The symbols of each section, by its index, in the order of their places."""
    found: dict[int, list[Symbol]] = {}
    arm = elf.header.e_machine == "EM_ARM"
    starts = [section.header.sh_addr for section in elf.iter_sections()]
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        for symbol in table.iter_symbols():
            index = symbol.entry.st_shndx
            if isinstance(index, int) and index < len(starts) and symbol.name:
                offset, kind = symbol.entry.st_value - starts[index], symbol.entry.st_info.type
                thumb = arm and kind in CALLED and bool(offset & 1)
                found.setdefault(index, []).append(
                    Symbol(offset - thumb, symbol.name, symbol.entry.st_size, kind, thumb)
                )
    return {index: sorted(some) for index, some in found.items()}


def names(elf: ELFFile) -> set[str]:
    """The names of all that it defines and of all that it asks for."""
    return {
        symbol.name
        for table in elf.iter_sections()
        if isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols()
    }


def marks(symbols: Sequence[Symbol], usual: str = "x") -> list[tuple[int, str]]:
    """Offset and kind of the mapping symbols; of several at one place code comes last. `$x` is the
    usual kind; RISC-V's may name an architecture, `$xrv64gc` (its ELF psABI, section 8.4.5)."""
    return sorted(
        (
            (one.offset, usual if one.name[1] == "x" else MAPPING[one.name[:2]])
            for one in symbols
            if one.name[:2] in MAPPING
            and (one.name[2:3] in ("", ".") or (usual == "v" and one.name.startswith("$xrv")))
        ),
        key=lambda mark: (mark[0], mark[1] != "d"),
    )


def wrong_marks(symbols: Sequence[Symbol], size: int, usual: str = "x") -> Iterator[str]:
    """Mapping symbols that lead out of a section of a size, or to where no instruction can be."""
    for offset, kind in marks(symbols, usual):
        if not 0 <= offset <= size:
            yield f"a mapping symbol leads out of it, to {offset:#x}"
        elif offset % WIDTH[kind]:
            yield f"a mapping symbol says that {offset:#x} is an instruction"


class Names:
    """Which symbol an instruction of a section belongs to."""

    def __init__(self, symbols: Sequence[Symbol], section: Section) -> None:
        self._named = [one for one in symbols if one.name[0] not in "$."]  # marks and labels
        self._starts = [one.offset for one in self._named]
        self._section = section.name

    def at(self, offset: int) -> str:
        """The symbol that an offset lies in; behind which it lies, if in none; the section's name
        if there is none before it."""
        last = bisect.bisect_right(self._starts, offset) - 1
        if last < 0:
            return self._section
        start = self._starts[last]
        for index in range(last, max(last - FAR, -1), -1):
            one = self._named[index]
            # One without a size, as assembler files have them, reaches to the next.
            if offset < one.offset + one.size or (one.offset == start and not one.size):
                return one.name
        return f"behind {self._named[last].name}"
