"""Folders packed, so that the same tree gives the same bytes."""

from __future__ import annotations

import gzip
import lzma
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from muslin.engine import errors
from muslin.engine.filesystem import atomic, walk
from muslin.engine.formats.unpack import go_on, prefixes

GZIP_LEVEL = 4
"""Measured on 150 MB of a toolchain with Rust: half the time of 6, and 3 % more bytes."""
_NO_MODES: Mapping[str, int] = MappingProxyType({})
_NO_OWNERS: Mapping[str, tuple[int, int]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a tar says of every member alike, and the format in which it says it."""

    format: int = tarfile.PAX_FORMAT
    """PAX headers only where needed."""
    time: int = 0
    """Seconds since 1970."""
    owner: str = ""
    """Name of owner and group, whose number is 0."""


PLAIN = Style()


def pack_compressed(
    root: Path, path: Path, *, prefix: str, before_each: Callable[[], None] = go_on
) -> None:
    """The same as a `.tar.gz`. Its bytes depend on the zlib at hand; its content does not."""
    with (
        atomic.replacing(path) as aside,
        aside.open("wb") as file,
        gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressed,
    ):
        pack(root, compressed, prefix=prefix, before_each=before_each)


# Long: one walk, with what is said of each kind of member.
def pack(  # noqa: PLR0913  # named at the call
    root: Path,
    tar: Path | IO[bytes] | gzip.GzipFile | lzma.LZMAFile,
    *,
    prefix: str = "",
    modes: Mapping[str, int] = _NO_MODES,
    style: Style = PLAIN,
    owners: Mapping[str, tuple[int, int]] = _NO_OWNERS,
    before_each: Callable[[], None] = go_on,
) -> None:
    """Write what a folder holds as a tar that depends on names, contents and execute bits only.

    `modes` gives paths below the root other modes, `owners` user and group other than 0; such a
    path must exist. `before_each` is called before every member; what it raises ends the packing.
    """
    if isinstance(tar, Path):
        with atomic.replacing(tar) as aside, aside.open("wb") as file:
            pack(
                root,
                file,
                prefix=prefix,
                modes=modes,
                owners=owners,
                style=style,
                before_each=before_each,
            )
        return
    for path in (*modes, *owners):
        (root / path).lstat()
    with writer(tar, style) as out:
        for folder in prefixes(prefix) if prefix else ():
            out.addfile(styled(_header(root, folder), style))
        for path in sorted(_below(root)):
            before_each()
            info = styled(_header(root / path, posixpath.join(prefix, path)), style)
            info.mode = modes.get(path, info.mode)
            info.uid, info.gid = owners.get(path, (0, 0))
            if info.isreg():
                with (root / path).open("rb") as source:
                    out.addfile(info, source)
            else:
                out.addfile(info)


def _header(place: Path, name: str) -> tarfile.TarInfo:
    """What a tar says of a file; a fresh TarInfo has no time, owner or group."""
    info = tarfile.TarInfo(name)
    status = place.lstat()
    if stat.S_ISLNK(status.st_mode):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = os.readlink(place)  # noqa: PTH115  # a Path would drop a ./
    elif stat.S_ISDIR(status.st_mode):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif not stat.S_ISREG(status.st_mode):
        raise errors.NotAFile(place, walk.kind(status.st_mode))
    else:
        info.mode = 0o755 if status.st_mode & 0o111 else 0o644
        info.size = status.st_size
    return info


def styled(info: tarfile.TarInfo, style: Style) -> tarfile.TarInfo:
    """A member's header with what its tar says of every member."""
    info.mtime, info.uname, info.gname = style.time, style.owner, style.owner
    return info


def writer(
    file: IO[bytes] | gzip.GzipFile | lzma.LZMAFile, style: Style = PLAIN
) -> tarfile.TarFile:
    """A tar to add members to."""
    return tarfile.open(fileobj=file, mode="w", format=style.format, encoding="utf-8")


def _below(root: Path) -> Iterator[str]:
    return (os.path.relpath(entry.path, root) for entry in walk.entries(root))
