"""The map that GNU ld writes with `-Map`: which objects a program is made of.

<https://sourceware.org/binutils/docs/ld/Options.html> shows what it prints and not its grammar,
which is that of `lang_map` in ld/ldlang.c: an output section begins a line, an input section stands
behind one space, and a name that is too long for its column ends its line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

MEMORY_MAP = "Linker script and memory map"
"""Behind this line is what was linked; before it, what was discarded."""
NO_CODE = (".comment", ".eh_frame", ".note")
"""Sections that say something of an object and are no part of what it does."""
OF_THE_LINKER = ("linker stubs",)
"""What stands where a file does and is none."""
LINE = re.compile(
    r"^(?P<indent> ?)(?P<name>[^\s*(/][^\s]*)?\s+0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)"
    r"(?: (?P<file>\S.*))?$"
)
ALONE = re.compile(r"^ ?[^\s*(/]\S*$")
"""A name that is too long for its column: the rest of it is on the next line."""
MEMBER = re.compile(r"^(?P<archive>.+)\((?P<member>[^()]+)\)$")

Section = tuple[int, int]
"""Address and size."""


@dataclass(frozen=True, order=True, kw_only=True)
class LinkedObject:
    """An object of which something is in a program."""

    file: str
    """Path of the object, or of the archive that it is a member of, as the linker was told."""
    member: str = ""
    size: int = field(compare=False)
    """Bytes of it that are loaded; of merged texts, all are the first object's."""


@dataclass(frozen=True, kw_only=True)
class LinkMap:
    """A map, as far as it is about what is loaded."""

    sections: dict[str, Section]
    """Output sections that are not empty."""
    objects: tuple[LinkedObject, ...]


def parse(lines: Iterable[str]) -> LinkMap:
    """Read a map; one that was cut off gives what is there, and then describes no program."""
    sections, sizes = dict[str, Section](), dict[tuple[str, str], int]()
    loaded = False
    for name, address, size, file in _rows(lines):
        if not file:
            loaded = address > 0 and not name.startswith(NO_CODE)
            if size:
                sections[name] = (address, size)
        elif loaded and size and file not in OF_THE_LINKER and not name.startswith(NO_CODE):
            key = _split(file)
            sizes[key] = sizes.get(key, 0) + size
    objects = (
        LinkedObject(file=file, member=member, size=size) for (file, member), size in sizes.items()
    )
    return LinkMap(sections=sections, objects=tuple(sorted(objects)))


def describes(found: LinkMap, elf: ELFFile) -> bool:
    """Whether a map is that of a program: all that is loaded of the one lies where the other says,
    and is as large. A program that was stripped since is the same one."""
    loaded = {
        section.name: (section["sh_addr"], section["sh_size"])
        for section in elf.iter_sections()
        if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"]
    }
    return bool(loaded) and all(found.sections.get(name) == at for name, at in loaded.items())


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, int, int, str]]:
    """Name, address, size and file of every section, an output section's without a file."""
    begun, held = False, ""
    for line in map(str.rstrip, lines):
        if not begun:
            begun = line == MEMORY_MAP
            continue
        if ALONE.match(line):
            held = line
            continue
        if (row := LINE.match(f"{held}{line}" if held else line)) and row["name"]:
            is_output = not row["indent"]
            file = "" if is_output else row["file"]
            if is_output or file:
                yield row["name"], int(row["address"], 16), int(row["size"], 16), file
        held = ""


def _split(file: str) -> tuple[str, str]:
    """Path and member of `lib.a(member.o)`, of `object.o`, the path without `..`."""
    found = MEMBER.match(file)
    path, member = (found["archive"], found["member"]) if found else (file, "")
    return posixpath.normpath(path), member
