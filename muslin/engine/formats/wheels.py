"""Wheels of Python, unpacked without trust (the binary distribution format, PEP 427)."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from muslin.engine import errors
from muslin.engine.filesystem.walk import MOST
from muslin.engine.formats.unpack import go_on

PLACES = (("purelib",), ("platlib",))
"""Parts of a wheel's `.data` folder that belong to the modules; the others are left behind."""
_CHUNK = 1 << 20


def unpack(  # noqa: PLR0913  # the fields of one step
    wheel: Path,
    into: Path,
    *,
    only: Sequence[str] = (),
    strip: int = 0,
    at_most: int = MOST,
    before_each: Callable[[], None] = go_on,
) -> int:
    """Unpack a wheel's modules and its `.dist-info` into a folder; the number of files.

    `only` are the prefixes of paths to take, each of which must have a file; `strip` leading
    components are dropped. Scripts, headers and data, which an installer would put elsewhere, stay
    behind. Only execute bits are kept of a file's metadata. Raises UnsafeArchive for a path that
    leads outside, BrokenArchive for what is no zip, is damaged, has more than `at_most` bytes, or a
    file that is there already.
    """
    count, missing = 0, set(only)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, path in _members(wheel, archive):
                before_each()
                below = [prefix for prefix in only if path.is_relative_to(prefix)]
                if only and not below:
                    continue
                missing.difference_update(below)
                at_most -= member.file_size
                if at_most < 0:
                    raise errors.BrokenArchive(wheel, "its files have too many bytes")
                _write(archive, member, into.joinpath(*path.parts[strip:]))
                count += 1
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise errors.BrokenArchive(wheel, str(error)) from error
    except FileExistsError as error:
        raise errors.BrokenArchive(wheel, f"{error.filename} is there already") from error
    if missing:
        names = ", ".join(sorted(missing))
        raise errors.BrokenArchive(wheel, f"it holds nothing below {names}")
    return count


def _members(
    wheel: Path, archive: zipfile.ZipFile
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Files and their paths below the folder of modules."""
    for member in archive.infolist():
        if member.is_dir():
            continue
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or not path.parts:
            raise errors.UnsafeArchive(wheel, member.filename, "leads outside")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise errors.UnsafeArchive(wheel, member.filename, "is a link")
        if path.parts[0].endswith(".data"):
            if path.parts[1:2] not in PLACES:
                continue
            path = PurePosixPath(*path.parts[2:])
        yield member, path


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write a file that is not there yet; zipfile compares its checksum at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, path.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    path.chmod(0o755 if (member.external_attr >> 16) & 0o111 else 0o644)
