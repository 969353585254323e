"""Images: what the specification asks for, and the same bytes for the same input."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from muslin.engine import errors
from muslin.engine.formats import oci
from muslin.engine.vocabulary import Image, ImageIndex

# By revision of the step: a changed byte needs a new revision, else caches keep old images.
GOLDEN_LAYER = {2: "sha256:4bf71a4620ebe7a363fa60b9c6e7cf4a56588487f9fb08d5e64220243f9b9f44"}
GOLDEN_IMAGE = {2: "sha256:6b395ef3eb9c9cfacc43bda7dedeeea3b4c110f6a12b8d2b1e42a34bb1fbbb08"}
GOLDEN_INDEX = {2: "sha256:bf033e67b4aa815d94466ba8cc8b163c7c9a3a63d341fd64b2ad19efbffe43e1"}

NAMES = {
    "org.opencontainers.image.ref.name": "muslin/hello:1.0",
    "io.containerd.image.name": "docker.io/muslin/hello:1.0",
}
"""By the first the layout's own tools find an image, by the second Docker on containerd."""


def grow(root: Path) -> Path:
    (root / "tmp").mkdir(parents=True)
    (root / "service").write_bytes(b"\x7fELF")
    (root / "service").chmod(0o755)
    return root


def write(path: Path, architecture: str = "arm", variant: str = "v6") -> Path:
    """An image with everything in it, from a tree made anew."""
    oci.write_image(
        path,
        root=grow(path.with_suffix(".root")),
        reference="muslin/hello:1.0",
        architecture=architecture,
        variant=variant,
        entrypoint=("/service", "--serve"),
        user="65532:65532",
        ports=(8080,),
        env=(("PORT", "8080"),),
        labels=(("org.opencontainers.image.licenses", "MIT"),),
        modes={"tmp": 0o1777},
    )
    return path


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Layout:
    """A layout tar, read the way a reader of the specification does."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            self.names = tar.getnames()
            self.files = {
                member.name: file.read()
                for member in tar
                if (file := tar.extractfile(member)) is not None
            }

    def load(self, name: str) -> Any:  # noqa: ANN401  # JSON
        return json.loads(self.files[name])

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        data = self.files["blobs/" + descriptor["digest"].replace(":", "/")]
        assert digest(data) == descriptor["digest"]
        assert len(data) == descriptor["size"]
        return data


def test_an_image_is_a_layout_of_the_specification(tmp_path: Path) -> None:
    layout = Layout(write(tmp_path / "image.tar"))
    assert layout.load("oci-layout") == {"imageLayoutVersion": "1.0.0"}
    (entry,) = layout.load("index.json")["manifests"]
    assert entry["annotations"] == NAMES
    assert entry["platform"] == {"architecture": "arm", "os": "linux", "variant": "v6"}
    manifest = json.loads(layout.blob(entry))
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar"
    layout.blob(layer)
    assert json.loads(layout.blob(manifest["config"])) == {
        "architecture": "arm",
        "variant": "v6",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/service", "--serve"],
            "User": "65532:65532",
            "ExposedPorts": {"8080/tcp": {}},
            "Env": ["PORT=8080"],
            "Labels": {"org.opencontainers.image.licenses": "MIT"},
        },
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "muslin"}],
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }


def test_docker_finds_the_same_blobs(tmp_path: Path) -> None:
    layout = Layout(write(tmp_path / "image.tar"))
    manifest = json.loads(layout.blob(layout.load("index.json")["manifests"][0]))
    assert layout.load("manifest.json") == [
        {
            "Config": f"blobs/{manifest['config']['digest'].replace(':', '/')}",
            "RepoTags": ["muslin/hello:1.0"],
            "Layers": [f"blobs/{manifest['layers'][0]['digest'].replace(':', '/')}"],
        }
    ]


def test_what_is_not_given_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    root = grow(tmp_path / "root")
    oci.write_image(
        path, root=root, reference="a:1", architecture="amd64", entrypoint=("/service",), user="1"
    )
    layout = Layout(path)
    (entry,) = layout.load("index.json")["manifests"]
    config = json.loads(layout.blob(json.loads(layout.blob(entry))["config"]))
    assert "variant" not in config
    assert "variant" not in entry["platform"]
    assert config["config"] == {"Entrypoint": ["/service"], "User": "1"}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write(tmp_path / "one.tar")
    before = os.umask(0o077)
    try:
        two = write(tmp_path / "two.tar")
    finally:
        os.umask(before)
    assert one.read_bytes() == two.read_bytes()
    images = [write(tmp_path / "arm64.tar", "arm64", "v8"), one]
    for name in ("a", "b"):
        oci.write_index(tmp_path / name, reference="muslin/hello:1.0", images=images)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_the_bytes_are_golden(tmp_path: Path) -> None:
    image = write(tmp_path / "image.tar")
    layout = Layout(image)
    manifest = json.loads(layout.blob(layout.load("index.json")["manifests"][0]))
    assert manifest["layers"][0]["digest"] == GOLDEN_LAYER[Image.revision]
    assert digest(image.read_bytes()) == GOLDEN_IMAGE[Image.revision]
    index = tmp_path / "index.tar"
    oci.write_index(index, reference="muslin/hello:1.0", images=[image])
    assert digest(index.read_bytes()) == GOLDEN_INDEX[ImageIndex.revision]


def test_an_index_joins_platforms_and_keeps_each_blob_once(tmp_path: Path) -> None:
    images = [
        write(tmp_path / "armv6.tar", "arm", "v6"),
        write(tmp_path / "armv7.tar", "arm", "v7"),
        write(tmp_path / "x86_64.tar", "amd64", ""),
    ]
    path = tmp_path / "all.tar"
    oci.write_index(path, reference="muslin/hello:1.0", images=images)
    layout = Layout(path)
    (entry,) = layout.load("index.json")["manifests"]
    assert entry["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert entry["annotations"] == NAMES
    manifests = json.loads(layout.blob(entry))["manifests"]
    assert [manifest["platform"] for manifest in manifests] == [
        {"os": "linux", "architecture": "arm", "variant": "v6"},
        {"os": "linux", "architecture": "arm", "variant": "v7"},
        {"os": "linux", "architecture": "amd64"},
    ]
    for described in manifests:
        manifest = json.loads(layout.blob(described))
        config = json.loads(layout.blob(manifest["config"]))
        assert config["architecture"] == described["platform"]["architecture"]
        layout.blob(manifest["layers"][0])
    blobs = [name for name in layout.names if name.startswith("blobs/sha256/")]
    assert len(blobs) == len(set(blobs)) == 1 + 3 + 3 + 1  # index, manifests, configs, one layer
    assert "manifest.json" not in layout.names  # docker would load one platform in silence


@pytest.mark.parametrize("content", [b"", b"no tar" * 1000, bytes(10240)])
def test_what_is_no_image_is_not_joined(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.tar"
    other.write_bytes(content)
    with pytest.raises(
        errors.BrokenArchive, match=r"other\.tar cannot be unpacked: it is no image"
    ):
        oci.write_index(tmp_path / "all.tar", reference="a:1", images=[other])
    assert not (tmp_path / "all.tar").exists()


def test_two_images_of_one_platform_are_not_joined(tmp_path: Path) -> None:
    images = [write(tmp_path / "one.tar"), write(tmp_path / "two.tar")]
    with pytest.raises(AssertionError):
        oci.write_index(tmp_path / "all.tar", reference="a:1", images=images)
