"""Members of a tar, read without trust."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from tarfile import (  # type: ignore[attr-defined]  # the stubs lack three of them
    EmptyHeaderError,
    EOFHeaderError,
    HeaderError,
    ReadError,
    TarFile,
    TruncatedHeaderError,
)
from typing import Any, Self

from muslin.audit.finding import Refused
from muslin.check.budget import Budget

LONGEST = 4095
"""Letters of a name; Linux takes no longer path."""
_HEADER = 1 << 20
"""Bytes of a table of names; tarfile reads it into memory."""
_READ_WHOLE = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE),
    tarfile.SOLARIS_XHDTYPE,
)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a tar: its first header's sum is right."""
    if len(head) < tarfile.BLOCKSIZE or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def members(path: Path, budget: Budget) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Every member of a tar that is not compressed, with the tar to read it from.

    Raises `Refused` where it cannot be read to its end: Python's own tarfile takes a damaged header
    behind the first for the end.
    """
    length = path.stat().st_size
    try:
        with tarfile.open(path, mode="r:", tarinfo=_Member) as tar:
            while (member := tar.next()) is not None:
                # Else the headers of all members stay in memory.
                tar.members.clear()  # type: ignore[attr-defined]  # the stubs lack the name
                budget.take_member()
                if len(long := max(member.name, member.linkname, key=len)) > LONGEST:
                    raise Refused(f"a name in it has {len(long)} letters; {LONGEST} are the most")
                if member.isreg() and member.offset_data + _stored(member) > length:
                    raise Refused("it is no sound tar: it ends within a member")
                yield tar, member
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise Refused(f"it is no sound tar: {error}") from error
    except RecursionError as error:  # tarfile takes each for the next one's header
        raise Refused("it is no sound tar: it has headers upon headers, and no member") from error


def _stored(member: tarfile.TarInfo) -> int:
    """Bytes of a member's content in the tar: of a sparse file those that are no holes."""
    blocks: Any = member.sparse  # a list of pairs; the stubs have another type
    return member.size if blocks is None else sum(size for _, size in blocks)


class _Member(tarfile.TarInfo):
    """A header; a faulty one between members is an error, where tarfile takes it for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: TarFile) -> Self:
        # frombuf() is no longer called by Python 3.13.
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
