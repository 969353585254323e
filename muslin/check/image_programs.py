"""The programs in a container image, whoever built it: an OCI layout, or a tar of one, or what
`docker save` writes. Nothing of what an image says of itself is believed.

Sources: the OCI image specification 1.1 (layouts, whiteouts), Docker's image specification 1.2.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muslin.audit import objects
from muslin.audit.finding import Refused
from muslin.engine.filesystem import walk
from muslin.engine.formats import unpack
from muslin.errors import PipelineError
from muslin.models.target import Image

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
DEEPEST = 4
"""Indexes in indexes; one is common."""
MOST = 4_000_000_000
"""Bytes of programs in one image."""
LONGEST = 4_000_000
"""Bytes of a manifest or configuration; registries take as many."""
LINKS = 40
"""Symbolic links on one path; Linux follows as many."""
CHUNK = 1 << 20
PLAIN = (("amd64", "v1"), ("arm64", "v8"), ("arm64", "8"))
"""Variants that mean no more than the architecture: containerd's platforms, `normalizeArch`."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """An image of one platform: its layers, the lowest first."""

    platform: str
    layers: tuple[Path, ...]


def is_one(path: Path) -> bool:
    """Whether a path may be an image: a folder with a layout, or no file that is audited itself."""
    if path.is_dir():
        return (path / "index.json").is_file() or (path / "manifest.json").is_file()
    with walk.opened(path) as file:
        return not file.read(8).startswith((objects.ELF, objects.ARCHIVE, objects.THIN))


def programs(path: Path, wanted: Image, into: Path) -> Iterator[tuple[str, Path]]:
    """Path in the image and a copy in `into` of every ELF file, for the platform alone.

    Raises `Refused` for what is no image, is not sound, or has nothing for the platform.
    """
    try:
        yield from _programs(path, wanted, into)
    # AttributeError: JSON of another shape. RuntimeError: JSON nested too deep.
    except (
        *(PipelineError, LookupError, TypeError, ValueError, tarfile.TarError),
        *(AttributeError, RuntimeError),
    ) as error:
        what = error if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
        raise Refused(
            f"it is neither an ELF file nor an archive, nor a sound image: {what}"
        ) from error


def _programs(path: Path, wanted: Image, into: Path) -> Iterator[tuple[str, Path]]:
    folder = path
    if not path.is_dir():
        folder = into / "layout"
        unpack.unpack(path, folder)
    said = {"architecture": wanted.architecture}
    platforms = {_platform(said), _platform({**said, "variant": wanted.variant})}
    layout = _Layout(folder=folder, platforms=platforms)
    fitting = list(layout.images())
    if not fitting:
        there = ", ".join(sorted(layout.others)) or "no image"
        raise Refused(
            f"it has nothing for {_called(wanted.architecture, wanted.variant)}, but {there}"
        )
    for number, image in enumerate(fitting):
        tree = _Tree(into / f"{number}")
        for layer in image.layers:
            tree.lay(layer)
        if not tree.programs:
            raise Refused(f"its image for {image.platform} has no ELF file")
        yield from sorted(tree.programs.items())


def _called(architecture: str, variant: str) -> str:
    return f"linux/{architecture}" + (f"/{variant}" if variant else "")


@dataclass(kw_only=True)
class _Layout:
    """A folder with an image, and what of it is for some platforms."""

    folder: Path
    platforms: set[str]
    others: set[str] = field(default_factory=set)
    """Platforms that it has too."""
    _seen: set[str] = field(default_factory=set)

    def images(self) -> Iterator[_Found]:
        """Those for the platforms; blobs of others need not be there. Where there are two lists
        all of both: runtimes read the one or the other."""
        found = dict.fromkeys((*self._of_index(), *self._of_manifest()))
        if not any((self.folder / name).is_file() for name in ("index.json", "manifest.json")):
            raise Refused("it has neither an index.json nor a manifest.json")
        yield from found

    def _of_index(self) -> Iterator[_Found]:
        """What the OCI layout's list has."""
        if (self.folder / "index.json").is_file():
            yield from self._below(self._json("index.json"), 0)

    def _of_manifest(self) -> Iterator[_Found]:
        """What Docker's older list has."""
        if (self.folder / "manifest.json").is_file():
            for image in self._json("manifest.json"):
                if self._fits(config := self._json(image["Config"])):
                    layers = tuple(self._inside(layer) for layer in image["Layers"])
                    yield _Found(platform=_platform(config), layers=layers)

    def _below(self, index: Mapping[str, Any], depth: int) -> Iterator[_Found]:
        if depth == DEEPEST:
            raise Refused("its indexes lead in a circle")
        for entry in index["manifests"]:
            if entry["digest"] in self._seen or not self._fits(entry.get("platform")):
                continue
            self._seen.add(entry["digest"])
            document = self._json(self._blob(entry))
            if "manifests" in document:
                yield from self._below(document, depth + 1)
            elif _is_image(document) and self._fits(
                config := self._json(self._blob(document["config"]))
            ):
                layers = tuple(self._inside(self._blob(one)) for one in document["layers"])
                yield _Found(platform=_platform(config), layers=layers)

    def _fits(self, said: Mapping[str, Any] | None) -> bool:
        """Whether a platform is one of those wanted; what says none may be any."""
        if said is None:
            return True
        platform = _platform(said)
        if platform not in self.platforms:
            self.others.add(platform)
        return platform in self.platforms

    def _blob(self, descriptor: Mapping[str, Any]) -> str:
        """Where a blob lies, once it is what its name says."""
        algorithm, digest = str(descriptor["digest"]).split(":")
        if algorithm not in ("sha256", "sha512"):
            raise Refused(f"its blobs are named by {algorithm}, not by sha256 or sha512")
        name = f"blobs/{algorithm}/{digest}"
        with self._inside(name).open("rb") as file:
            if hashlib.file_digest(file, algorithm).hexdigest() != digest:
                raise Refused(f"its blob {descriptor['digest']} is another than its name says")
        return name

    def _inside(self, name: str) -> Path:
        """A file of the layout, wherever links lead."""
        path = walk.real(self.folder / name)
        if not path.is_relative_to(self.folder.resolve()):
            raise Refused(f"{name!r} leads out of it")
        if not path.is_file():
            raise Refused(f"{name!r}, which it names, is not there")
        return path

    def _json(self, name: str) -> Any:  # noqa: ANN401  # JSON has no better name in typing
        path = self._inside(name)
        if path.stat().st_size > LONGEST:
            raise Refused(f"its {name!r} is longer than {LONGEST} bytes")
        return json.loads(path.read_bytes())


def _is_image(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is an image's: attestations and other artefacts have layers as well."""
    kinds = ("image.config.v1+json", "container.image.v1+json")
    said = str(manifest["config"].get("mediaType", ""))
    return said.partition(";")[0].strip().endswith(kinds)


def _platform(said: Mapping[str, Any]) -> str:
    architecture, variant = str(said["architecture"]), str(said.get("variant") or "")
    if (architecture, variant) in PLAIN:
        variant = ""
    return _called(architecture, variant)


class _Tree:
    """The ELF files that are there once every layer lies over those below it."""

    def __init__(self, into: Path) -> None:
        into.mkdir(parents=True)
        self.programs: dict[str, Path] = {}
        self._into = into
        self._links: dict[str, str] = {}
        self._taken = self._number = 0

    def lay(self, layer: Path) -> None:
        """Lay the next layer over what is there."""
        own = set[str]()
        for tar, member in unpack.members(layer):
            above, last = posixpath.split(_clean(member.name))
            name = posixpath.join(self._resolved(above), last)
            if last == OPAQUE:
                self._hide(posixpath.dirname(name), own)
            elif last.startswith(WHITEOUT):
                hidden = posixpath.join(posixpath.dirname(name), last.removeprefix(WHITEOUT))
                self._hide(hidden, own)
            else:
                own.add(name)
                self._place(tar, member, name)

    def _hide(self, name: str, own: set[str]) -> None:
        """Take away what lower layers have at a path and below it; none hides its own."""
        for there in (self.programs, self._links):
            for path in [one for one in there if not name or f"{one}/".startswith(f"{name}/")]:
                if path not in own:
                    del there[path]

    def _place(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        if member.isdir():
            self._links.pop(name, None)
            return
        self.programs.pop(name, None)
        self._links.pop(name, None)
        if member.issym():
            self._links[name] = member.linkname
        elif member.islnk():
            above, last = posixpath.split(_clean(member.linkname))
            linked = posixpath.join(self._resolved(above), last)
            if linked in self.programs:
                self.programs[name] = self.programs[linked]
        elif member.isreg():
            self._take(tar, member, name)

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        file = tar.extractfile(member)
        if file is None or (content := file.read(len(objects.ELF))) != objects.ELF:
            return
        self._taken += member.size
        if self._taken > MOST:
            raise Refused(f"its programs have more than {MOST} bytes together")
        path = self._into / f"{self._number}"
        self._number += 1
        with path.open("wb") as copy:
            while content:
                copy.write(content)
                content = file.read(CHUNK)
        self.programs[name] = path

    def _resolved(self, folder: str) -> str:
        """A folder's path with the links of lower layers followed, as a runtime follows them."""
        left, path, followed = folder.split("/"), "", 0
        while left:
            path = posixpath.join(path, left.pop(0))
            if path in self._links:
                followed += 1
                if followed > LINKS:
                    raise Refused(f"{folder!r} in it leads in a circle")
                target = posixpath.join("/", posixpath.dirname(path), self._links[path])
                left, path = [*_clean(target).split("/"), *left], ""
        return path


def _clean(name: str) -> str:
    return posixpath.normpath(f"/{name}").lstrip("/")
