"""The ELF files in a file: itself, or the members of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from muslin.audit.finding import Place, Refused

ELF = b"\x7fELF"
ARCHIVE = b"!<arch>\n"
THIN = b"!<thin>\n"
HEADER = 60
"""Bytes before each member: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2."""
INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED")
"""Members that say where a symbol is; they come first."""
NOT_CODE = ("lib.rmeta",)
"""Members that are not linked: Rust's metadata, of late in an ELF file for no processor."""


def of(path: Path, name: str) -> Iterator[tuple[Place, bytes]]:
    """Place and content of every ELF file; raises `Refused` for what is neither."""
    content = path.read_bytes()
    if content.startswith(ELF):
        yield Place(file=name), content
    elif content.startswith(ARCHIVE):
        yield from _members(content, name)
    elif content.startswith(THIN):
        raise Refused(f"{name} is a thin archive: its members lie elsewhere")
    else:
        raise Refused(f"{name} is neither an ELF file nor an archive")


def _members(content: bytes, name: str) -> Iterator[tuple[Place, bytes]]:
    names, at, first = b"", len(ARCHIVE), True
    while at < len(content):
        header = content[at : at + HEADER]
        if len(header) < HEADER or header[58:60] != b"`\n" or not header[48:58].strip().isdigit():
            raise Refused(f"{name} breaks off or is no archive at byte {at}")
        size = int(header[48:58])
        body = content[at + HEADER : at + HEADER + size]
        if len(body) < size:
            raise Refused(f"{name} breaks off in the member at byte {at}")
        at += HEADER + size + size % 2
        called, body = _named(header[:16].rstrip(), body, names, name)
        if body.startswith(ELF):  # whatever its name is: linkers take it by the index
            yield Place(file=name, member=called), body
            first = False
        elif called == "//":
            names = body
        elif first and called in INDEXES:
            continue
        elif called not in NOT_CODE:
            raise Refused(f"{name}: its member {called} is no ELF file")


def _named(called: bytes, body: bytes, names: bytes, archive: str) -> tuple[str, bytes]:
    """A member's whole name: GNU keeps long ones in a table, BSD before the content."""
    if called.startswith(b"/") and called[1:].isdigit():
        start = int(called[1:])
        end = names.find(b"\n", start)
        if end < 0:
            raise Refused(f"{archive}: a name at {start} is not in its table of names")
        return names[start:end].decode("utf-8", "replace").removesuffix("/"), body
    if called.startswith(b"#1/") and called[3:].isdigit():
        length = int(called[3:])
        return body[:length].rstrip(b"\0").decode("utf-8", "replace"), body[length:]
    said = called.decode("latin-1")
    return said if said in ("/", "//", "/SYM64/") else said.removesuffix("/"), body
