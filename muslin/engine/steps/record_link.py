"""Record what a program was linked from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from muslin.engine.filesystem import patterns, walk
from muslin.engine.formats import ar, link_map
from muslin.engine.formats.link_map import LinkedObject, LinkMap
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step

OWN, OTHER = "own", "other"
"""What objects of the project itself are recorded as (names of some are drawn by lot), and what
lies outside the build and all that it was given."""
BUILD = ("${work}", "${scratch}")
"""Where the objects of the project itself lie; so does what a linker is told by a relative path."""
CRATE = re.compile(r"lib(?P<name>\w+)-[0-9a-f]{16}\.rlib")
ARCHIVES = "usr/lib/*.a"
"""Where the output of a C library's stage has its archives."""


@dataclass(frozen=True, kw_only=True)
class RecordLink(Step):
    """Write a JSON document with what a program was linked from, by the linker's own map of it.

    `{"known_by": "map", "objects": [{"file", "member", "size"}]}`: `file` starts with the name of
    one of `roots`, with `crate/` and a name for code of a crate, with `other/`, or is `own`, of
    which archives have their names. An object that cargo copied out of a C library into a crate's
    archive is recorded as that library's.

    Where no map describes the program, because its project did not link it with the compiler that
    it was given, `known_by` is `symbols`: an object is listed if the program defines at least half
    of the symbols that the object defines for others; sizes are 0. It is empty, and nothing is
    known, where the program has no symbols.
    """

    revision: ClassVar[int] = 1
    maps: str
    """Folder of maps; that of the program is known by its layout, not by its name."""
    program: str
    roots: tuple[tuple[str, str], ...]
    """Name of what lies in a folder, and the folder."""
    to: str

    def perform(self, sandbox: Sandbox) -> None:
        roots = {name: sandbox.inside(folder) for name, folder in self.roots}
        build = [sandbox.inside(folder) for folder in BUILD]
        archives = {name: sandbox.path(folder) for name, folder in self.roots}
        members = {member: file for file, member in _members(archives)}
        program = sandbox.path(self.program)
        with walk.opened(program) as file:
            elf = ELFFile(file)
            defined = _defined(elf)
            found = [
                _named(one, roots, members, build) for one in _maps(sandbox.path(self.maps), elf)
            ]
        known_by = "map" if found else "symbols" * bool(defined)
        objects = min(found, default=list(_by_symbols(archives, defined)))
        record = {
            "known_by": known_by,
            "objects": [
                {"file": one.file, "member": one.member, "size": one.size} for one in objects
            ],
        }
        to = sandbox.own(self.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _maps(folder: Path, elf: ELFFile) -> Iterator[LinkMap]:
    """The maps that describe a program: several if it was linked several times."""
    for path in sorted(walk.files(folder)):
        with walk.opened(path) as file:
            text = file.read().decode("utf-8", "replace")
        found = link_map.parse(text.splitlines())
        if link_map.describes(found, elf):
            yield found


def _defined(elf: ELFFile) -> frozenset[str]:
    """The symbols that a program defines and other objects can name."""
    table = elf.get_section_by_name(".symtab")
    return frozenset(
        symbol.name
        for symbol in (table.iter_symbols() if isinstance(table, SymbolTableSection) else ())
        if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
    )


def _by_symbols(folders: Mapping[str, Path], defined: frozenset[str]) -> Iterator[LinkedObject]:
    """Objects whose symbols a program has."""
    for name, path in _archives(folders):
        for member, symbols in sorted(ar.symbols(path).items()):
            if 2 * len(symbols & defined) >= len(symbols):
                yield LinkedObject(file=name, member=member, size=0)


def _archives(folders: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """The archives of C libraries, by what they are recorded as."""
    for name, folder in folders.items():
        for path in patterns.find(folder, ARCHIVES):
            with walk.opened(path) as file:
                if file.read(len(ar.MAGIC)) == ar.MAGIC:  # else a linker script
                    yield f"{name}/{path.relative_to(folder)}", path


def _members(folders: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Archive and name of every object of C libraries."""
    for name, path in _archives(folders):
        yield from ((name, member) for member in ar.names(path))


def _named(
    found: LinkMap, roots: Mapping[str, str], members: Mapping[str, str], build: Sequence[str]
) -> list[LinkedObject]:
    """The objects by names that are the same on every machine, each once."""
    sizes = dict[tuple[str, str], int]()
    for one in found.objects:
        key = _name(one, roots, members, build)
        sizes[key] = sizes.get(key, 0) + one.size
    return [
        LinkedObject(file=file, member=member, size=size)
        for (file, member), size in sorted(sizes.items())
    ]


def _name(
    one: LinkedObject, roots: Mapping[str, str], members: Mapping[str, str], build: Sequence[str]
) -> tuple[str, str]:
    parts = Path(one.file).parts
    for name, folder in roots.items():
        if _is_below(parts, Path(folder).parts):
            crate = CRATE.fullmatch(parts[-1])  # of std: its members' names have digests
            below = "/".join(parts[len(Path(folder).parts) :])
            return (f"{name}/{crate['name']}", "") if crate else (f"{name}/{below}", one.member)
    path = Path(one.file)
    if path.is_absolute() and not any(_is_below(parts, Path(folder).parts) for folder in build):
        return f"{OTHER}/{path.name}", one.member
    if crate := CRATE.fullmatch(parts[-1]):
        if one.member in members:
            return members[one.member], one.member
        return f"crate/{crate['name']}", ""
    return (f"{OWN}/{parts[-1]}" if one.member else OWN), ""


def _is_below(parts: Sequence[str], folder: Sequence[str]) -> bool:
    return parts[: len(folder)] == tuple(folder)
