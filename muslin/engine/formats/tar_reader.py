"""The members of a tar or Debian package, to its true end."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tarfile import (  # type: ignore[attr-defined]  # the stubs lack three of them
    EmptyHeaderError,
    EOFHeaderError,
    HeaderError,
    ReadError,
    TarFile,
    TruncatedHeaderError,
)
from typing import Self

from muslin.engine import errors
from muslin.engine.formats import compression

LONGEST = 4095
"""Letters of a name; Linux takes no longer path."""
_CHUNK = 1 << 20
_HEADER = 1 << 20
"""Bytes of what tarfile reads into memory before it says that there is a member."""
_READ_WHOLE = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE),
    tarfile.SOLARIS_XHDTYPE,
)


def members(archive: Path) -> Iterator[tuple[TarFile, tarfile.TarInfo]]:
    """Every member of a tar or Debian package, with the tar to read it from before the next one.

    Raises `BrokenArchive` where it cannot be read to its end: Python's own tarfile takes a damaged
    header behind the first for the end.
    """
    with ExitStack() as stack:
        contents = stack.enter_context(compression.contents(archive))
        try:
            tar = stack.enter_context(tarfile.open(fileobj=contents, mode="r|", tarinfo=_Member))
            while (member := tar.next()) is not None:
                # Else the headers of all members stay in memory.
                tar.members.clear()  # type: ignore[attr-defined]  # the stubs lack the name
                if len(long := max(member.name, member.linkname, key=len)) > LONGEST:
                    why = f"a name in it has {len(long)} letters, and {LONGEST} are the most"
                    raise errors.BrokenArchive(archive, why)
                yield tar, member
            while contents.read(_CHUNK):  # what follows the last member holds the checksum
                pass
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise errors.BrokenArchive(archive, str(error)) from error
        except RecursionError as error:  # Python's tarfile takes each for the next one's header
            raise errors.BrokenArchive(
                archive, "it has headers upon headers, and no member"
            ) from error


class _Member(tarfile.TarInfo):
    """A header; a faulty one between members is an error, where tarfile takes it for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: TarFile) -> Self:
        # frombuf(), which says more plainly what it reads, is no longer called by Python 3.13.
        try:
            return super().fromtarfile(tarfile)
        except EOFHeaderError:
            raise  # the block of zeros that ends every tar
        except (EmptyHeaderError, TruncatedHeaderError) as error:
            raise ReadError("it ends too early") from error
        except HeaderError as error:
            raise ReadError("a header in it is damaged") from error

    def _proc_member(self, tarfile: TarFile) -> Self:
        """Read what a header announces, unless it is a name or a table longer than any is."""
        if self.type in _READ_WHOLE and self.size > _HEADER:
            raise ReadError(f"a name or a table of names in it has {self.size} bytes")
        return super()._proc_member(tarfile)  # type: ignore[misc, no-any-return]  # not in stubs
