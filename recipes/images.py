"""The programs in a container image, whoever built it: an OCI layout, or a tar of one, or what
`docker save` writes.

Sources: the OCI image specification 1.1 (layouts, whiteouts), Docker's image specification 1.2.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.audit import objects
from recipes.audit.finding import Refused
from recipes.engine import archive, envelope
from recipes.engine.manifest import file_digest
from recipes.errors import PipelineError
from recipes.target import Image

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
DEEPEST = 4
"""Indexes in indexes; one is common."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """An image of one platform: its layers, the lowest first."""

    platform: str
    layers: tuple[Path, ...]


def is_one(path: Path) -> bool:
    """Whether a path may be an image: a folder with a layout, or no file that is audited itself."""
    if path.is_dir():
        return (path / "index.json").is_file() or (path / "manifest.json").is_file()
    with path.open("rb") as file:
        return not file.read(8).startswith((objects.ELF, objects.ARCHIVE, objects.THIN))


def programs(path: Path, wanted: Image, into: Path) -> Iterator[tuple[str, Path]]:
    """Path in the image and a copy in `into` of every ELF file, for the platform alone.

    Raises `Refused` for what is no image, is not sound, or has nothing for the platform.
    """
    try:
        yield from _programs(path, wanted, into)
    except (PipelineError, OSError, LookupError, TypeError, ValueError, tarfile.TarError) as error:
        raise Refused(
            f"it is neither an ELF file nor an archive, nor a sound image: {error}"
        ) from error


def _programs(path: Path, wanted: Image, into: Path) -> Iterator[tuple[str, Path]]:
    folder = path
    if not path.is_dir():
        folder = into / "layout"
        archive.unpack(path, folder)
    found = list(_images(folder))
    platform = _called(wanted.architecture, wanted.variant)
    fitting = [one for one in found if one.platform in (platform, _called(wanted.architecture, ""))]
    if not fitting:
        there = ", ".join(sorted({one.platform for one in found})) or "no image"
        raise Refused(f"it has nothing for {platform}, but {there}")
    for number, image in enumerate(fitting):
        tree = _tree(image.layers, into / f"{number}")
        if not tree:
            raise Refused(f"its image for {image.platform} has no ELF file")
        yield from sorted(tree.items())


def _called(architecture: str, variant: str) -> str:
    return f"linux/{architecture}" + (f"/{variant}" if variant else "")


def _images(folder: Path) -> Iterator[_Found]:
    if (folder / "index.json").is_file():
        yield from _below(folder, _json(folder / "index.json"), 0)
    elif (folder / "manifest.json").is_file():
        for image in _json(folder / "manifest.json"):
            layers = tuple(folder / layer for layer in image["Layers"])
            yield _found(_json(folder / image["Config"]), layers)
    else:
        raise Refused("it has neither an index.json nor a manifest.json")


def _below(folder: Path, index: Mapping[str, Any], depth: int) -> Iterator[_Found]:
    if depth == DEEPEST:
        raise Refused("its indexes lead in a circle")
    for entry in index["manifests"]:
        document = _json(_blob(folder, entry))
        if "manifests" in document:
            yield from _below(folder, document, depth + 1)
        elif "layers" in document and document["config"].get("mediaType", "").endswith(
            ("image.config.v1+json", "container.image.v1+json")
        ):
            layers = tuple(_blob(folder, layer) for layer in document["layers"])
            yield _found(_json(_blob(folder, document["config"])), layers)


def _found(config: Mapping[str, Any], layers: tuple[Path, ...]) -> _Found:
    platform = _called(config["architecture"], config.get("variant", ""))
    return _Found(platform=platform, layers=layers)


def _blob(folder: Path, descriptor: Mapping[str, Any]) -> Path:
    algorithm, digest = str(descriptor["digest"]).split(":")
    path = folder / "blobs" / algorithm / digest
    if "/" in algorithm + digest or (algorithm == "sha256" and file_digest(path) != digest):
        raise Refused(f"its blob {descriptor['digest']} is another than its name says")
    return path


def _json(path: Path) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    return json.loads(path.read_bytes())


def _tree(layers: Sequence[Path], into: Path) -> dict[str, Path]:
    """The ELF files that are there once every layer lies over those below it."""
    into.mkdir(parents=True)
    tree: dict[str, Path] = {}
    for layer in layers:
        kept = set[str]()
        with envelope.contents(layer) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                name = posixpath.normpath(f"/{member.name}").removeprefix("/")
                above, last = posixpath.split(name)
                if last == OPAQUE:
                    _remove(tree, above, kept)
                elif last.startswith(WHITEOUT):
                    _remove(tree, posixpath.join(above, last.removeprefix(WHITEOUT)), kept)
                else:
                    tree.pop(name, None)
                    kept.add(name)
                    _take(tar, member, name, tree, into)
    return tree


def _remove(tree: dict[str, Path], name: str, kept: set[str]) -> None:
    """Take away what lower layers have at a path and below it; a layer hides nothing of itself."""
    for path in [one for one in tree if one == name or one.startswith(f"{name}/") or not name]:
        if path not in kept:
            del tree[path]


def _take(
    tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, tree: dict[str, Path], into: Path
) -> None:
    if member.islnk():
        linked = posixpath.normpath(f"/{member.linkname}").removeprefix("/")
        if linked in tree:
            tree[name] = tree[linked]
    elif member.isreg() and (file := tar.extractfile(member)) is not None:
        content = file.read(len(objects.ELF))
        if content == objects.ELF:
            path = into / f"{len(list(into.iterdir()))}"
            path.write_bytes(content + file.read())
            tree[name] = path
