"""Files read without trust, and written whole: aside first, then renamed into place.

A download (`muslin/engine/fetch/`) is the exception: it keeps its partial file to be resumed.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, Strict, TypeAdapter, ValidationError

Shape = TypeVar("Shape")
Text = Annotated[str, Strict()]
Seconds = Annotated[float, Strict(), Field(ge=0, le=1e11, allow_inf_nan=False)]
Bytes = Annotated[int, Strict(), Field(ge=0, lt=2**63)]


SHOWN = 40
"""Characters of a file's name that its temporary name shows; up to 160 bytes."""
_numbers = itertools.count()


class DamagedError(Exception):
    """A file is not what the cache keeps in its place; the text says why."""


def read(path: Path) -> bytes:
    """Read a regular file; no link is followed, and no FIFO is waited for.

    Raises `FileNotFoundError` where nothing has this name, `DamagedError` for everything else.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedError(_reason(path, error)) from error
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise DamagedError(f"{path.name} is no file")
        with os.fdopen(opened, "rb", buffering=0, closefd=False) as file:
            return file.read()
    except OSError as error:
        raise DamagedError(_reason(path, error)) from error
    finally:
        os.close(opened)


def _reason(path: Path, error: OSError) -> str:
    return f"{path.name} cannot be read: {error.strerror}"


def loaded(content: bytes, name: str) -> object:
    """Parse JSON, the content of the file `name`; raises `DamagedError`."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{name} is no JSON: {error}") from error


def parsed(content: bytes, shape: TypeAdapter[Shape], name: str) -> Shape:
    """Parse JSON into a type, the content of the file `name`; raises `DamagedError`."""
    try:
        # Not `validate_json`: it refuses names of files that are not UTF-8.
        return shape.validate_python(loaded(content, name))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in (name, *fault["loc"]))
        raise DamagedError(f"{where}: {fault['msg']}") from error


def write(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a text file, whole or not at all, in the place of whatever has its name."""
    with replacing(path) as aside:
        aside.touch(mode)
        aside.write_text(text, encoding="utf-8")
        clear(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside a file for its new content, which then takes the file's name in one
    rename. If the block raises, the new content is removed and the file stays."""
    aside = _aside(path, "new")
    try:
        yield aside
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def clear(path: Path) -> bool:
    """Remove what has the name of a file and is none; whether there was such a thing."""
    stranger = os.path.lexists(path) and not is_file(path)
    if stranger:
        remove(path)
    return stranger


def remove(path: Path) -> None:
    """Remove whatever has this name; others may do the same at the same time."""
    if not is_folder(path):
        with suppress(FileNotFoundError, IsADirectoryError):
            path.unlink()
        return
    aside = _aside(path, "gone")
    with suppress(FileNotFoundError):
        path.rename(aside)
    if is_folder(aside):
        shutil.rmtree(aside)
    elif is_file(aside):  # written since we looked
        aside.rename(path)


def folder(path: Path) -> None:
    """Make a folder if there is none, in the place of whatever has its name; others may do the
    same at the same time."""
    while not is_folder(path):
        try:
            path.mkdir()
        except FileExistsError:
            with suppress(FileNotFoundError, IsADirectoryError):  # somebody else was quicker
                path.unlink()


def _aside(path: Path, use: str) -> Path:
    """A name beside it that nobody else takes, no longer than a file's name may be."""
    return path.with_name(f".{path.name[:SHOWN]}.{use}-{os.getpid()}-{next(_numbers)}")


def is_file(path: Path) -> bool:
    """Whether it is a regular file itself, and no link to one."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and no link to one."""
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return 0
        raise
