"""Debian packages (`.deb`), written so that the same tree gives the same bytes.

Format: deb(5); names and meaning of fields: deb-control(5); how sizes are counted: the Debian
Policy Manual, 5.6.20. Compression is xz, which dpkg reads since 1.15.6 (2010): the systems of older
boards have no zstd. Its bytes are those of liblzma's preset 6.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from muslin.engine.filesystem import atomic, walk
from muslin.engine.formats import tar_writer
from muslin.engine.formats.tar_writer import Style

PRESET = 6
"""Of liblzma: 9 MiB of memory where a package is unpacked, which a Pi Zero has."""
_MAGIC = b"!<arch>\n"
_BLOCK = 1024
_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
"""The header of a file without name and time, of the highest level, from an unknown system."""
_NO_SCRIPTS: Mapping[str, str] = MappingProxyType({})


def write(  # noqa: PLR0913  # keywords, one for each part of a package
    path: Path,
    *,
    root: Path,
    fields: Mapping[str, str],
    scripts: Mapping[str, str] = _NO_SCRIPTS,
    conffiles: Sequence[str] = (),
    time: int,
) -> None:
    """Write a package whose files are those below `root`, all of them root's.

    `fields` are the control file's, in their order, without `Installed-Size`; `scripts` are
    maintainer scripts by their names; `time` is the time of every file, in seconds since 1970.
    Raises `NotAFile` for anything but files, directories and symbolic links.
    """
    control = {
        "control": (_control(root, fields), 0o644),
        "md5sums": (_md5sums(root), 0o644),
        **({"conffiles": ("".join(f"{name}\n" for name in conffiles), 0o644)} if conffiles else {}),
        **{name: (text, 0o755) for name, text in scripts.items()},
    }
    # Not PAX, whose headers dpkg does not read.
    style = Style(format=tarfile.GNU_FORMAT, time=time, owner="root")
    with atomic.replacing(path) as aside, aside.open("wb") as file:
        file.write(_MAGIC)
        _member(file, "debian-binary", b"2.0\n", time)
        _member(file, "control.tar.xz", _packed_control(control, style), time)
        _member(file, "data.tar.xz", _packed_data(root, style), time)


def gzipped(text: bytes) -> bytes:
    """A text in the format of gzip (RFC 1952) for which no compressor is asked: implementations of
    zlib differ in their output, so the text is stored. The header names the highest level, which
    checkers of packages look for.
    """
    blocks = [text[at : at + 0xFFFF] for at in range(0, len(text), 0xFFFF)] or [b""]
    stored = b"".join(
        struct.pack("<?HH", number == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks)
    )
    return _GZIP + stored + struct.pack("<II", zlib.crc32(text), len(text) & 0xFFFFFFFF)


def installed_size(root: Path) -> int:
    """KiB that the files take once unpacked: each file rounded up, 1 for all else."""
    return sum(
        -(-entry.stat(follow_symlinks=False).st_size // _BLOCK)
        if entry.is_file(follow_symlinks=False)
        else 1
        for entry in walk.entries(root)
    )


def _control(root: Path, fields: Mapping[str, str]) -> str:
    rows = {**fields, "Installed-Size": str(installed_size(root))}
    rows["Description"] = rows.pop("Description")  # the last one, by custom
    return "".join(f"{name}: {value}\n" for name, value in rows.items() if value)


def _md5sums(root: Path) -> str:
    return "".join(
        f"{_md5(Path(entry.path))}  {Path(entry.path).relative_to(root)}\n"
        for entry in sorted(walk.entries(root), key=lambda entry: entry.path)
        if entry.is_file(follow_symlinks=False)
    )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _packed_control(files: Mapping[str, tuple[str, int]], style: Style) -> bytes:
    file = io.BytesIO()
    with _compressed(file) as packed, tar_writer.writer(packed, style) as tar:
        folder = tarfile.TarInfo(".")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(tar_writer.styled(folder, style))
        for name, (text, mode) in sorted(files.items()):
            data = text.encode()
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mode = len(data), mode
            tar.addfile(tar_writer.styled(info, style), io.BytesIO(data))
    return file.getvalue()


def _packed_data(root: Path, style: Style) -> bytes:
    file = io.BytesIO()
    with _compressed(file) as packed:
        tar_writer.pack(root, packed, prefix=".", style=style)
    return file.getvalue()


def _compressed(file: IO[bytes]) -> lzma.LZMAFile:
    return lzma.LZMAFile(file, "wb", check=lzma.CHECK_CRC64, preset=PRESET)


def _member(file: IO[bytes], name: str, content: bytes, time: int) -> None:
    """Add a member to the ar; ar(5)."""
    file.write(f"{name:<16}{time:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode())
    file.write(content + b"\n" * (len(content) % 2))
