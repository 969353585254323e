"""The programs in a container image, whoever built it: every one of every layer.

What a later layer hides is looked at as well: nothing that an image states of itself, its
configuration or a whiteout, takes a program away. Sources: the OCI image specification 1.1,
Docker's image specification 1.2.
"""

from __future__ import annotations

import hashlib
import posixpath
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from muslin.audit import objects
from muslin.audit.finding import Refused
from muslin.check import compression, layout, platforms, tar
from muslin.check.budget import Budget
from muslin.check.layout import Files
from muslin.check.platforms import Platform

DEEPEST = 4
"""Indexes in indexes; one is common."""
ATTESTATION = "unknown"
"""The architecture that the descriptor of an attestation states."""
IN_TOTO = "application/vnd.in-toto"
CONFIGURATIONS = ("image.config.v1+json", "container.image.v1+json")
"""How the media types of configurations end, OCI's and Docker's."""
LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
"""How the media types of layers begin that runtimes unpack."""


class Wanted(Protocol):
    """The platform as a target's declaration names it."""

    @property
    def architecture(self) -> str:
        """As in images, in any spelling."""

    @property
    def variant(self) -> str:
        """May be empty."""


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """One image: what it is for, and its layers, the lowest first."""

    platforms: tuple[Platform, ...]
    """Its descriptor's, which containers take; its configuration's without one, and where the two
    contradict each other."""
    layers: tuple[Path, ...]
    fault: str = ""
    """Why its layers are unknown."""


def is_one(path: Path) -> bool:
    """Whether a path may be an image: a folder with a layout, or no file that is audited itself.

    Raises `Refused` for what is neither a file nor a folder.
    """
    if path.is_dir():
        return any((path / name).is_file() for name in layout.LISTS)
    if not path.is_file():
        raise Refused(f"{path.name} is neither a file nor a folder")
    with path.open("rb") as file:
        return not file.read(8).startswith((objects.ELF, objects.ARCHIVE, objects.THIN))


def programs(path: Path, wanted: Wanted, into: Path) -> Iterator[tuple[str, Path]]:
    """Path in the image and a copy in `into` of every ELF file of the image that a machine of a
    platform runs.

    Raises `Refused` for what is no image, is not sound, or has nothing for the platform.
    """
    budget, into = Budget(), into / "image"
    into.mkdir(parents=True)
    machine = platforms.normalized(wanted.architecture, wanted.variant)
    try:
        every = images(opened(path, into, budget))
    except Refused as fault:
        raise Refused(
            f"it is neither an ELF file nor an archive, nor a sound image: {fault}"
        ) from fault
    there = [one for image in every for one in image.platforms]
    best = {(one, one.stated) for one in platforms.chosen(machine, there)}
    if not best:
        others = ", ".join(sorted({str(one) for image in every for one in image.platforms}))
        raise Refused(f"it has nothing for {machine}, but {others or 'no image'}")
    for number, image in enumerate(every):
        if any((one, one.stated) in best for one in image.platforms):
            yield from contents(image, into / f"{number}", budget)


def opened(path: Path, into: Path, budget: Budget) -> Files:
    """The files of a folder or a tar, compressed or not. Raises `Refused`."""
    if path.is_dir():
        return layout.Folder(path)
    return layout.Unpacked(_plain(path, into / "plain", budget), into / "layout", budget)


def images(files: Files) -> list[ContainerImage]:
    """Every image of a layout, each once; of two lists all of both: runtimes read either.

    Raises `Refused` where the layout is not sound.
    """
    if not any(layout.has(files, name) for name in layout.LISTS):
        raise Refused("it has neither an index.json nor a manifest.json")
    try:
        found = [*_Index(files=files).images(), *_saved(files)]
    # AttributeError: JSON of another shape. RecursionError: JSON nested too deep.
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    return list(dict.fromkeys(found))


def contents(image: ContainerImage, into: Path, budget: Budget) -> Iterator[tuple[str, Path]]:
    """Path and a copy of every ELF file of every layer; where a path has several, with the number
    of the layer. Raises `Refused` where a layer is not sound or no layer has a program."""
    if image.fault:
        raise Refused(image.fault)
    into.mkdir(parents=True)
    names, count = set[str](), 0
    for number, layer in enumerate(image.layers, 1):
        plain = _plain(layer, into / f"layer-{number}", budget)
        for archive, member in tar.members(plain, budget):
            if member.isdir() or member.issym() or member.islnk():
                continue
            source = archive.extractfile(member)
            if source is None or source.read(len(objects.ELF)) != objects.ELF:
                continue
            budget.take_bytes(member.size)
            name, copied = layout.clean(member.name), into / f"{count}"
            source.seek(0)
            with copied.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            yield f"{name} (layer {number})" if name in names else name, copied
            names.add(name)
            count += 1
    if not count:
        raise Refused(f"its image for {image.platforms[0]} has no ELF file")


def _plain(path: Path, into: Path, budget: Budget) -> Path:
    """A file, or what it holds if it is compressed."""
    with path.open("rb") as file:
        kind = compression.of(file.read(8))
        if not kind:
            return path
        file.seek(0)
        compression.plain(file, kind, into, budget)
        return into


# --- what an image states ---------------------------------------------------------------------


@dataclass(kw_only=True)
class _Index:
    """OCI's list of images, which may hold further ones."""

    files: Files
    _seen: set[tuple[str, Platform | None]] = field(default_factory=set)

    def images(self) -> Iterator[ContainerImage]:
        if layout.has(self.files, "index.json"):
            yield from self._below(layout.document(self.files, "index.json"), None, 0)

    def _below(
        self, index: Mapping[str, Any], above: Platform | None, depth: int
    ) -> Iterator[ContainerImage]:
        """The images of an index; `above` is what the descriptor that leads here states."""
        if depth == DEEPEST:
            raise Refused("its indexes lead in a circle")
        for descriptor in index["manifests"]:
            stated = descriptor.get("platform")
            own = above if stated is None else platforms.of(stated)
            if (descriptor["digest"], own) in self._seen:
                continue
            self._seen.add((descriptor["digest"], own))
            try:
                yield from self._images(descriptor, own, depth)
            except Refused as fault:
                if own is None:
                    raise
                # The blobs of platforms that nobody asks for need not be there.
                if own.architecture != ATTESTATION:
                    yield ContainerImage(platforms=(own,), layers=(), fault=str(fault))

    def _images(
        self, descriptor: Mapping[str, Any], own: Platform | None, depth: int
    ) -> Iterator[ContainerImage]:
        document = self._json(descriptor)
        if "manifests" in document:
            yield from self._below(document, own, depth + 1)
        elif _is_image(document):
            config = platforms.of(self._json(document["config"]))
            layers = tuple(_blob(self.files, layer) for layer in document["layers"])
            yield ContainerImage(platforms=_together(own, config), layers=layers)

    def _json(self, descriptor: Mapping[str, Any]) -> Any:  # noqa: ANN401  # as `document`
        _blob(self.files, descriptor)
        return layout.document(self.files, _name(descriptor))


def _saved(files: Files) -> Iterator[ContainerImage]:
    """Docker's older list: the configuration alone states the platform."""
    if layout.has(files, "manifest.json"):
        for image in layout.document(files, "manifest.json"):
            config = platforms.of(layout.document(files, image["Config"]))
            layers = tuple(files.find(layer) for layer in image["Layers"])
            yield ContainerImage(platforms=(config,), layers=layers)


def _together(own: Platform | None, config: Platform) -> tuple[Platform, ...]:
    """What a descriptor and a configuration state together; a configuration without a variant
    contradicts none of the same architecture."""
    if own is None:
        return (config,)
    same = (own.os, own.architecture) == (config.os, config.architecture)
    agree = same and (own.variant == config.variant or not (config.stated and config.variant))
    return (own,) if agree or not config.architecture else (own, config)


def _is_image(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is an image's: attestations and other artefacts have layers as well.

    The type of its configuration alone must not hide layers that a runtime unpacks.
    """
    layers = [_media_type(layer) for layer in manifest["layers"]]
    if layers and all(kind.startswith(IN_TOTO) for kind in layers):
        return False
    config = _media_type(manifest["config"])
    return config.endswith(CONFIGURATIONS) or any(kind.startswith(LAYERS) for kind in layers)


def _media_type(descriptor: Mapping[str, Any]) -> str:
    return str(descriptor.get("mediaType", "")).partition(";")[0].strip()


def _name(descriptor: Mapping[str, Any]) -> str:
    algorithm, digest = str(descriptor["digest"]).split(":")
    if algorithm not in ("sha256", "sha512"):
        raise Refused(f"its blobs are named by {algorithm}, not by sha256 or sha512")
    return f"blobs/{algorithm}/{digest}"


def _blob(files: Files, descriptor: Mapping[str, Any]) -> Path:
    """A blob, once its content is what its name states."""
    name = _name(descriptor)
    path = files.find(name)
    with path.open("rb") as file:
        if hashlib.file_digest(file, name.split("/")[1]).hexdigest() != posixpath.basename(name):
            raise Refused(f"its blob {descriptor['digest']} is another than its name says")
    return path
