"""Programs in images: layouts and tars of the pipeline's own, of Docker, and damaged ones."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from uuid import uuid4

import pytest

from recipes import images
from recipes.audit.finding import Refused
from recipes.engine import oci
from recipes.target import Image

AMD64, ARM64, V6 = (
    Image(architecture="amd64"),
    Image(architecture="arm64", variant="v8"),
    Image(architecture="arm", variant="v6"),
)
PROGRAM = b"\x7fELF and what follows"


def written(folder: Path, image: Image, content: bytes = PROGRAM) -> Path:
    root = folder / f"root-{image.architecture}{image.variant}"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "program").write_bytes(content)
    (root / "readme").write_text("text")
    path = folder / f"{image.architecture}{image.variant}.tar"
    oci.write_image(
        path,
        root=root,
        reference=f"muslin-test/{uuid4().hex}:x",
        architecture=image.architecture,
        variant=image.variant,
        entrypoint=("/bin/program",),
        user="1:1",
    )
    return path


def found(path: Path, image: Image, aside: Path) -> dict[str, bytes]:
    into = aside / uuid4().hex
    return {name: file.read_bytes() for name, file in images.programs(path, image, into)}


def test_an_image_of_one_platform(tmp_path: Path) -> None:
    assert found(written(tmp_path, V6), V6, tmp_path) == {"bin/program": PROGRAM}


def test_of_an_image_of_many_platforms_the_targets_alone(tmp_path: Path) -> None:
    each = [written(tmp_path, one, PROGRAM + one.architecture.encode()) for one in (V6, ARM64)]
    joint = tmp_path / "joint.tar"
    oci.write_index(joint, reference="muslin-test/joint:x", images=each)
    assert found(joint, V6, tmp_path) == {"bin/program": PROGRAM + b"arm"}
    assert found(joint, ARM64, tmp_path) == {"bin/program": PROGRAM + b"arm64"}
    with pytest.raises(Refused, match="nothing for linux/amd64, but linux/arm/v6, linux/arm64/v8"):
        found(joint, AMD64, tmp_path)


def test_a_folder_and_a_compressed_tar(tmp_path: Path) -> None:
    path = written(tmp_path, V6)
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path / "layout", filter="data")
    assert images.is_one(tmp_path / "layout")
    assert found(tmp_path / "layout", V6, tmp_path) == {"bin/program": PROGRAM}
    subprocess.run(["gzip", "--keep", path], check=True)
    assert found(tmp_path / "armv6.tar.gz", V6, tmp_path) == {"bin/program": PROGRAM}


def layer(*members: tuple[str, bytes | None]) -> bytes:
    """A layer of files; None for a hard link to `first`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.LNKTYPE, "first"
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return made.getvalue()


def saved(folder: Path, *layers: bytes) -> Path:
    """What `docker save` wrote before it knew layouts."""
    root = folder / "saved"
    root.mkdir()
    for number, content in enumerate(layers):
        (root / f"{number}.tar").write_bytes(content)
    (root / "config.json").write_text('{"architecture": "amd64"}')
    names = [f"{number}.tar" for number, _ in enumerate(layers)]
    (root / "manifest.json").write_text(json.dumps([{"Config": "config.json", "Layers": names}]))
    return root


def test_a_layer_lies_over_those_below_it(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        layer(("first", PROGRAM), ("gone", PROGRAM), ("lib/a", PROGRAM), ("lib/sub/b", PROGRAM)),
        layer(("first", PROGRAM + b"2"), ("second", None), (".wh.gone", b"")),
        layer(("lib/.wh..wh..opq", b""), ("lib/c", PROGRAM), ("./text", b"no ELF")),
    )
    assert found(path, AMD64, tmp_path) == {
        "first": PROGRAM + b"2",
        "second": PROGRAM + b"2",
        "lib/c": PROGRAM,
    }


def test_a_file_over_a_program_takes_its_place(tmp_path: Path) -> None:
    path = saved(tmp_path, layer(("x", PROGRAM), ("y", PROGRAM)), layer(("x", b"#!/bin/sh")))
    assert found(path, AMD64, tmp_path) == {"y": PROGRAM}


def test_an_image_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="its image for linux/amd64 has no ELF file"):
        found(saved(tmp_path, layer(("x", b"text"))), AMD64, tmp_path)


def test_a_blob_that_was_changed_is_refused(tmp_path: Path) -> None:
    with tarfile.open(written(tmp_path, V6)) as tar:
        tar.extractall(tmp_path / "layout", filter="data")
    digest = hashlib.sha256(PROGRAM).hexdigest()
    blob = max((tmp_path / "layout/blobs/sha256").iterdir(), key=lambda one: one.stat().st_size)
    blob.write_bytes(blob.read_bytes().replace(b"what follows", b"what was put"))
    assert digest != blob.name
    with pytest.raises(Refused, match=f"its blob sha256:{blob.name} is another"):
        found(tmp_path / "layout", V6, tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\x1f\x8b no gzip", layer(("x", PROGRAM)), layer(("index.json", b"{"))],
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Refused):
        found(tmp_path / "x", AMD64, tmp_path)


@pytest.mark.parametrize("index", ["[]", "{}", '{"manifests": [{}]}', '{"manifests": 3}'])
def test_an_index_that_makes_no_sense_is_refused(tmp_path: Path, index: str) -> None:
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "index.json").write_text(index)
    with pytest.raises(Refused):
        found(tmp_path / "layout", AMD64, tmp_path)


def test_what_docker_saves(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no Docker engine answers")
    reference = f"muslin-test/{uuid4().hex}:x"
    context = tmp_path / "context"
    context.mkdir()
    (context / "program").write_bytes(PROGRAM)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY program /one\nCOPY program /two\n")
    try:
        subprocess.run([docker, "build", "--tag", reference, context], check=True, timeout=120)
        path = tmp_path / "saved.tar"
        subprocess.run([docker, "save", "--output", path, reference], check=True, timeout=120)
        engine = {"x86_64": AMD64, "aarch64": ARM64}
        machine = subprocess.run(["uname", "-m"], capture_output=True, check=True, text=True).stdout
        there = found(path, engine[machine.strip()], tmp_path)
        assert there == {"one": PROGRAM, "two": PROGRAM}
    finally:
        subprocess.run([docker, "rmi", reference], check=False, capture_output=True)
