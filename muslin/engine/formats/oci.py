"""Container images as OCI layouts in a tar; an image of one platform is `docker load`ed as well.

Media types and fields are those of the OCI image specification 1.1; `manifest.json` is Docker's
own, from before it, and names the same blobs.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from muslin.engine import errors
from muslin.engine.filesystem import atomic
from muslin.engine.formats import tar_writer

_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_REFERENCE = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"
_CREATED = "1970-01-01T00:00:00Z"
_NO_MODES: Mapping[str, int] = MappingProxyType({})

Json = str | int | Sequence["Json"] | Mapping[str, "Json"]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class _Blob:
    """Some bytes of an image, known by their digest."""

    digest: str
    size: int
    content: IO[bytes]

    def described(self, media_type: str, **more: Json) -> dict[str, Json]:
        return {"mediaType": media_type, "digest": self.digest, "size": self.size, **more}


# Long: an image's documents, each with the digest of the one before.
def write_image(  # noqa: PLR0913  # keywords only, one per fact of an image
    path: Path,
    *,
    root: Path,
    reference: str,
    architecture: str,
    variant: str = "",
    entrypoint: Sequence[str],
    user: str,
    ports: Sequence[int] = (),
    env: Pairs = (),
    labels: Pairs = (),
    directory: str = "",
    modes: Mapping[str, int] = _NO_MODES,
) -> None:
    """Write an image of one platform whose only layer is what a folder holds."""
    platform = {"architecture": architecture, "os": "linux"}
    if variant:
        platform["variant"] = variant
    config: dict[str, Json] = {"Entrypoint": entrypoint, "User": user}
    if ports:
        config["ExposedPorts"] = {f"{port}/tcp": {} for port in ports}
    if env:
        config["Env"] = [f"{name}={value}" for name, value in env]
    if labels:
        config["Labels"] = dict(labels)
    if directory:
        config["WorkingDir"] = directory
    with tempfile.TemporaryFile(dir=path.parent) as file:
        tar_writer.pack(root, file, modes=modes)
        layer = _file_blob(file)
        image = _json_blob(
            {
                **platform,
                "created": _CREATED,
                "config": config,
                "history": [{"created": _CREATED, "created_by": "muslin"}],
                "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            }
        )
        manifest = _json_blob(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": image.described(_CONFIG),
                "layers": [layer.described(_LAYER)],
            }
        )
        entry = manifest.described(_MANIFEST, platform=platform, annotations=_names(reference))
        docker: Json = [
            {"Config": _place(image), "RepoTags": [reference], "Layers": [_place(layer)]}
        ]
        _write_layout(path, entry, (layer, image, manifest), {"manifest.json": _encode(docker)})


def write_index(path: Path, *, reference: str, images: Sequence[Path]) -> None:
    """Join images that `write_image` wrote to one of many platforms; platforms must differ."""
    manifests: list[dict[str, Json]] = []
    blobs: list[_Blob] = []
    with ExitStack() as stack:
        for image in images:
            try:
                tar = stack.enter_context(tarfile.open(image, "r:"))
                entry, found = _read_image(tar)
            except (tarfile.TarError, KeyError, ValueError) as error:
                raise errors.BrokenArchive(image, f"it is no image: {error}") from error
            manifests.append(entry)
            blobs += found
        platforms = [entry["platform"] for entry in manifests]
        assert all(platforms.count(platform) == 1 for platform in platforms), platforms
        index = _json_blob({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests})
        entry = index.described(_INDEX, annotations=_names(reference))
        _write_layout(path, entry, (*blobs, index), {})


def digest(path: Path) -> str:
    """The digest by which a registry would know the image or index in a file."""
    with tarfile.open(path, "r:") as tar:
        (entry,) = json.load(_open(tar, "index.json"))["manifests"]
        found: str = entry["digest"]
    return found


def _names(reference: str) -> dict[str, Json]:
    """Docker with containerd's image store reads the layout and not `manifest.json`, and finds an
    image again by its full name only."""
    return {_REFERENCE: reference, _CONTAINERD_NAME: f"docker.io/{reference}"}


def _read_image(tar: tarfile.TarFile) -> tuple[dict[str, Json], list[_Blob]]:
    """An image's manifest as an index lists it, and every blob that it needs."""
    (entry,) = json.load(_open(tar, "index.json"))["manifests"]
    del entry["annotations"]
    manifest = json.load(_open(tar, _place_of(entry["digest"])))
    needed = (entry, manifest["config"], *manifest["layers"])
    return entry, [
        _Blob(
            digest=blob["digest"],
            size=blob["size"],
            content=_open(tar, _place_of(blob["digest"])),
        )
        for blob in needed
    ]


def _open(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None, name
    return file


def _write_layout(
    path: Path, entry: Json, blobs: Sequence[_Blob], more: Mapping[str, bytes]
) -> None:
    index = _encode({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]})
    top = {"oci-layout": _encode({"imageLayoutVersion": "1.0.0"}), "index.json": index, **more}
    with (
        atomic.replacing(path) as aside,
        aside.open("wb") as file,
        tar_writer.writer(file) as tar,
    ):
        for name, data in sorted(top.items()):
            _add(tar, name, len(data), io.BytesIO(data))
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for place, blob in sorted({_place(blob): blob for blob in blobs}.items()):
            _add(tar, place, blob.size, blob.content)


def _add(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, content)


def _place(blob: _Blob) -> str:
    return _place_of(blob.digest)


def _place_of(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _encode(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _json_blob(value: Json) -> _Blob:
    return _file_blob(io.BytesIO(_encode(value)))


def _file_blob(file: IO[bytes]) -> _Blob:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    file.seek(0)
    return _Blob(digest=f"sha256:{digest.hexdigest()}", size=size, content=file)
