"""Programs in images: layouts and tars of the pipeline's own, of Docker, and damaged ones."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from uuid import uuid4

import pytest

from muslin.audit.finding import Refused
from muslin.check import image_programs
from muslin.engine.formats import oci, unpack
from muslin.models.target import Image

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
    return {name: file.read_bytes() for name, file in image_programs.programs(path, image, into)}


def test_an_image_of_one_platform(tmp_path: Path) -> None:
    assert found(written(tmp_path, V6), V6, tmp_path) == {"bin/program": PROGRAM}


def test_of_an_image_of_many_platforms_the_targets_alone(tmp_path: Path) -> None:
    each = [written(tmp_path, one, PROGRAM + one.architecture.encode()) for one in (V6, ARM64)]
    joint = tmp_path / "joint.tar"
    oci.write_index(joint, reference="muslin-test/joint:x", images=each)
    assert found(joint, V6, tmp_path) == {"bin/program": PROGRAM + b"arm"}
    assert found(joint, ARM64, tmp_path) == {"bin/program": PROGRAM + b"arm64"}
    with pytest.raises(Refused, match="nothing for linux/amd64, but linux/arm/v6, linux/arm64"):
        found(joint, AMD64, tmp_path)


def test_a_folder_and_a_compressed_tar(tmp_path: Path) -> None:
    path = written(tmp_path, V6)
    unpack.unpack(path, tmp_path / "layout")
    assert image_programs.is_one(tmp_path / "layout")
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


def test_every_program_of_every_layer(tmp_path: Path) -> None:
    """Nothing in a later layer takes one away: whiteouts, opaque ones, files over files, links."""
    path = saved(
        tmp_path,
        layer(("first", PROGRAM), ("gone", PROGRAM), ("lib/a", PROGRAM), ("y", PROGRAM)),
        layer(("first", PROGRAM + b"2"), ("second", None), (".wh.gone", b""), ("y", b"#!/bin/sh")),
        layer(("lib/.wh..wh..opq", b""), ("lib/c", PROGRAM), ("./text", b"no ELF")),
        layer((".wh..wh..opq", b""), ("./lib/../d", PROGRAM)),
    )
    assert found(path, AMD64, tmp_path) == {
        "first": PROGRAM,
        "first (layer 2)": PROGRAM + b"2",
        "gone": PROGRAM,
        "lib/a": PROGRAM,
        "y": PROGRAM,
        "lib/c": PROGRAM,
        "d": PROGRAM,
    }


def test_an_image_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="its image for linux/amd64 has no ELF file"):
        found(saved(tmp_path, layer(("x", b"text"))), AMD64, tmp_path)


def test_a_blob_that_was_changed_is_refused(tmp_path: Path) -> None:
    unpack.unpack(written(tmp_path, V6), tmp_path / "layout")
    blob = max((tmp_path / "layout/blobs/sha256").iterdir(), key=lambda one: one.stat().st_size)
    blob.write_bytes(blob.read_bytes().replace(b"what follows", b"what was put"))
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


def linked(name: str, target: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        tar.addfile(info)
    return made.getvalue()


def test_links_take_no_program_away(tmp_path: Path) -> None:
    """A runtime follows those of lower layers, in a circle too."""
    path = saved(
        tmp_path,
        layer(("real/there", PROGRAM)),
        linked("bin", "real"),
        layer(("bin/program", PROGRAM)),
        linked("bin", "/other/../new"),
        layer(("bin/program", b"text"), ("bin/second", PROGRAM)),
        linked("bin", "bin"),
    )
    assert set(found(path, AMD64, tmp_path)) == {"real/there", "bin/program", "bin/second"}


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    whole = layer(("one", PROGRAM), ("two", PROGRAM))
    damaged = whole[:1024] + b"X" + whole[1025:]
    with pytest.raises(Refused, match="a header in it is damaged"):
        found(saved(tmp_path, damaged), AMD64, tmp_path)


@pytest.mark.parametrize("size", [1024, 1500])
def test_a_layer_that_breaks_off_is_refused(tmp_path: Path, size: int) -> None:
    whole = layer(("one", PROGRAM), ("two", PROGRAM))
    with pytest.raises(Refused):
        found(saved(tmp_path, whole[:size]), AMD64, tmp_path)


@pytest.mark.parametrize("field", ["Config", "Layers"])
@pytest.mark.parametrize("name", ["/dev/zero", "../outside", "link", "nowhere"])
def test_a_manifest_leads_nowhere_else(tmp_path: Path, field: str, name: str) -> None:
    path = saved(tmp_path, layer(("one", PROGRAM)))
    (tmp_path / "outside").write_bytes(layer(("secret", PROGRAM)))
    (path / "link").symlink_to(tmp_path / "outside")
    said = {"Config": "config.json", "Layers": ["0.tar"]}
    changed = {**said, field: [name] if field == "Layers" else name}
    (path / "manifest.json").write_text(json.dumps([changed]))
    with pytest.raises(Refused, match=r"leads out of it|is not there"):
        found(path, AMD64, tmp_path)


def test_blobs_of_other_platforms_need_not_be_there(tmp_path: Path) -> None:
    each = [written(tmp_path, one, PROGRAM + one.architecture.encode()) for one in (V6, ARM64)]
    joint = tmp_path / "joint.tar"
    oci.write_index(joint, reference="muslin-test/joint:x", images=each)
    unpack.unpack(joint, tmp_path / "layout")
    for blob in (tmp_path / "layout/blobs/sha256").iterdir():
        if PROGRAM + b"arm64" in blob.read_bytes():
            blob.unlink()
    assert found(tmp_path / "layout", V6, tmp_path) == {"bin/program": PROGRAM + b"arm"}
    with pytest.raises(Refused, match="is not there"):
        found(tmp_path / "layout", ARM64, tmp_path)


def test_a_blob_by_another_digest_is_verified_too(tmp_path: Path) -> None:
    config = b'{"architecture": "amd64"}'
    content = layer(("one", PROGRAM))
    digests = [f"sha512:{hashlib.sha512(one).hexdigest()}" for one in (config, content)]
    manifest = json.dumps(
        {
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digests[0],
            },
            "layers": [{"digest": digests[1]}],
        }
    ).encode()
    digests.append(f"sha512:{hashlib.sha512(manifest).hexdigest()}")
    folder = tmp_path / "layout"
    (folder / "blobs" / "sha512").mkdir(parents=True)
    for digest, blob in zip(digests, (config, content, manifest), strict=True):
        (folder / "blobs" / digest.replace(":", "/")).write_bytes(blob)
    (folder / "index.json").write_text(json.dumps({"manifests": [{"digest": digests[2]}]}))
    assert found(folder, AMD64, tmp_path) == {"one": PROGRAM}
    (folder / "blobs" / digests[1].replace(":", "/")).write_bytes(layer(("two", PROGRAM)))
    with pytest.raises(Refused, match="is another than its name says"):
        found(folder, AMD64, tmp_path)


def layout(folder: Path, *, platform: dict[str, str], media: str, program: bytes) -> dict[str, str]:
    """Blobs of one image; its descriptor."""

    def blob(content: bytes) -> dict[str, str]:
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / "sha256" / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}"}

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        member = tarfile.TarInfo("program")
        member.size = len(program)
        tar.addfile(member, io.BytesIO(program))
    config = {**blob(json.dumps(platform).encode()), "mediaType": media}
    return blob(json.dumps({"config": config, "layers": [blob(layer.getvalue())]}).encode())


def manifest_of(folder: Path, descriptor: dict[str, str]) -> dict[str, object]:
    """The same image in Docker's older list."""

    def place(one: dict[str, str]) -> str:
        return one["digest"].replace("sha256:", "blobs/sha256/")

    made = json.loads((folder / place(descriptor)).read_text())
    return {"Config": place(made["config"]), "Layers": [place(one) for one in made["layers"]]}


OCI = "application/vnd.oci.image.config.v1+json"


@pytest.mark.parametrize("media", [OCI, f"{OCI}; charset=utf-8"])
@pytest.mark.parametrize("variant", [{}, {"variant": "v1"}])
def test_an_image_by_another_way_to_say_it(
    tmp_path: Path, media: str, variant: dict[str, str]
) -> None:
    platform = {"architecture": "amd64", "os": "linux", **variant}
    made = layout(tmp_path / "x", platform=platform, media=media, program=PROGRAM)
    (tmp_path / "x" / "index.json").write_text(
        json.dumps({"manifests": [{**made, "platform": platform}]})
    )
    assert found(tmp_path / "x", AMD64, tmp_path) == {"program": PROGRAM}


def test_of_two_lists_both_are_looked_at(tmp_path: Path) -> None:
    """A runtime loads by the one or by the other."""
    folder, platform = tmp_path / "x", {"architecture": "amd64"}
    one, other = (
        layout(folder, platform=platform, media=OCI, program=PROGRAM + more)
        for more in (b"one", b"other")
    )
    (folder / "index.json").write_text(json.dumps({"manifests": [one]}))
    (folder / "manifest.json").write_text(json.dumps([manifest_of(folder, one)]))
    assert list(image_programs.programs(folder, AMD64, tmp_path / "same")) == [
        ("program", tmp_path / "same" / "image" / "0" / "0")
    ]
    (folder / "manifest.json").write_text(json.dumps([manifest_of(folder, other)]))
    programs = [
        path.read_bytes() for _, path in image_programs.programs(folder, AMD64, tmp_path / "two")
    ]
    assert programs == [PROGRAM + b"one", PROGRAM + b"other"]


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        ("[" * 200_000, "nor a sound image"),
        ('[{"Config": "c", "Layers": []}]', "'c', which it names, is not there"),  # a circle
        ('{"config": []}', "nor a sound image"),
    ],
)
def test_lists_of_another_shape_are_refused(tmp_path: Path, manifest: str, fault: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "c").symlink_to("c")
    (tmp_path / "x" / "manifest.json").write_text(manifest)
    with pytest.raises(Refused, match=fault):
        found(tmp_path / "x", AMD64, tmp_path)


def test_a_fifo_is_no_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused, match="fifo is neither a file nor a folder"):
        image_programs.is_one(tmp_path / "fifo")
