"""OCI layouts in a tar, as `oci` writes them: read where they lie, not unpacked.

Fields are those of the OCI image specification 1.1. What is read is held to its digest and size.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from muslin.engine import errors

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LARGEST_DOCUMENT = 4 << 20
"""Bytes of a manifest, which registries have to take (distribution specification 1.1)."""
CHUNK = 1 << 16
ELF = b"\x7fELF"


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """What refers to a blob."""

    media_type: str
    digest: str
    size: int
    """Bytes."""
    architecture: str = ""
    variant: str = ""

    @property
    def platform(self) -> tuple[str, str]:
        """Architecture and variant, as the image of a target has them."""
        return self.architecture, self.variant


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An image of one platform: its own bytes, and what it refers to."""

    descriptor: Descriptor
    content: bytes
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, kw_only=True)
class Index:
    """An image of several platforms."""

    descriptor: Descriptor
    content: bytes
    manifests: tuple[Descriptor, ...]

    def only(self, digests: frozenset[str]) -> Index:
        """The index of these manifests alone, in its order; itself if they are all of them."""
        table = json.loads(self.content)
        table["manifests"] = [one for one in table["manifests"] if one["digest"] in digests]
        content = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
        kept = tuple(one for one in self.manifests if one.digest in digests)
        if kept == self.manifests:
            return self
        descriptor = Descriptor(
            media_type=self.descriptor.media_type, digest=digest(content), size=len(content)
        )
        return Index(descriptor=descriptor, content=content, manifests=kept)


class Section:
    """A blob's bytes in an open file, which is read at their place and not moved."""

    def __init__(self, file: int, offset: int, size: int) -> None:
        self._file, self._offset, self._size = file, offset, size
        self._at = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """Read on from where the last read ended."""
        left = self._size - self._at
        wanted = left if size < 0 else min(size, left)
        data = os.pread(self._file, wanted, self._offset + self._at) if wanted else b""
        self._at += len(data)
        return data


class Layout:
    """A layout in an open file."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """List its blobs. Raises `BrokenArchive` if it is no tar with an OCI layout."""
        self._path, self._file = path, file
        self._places: dict[str, tuple[int, int]] = {}
        with self._explained():
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    if member.isreg():
                        self._places[member.name] = member.offset_data, member.size

    def top(self) -> Descriptor:
        """What the layout is about: an index, or the image of one platform.

        Raises `BrokenArchive`.
        """
        with self._explained():
            (entry,) = json.loads(self._bytes("index.json"))["manifests"]
            return _descriptor(entry)

    def index(self) -> Index:
        """The one index that the layout is about. Raises `BrokenArchive`."""
        with self._explained():
            descriptor = self.top()
            content = self.read(descriptor)
            manifests = tuple(map(_descriptor, json.loads(content)["manifests"]))
            return Index(descriptor=descriptor, content=content, manifests=manifests)

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """The image of one platform. Raises `BrokenArchive`."""
        with self._explained():
            content = self.read(descriptor)
            table = json.loads(content)
            return Manifest(
                descriptor=descriptor,
                content=content,
                config=_descriptor(table["config"]),
                layers=tuple(map(_descriptor, table["layers"])),
            )

    def read(self, descriptor: Descriptor) -> bytes:
        """A document of the layout. Raises `BrokenArchive`."""
        if descriptor.size > LARGEST_DOCUMENT:
            raise self._broken(f"{descriptor.digest} has {descriptor.size} bytes")
        content = self.blob(descriptor).read()
        if digest(content) != descriptor.digest:
            raise self._broken(f"{descriptor.digest} has another content")
        return content

    def blob(self, descriptor: Descriptor) -> Section:
        """A blob's bytes, of the right number. Raises `BrokenArchive`."""
        name = f"blobs/{descriptor.digest.replace(':', '/')}"
        place = self._places.get(name)
        if place is None or place[1] != descriptor.size:
            raise self._broken(f"it has no {name} of {descriptor.size} bytes")
        return Section(self._file.fileno(), *place)

    def programs(self, layer: Descriptor) -> Iterator[tuple[str, str]]:
        """Paths and hexadecimal SHA-256 of ELF files in a layer. Raises `BrokenArchive`."""
        stream = cast("IO[bytes]", self.blob(layer))  # a tar in a stream is read, and no more
        with self._explained(), tarfile.open(fileobj=stream, mode="r|*") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is not None and (head := file.read(CHUNK)).startswith(ELF):
                    made = hashlib.sha256(head)
                    while chunk := file.read(CHUNK):
                        made.update(chunk)
                    yield f"/{member.name.removeprefix('./')}", made.hexdigest()

    def _bytes(self, name: str) -> bytes:
        offset, size = self._places[name]
        if size > LARGEST_DOCUMENT:
            raise ValueError(f"{name} has {size} bytes")
        return Section(self._file.fileno(), offset, size).read()

    def _broken(self, why: str) -> errors.BrokenArchive:
        return errors.BrokenArchive(self._path, f"it is no image: {why}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, LookupError, TypeError, ValueError, EOFError) as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error


def digest(content: bytes) -> str:
    """The digest of some bytes, as descriptors have it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(entry: Mapping[str, Any]) -> Descriptor:
    """Raises `LookupError`, `TypeError` and `ValueError` for what is no descriptor."""
    platform = entry.get("platform", {})
    made = Descriptor(
        media_type=entry["mediaType"],
        digest=entry["digest"],
        size=entry["size"],
        architecture=platform.get("architecture", ""),
        variant=platform.get("variant", ""),
    )
    if not DIGEST.fullmatch(made.digest) or not isinstance(made.size, int) or made.size < 0:
        raise ValueError("a descriptor has no SHA-256 and size")
    if not all(isinstance(one, str) for one in (made.media_type, *made.platform)):
        raise TypeError("a descriptor has no media type or platform")
    return made
