"""ELF files made by hand, for machines whose compilers need not be there."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from elftools.elf.enums import ENUM_E_MACHINE

NOTYPE, FUNC = 0, 2
PROGBITS, SYMTAB, STRTAB, REL, NOTE, NOBITS = 1, 2, 3, 9, 7, 8
ATTRIBUTES = 0x70000003
"""SHT_ARM_ATTRIBUTES."""
ALLOC, EXEC = 0x2, 0x4
OBJECT, PROGRAM = 1, 2
"""ET_REL, ET_EXEC."""
LOAD, INTERP = 1, 3
EABI5 = 0x05000000
"""EF_ARM_EABI_VER5."""
Name = tuple[str, int, int, int]
"""A symbol of the first section: name, value, size and type."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section."""

    name: str
    content: bytes
    kind: int = PROGBITS
    flags: int = 0
    address: int = 0
    link: int = 0
    info: int = 0
    entry: int = 0
    """Bytes of an entry, if it is a table."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A segment; a section's number says where in the file it begins."""

    part: int
    size: int
    address: int = 0
    memory: int | None = None
    """Bytes in memory, if they are others than in the file."""
    flags: int = 5
    kind: int = LOAD


def made(  # keywords only, one per fact of a file
    machine: str,
    parts: Sequence[Part],
    *,
    names: Sequence[Name] = (),
    segments: Sequence[Loaded] = (),
    kind: int = OBJECT,
    flags: int = 0,
    start: int = 0,
    bits: int = 64,
    order: str = "<",
) -> bytes:
    """A file of these sections, numbered from 1, with a table of symbols behind them."""
    wide = bits == 64
    strings = b"\0" + b"".join(f"{name}\0".encode() for name, *_ in names)
    rows = [b"\0" * (24 if wide else 16)]
    at = 1
    for name, value, size, type_ in names:
        rows.append(
            struct.pack(f"{order}IBBHQQ", at, 0x10 | type_, 0, 1, value, size)
            if wide
            else struct.pack(f"{order}IIIBBH", at, value, size, 0x10 | type_, 0, 1)
        )
        at += len(name) + 1
    behind = len(parts) + 1
    tables = [
        Part(
            name=".symtab", content=b"".join(rows), kind=SYMTAB, link=behind + 1, info=1,
            entry=len(rows[0]),
        ),
        Part(name=".strtab", content=strings, kind=STRTAB),
    ]  # fmt: skip
    every = [Part(name="", content=b"", kind=0), *parts, *(tables if names else [])]
    called = b"".join(f"{one.name}\0".encode() for one in every) + b".shstrtab\0"
    every.append(Part(name=".shstrtab", content=called, kind=STRTAB))
    head, row, segment = (64, 64, 56) if wide else (52, 40, 32)
    body, offsets = bytearray(head + segment * len(segments)), []
    for one in every:
        body += bytes(-len(body) % 8)
        offsets.append(len(body))
        body += b"" if one.kind == NOBITS else one.content
    body += bytes(-len(body) % 8)
    table, named = len(body), 0
    for one, offset in zip(every, offsets, strict=True):
        body += struct.pack(
            f"{order}IIQQQQIIQQ" if wide else f"{order}10I",
            *(named, one.kind, one.flags, one.address, offset, len(one.content)),
            *(one.link, one.info, 4, one.entry),
        )
        named += len(one.name) + 1
    for number, load in enumerate(segments):
        place, memory = offsets[load.part], load.size if load.memory is None else load.memory
        where = (place, load.address, load.address, load.size, memory)
        body[head + segment * number : head + segment * (number + 1)] = (
            struct.pack(f"{order}IIQQQQQQ", load.kind, load.flags, *where, 1)
            if wide
            else struct.pack(f"{order}8I", load.kind, *where, load.flags, 1)
        )
    body[:head] = struct.pack(
        f"{order}16sHHI{'QQQ' if wide else 'III'}I6H",
        b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)),
        *(kind, ENUM_E_MACHINE[machine], 1, start, head if segments else 0, table, flags),
        *(head, segment, len(segments), row, len(every), len(every) - 1),
    )
    return bytes(body)


def attributes(values: dict[int, int | str]) -> Part:
    """`.ARM.attributes` by number of tag (the ABI for the Arm Architecture, IHI 0045)."""
    said = b"".join(
        bytes((tag,)) + (bytes((value,)) if isinstance(value, int) else f"{value}\0".encode())
        for tag, value in values.items()
    )
    file = b"\1" + struct.pack("<I", len(said) + 5) + said
    vendor = struct.pack("<I", len(file) + 10) + b"aeabi\0" + file
    return Part(name=".ARM.attributes", content=b"A" + vendor, kind=ATTRIBUTES)


def arm(code: bytes, names: Sequence[Name], values: dict[int, int | str] | None = None) -> bytes:
    """An object of 32-bit ARM."""
    text = Part(name=".text", content=code, flags=ALLOC | EXEC)
    parts = [text] if values is None else [text, attributes(values)]
    return made("EM_ARM", parts, names=names, flags=EABI5, bits=32)
