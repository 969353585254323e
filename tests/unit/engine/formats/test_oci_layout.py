"""Layouts read where they lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.formats import oci
from muslin.engine.formats.oci_layout import Layout

PROGRAM = b"\x7fELF and more"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    images = []
    for architecture, variant in (("amd64", ""), ("arm", "v6")):
        root = tmp_path / architecture
        (root / "bin").mkdir(parents=True)
        (root / "bin" / "program").write_bytes(PROGRAM + architecture.encode())
        (root / "text").write_text("not a program: \x7fELF")
        images.append(tmp_path / f"{architecture}.tar")
        oci.write_image(
            images[-1],
            root=root,
            reference="a:1",
            architecture=architecture,
            variant=variant,
            entrypoint=("/bin/program",),
            user="1:1",
        )
    made = tmp_path / "joint.tar"
    oci.write_index(made, reference="a:1", images=images)
    return made


def test_an_index_and_its_images(path: Path) -> None:
    with path.open("rb") as file:
        layout = Layout(path, file)
        index = layout.index()
        assert [one.platform for one in index.manifests] == [("amd64", ""), ("arm", "v6")]
        manifest = layout.manifest(index.manifests[1])
        (layer,) = manifest.layers
        for blob in (manifest.config, layer):
            content = b"".join(layout.blob(blob))
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == blob.digest
            assert len(content) == len(layout.blob(blob)) == blob.size
        expected = hashlib.sha256(PROGRAM + b"arm").hexdigest()
        assert [*layout.programs(layer)] == [("/bin/program", expected)]


def test_a_part_of_an_index(path: Path) -> None:
    with path.open("rb") as file:
        index = Layout(path, file).index()
    first, second = index.manifests
    assert index.only(frozenset({first.digest, second.digest})) is index
    part = index.only(frozenset({second.digest}))
    assert part.manifests == (second,)
    assert part.descriptor.size == len(part.content) < len(index.content)
    assert hashlib.sha256(part.content).hexdigest() == part.descriptor.digest.partition(":")[2]
    assert first.digest.encode() not in part.content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"manifests"', b'"manifestz"'),
        (b'"size":', b'"sise":'),
        (b'"digest":"sha256', b'"digest":"sha255'),
        (b'"schemaVersion":2', b'"schemaVersion":3'),  # of a blob, whose digest it had
        (b"blobs/sha256/", b"blobs/sha255/"),
        (b"ustar", b"Ustar"),
    ],
)
def test_what_is_no_layout(path: Path, before: bytes, after: bytes) -> None:
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    with pytest.raises(errors.BrokenArchive, match=r"joint\.tar"):
        read(path)


def read(path: Path) -> None:
    """Read everything."""
    with path.open("rb") as file:
        layout = Layout(path, file)
        for one in layout.index().manifests:
            for layer in layout.manifest(one).layers:
                list(layout.programs(layer))
