"""The builder image, of stand-ins for its packages and wheels: the same bytes wherever it is made,
and what an engine reads of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.engine.formats.oci_layout import Layout
from muslin.engine.source import File, Source, Tree
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Write
from recipes import builder_image
from tests.e2e.bench import Bench

BUNDLE = Stage(
    name="ca-bundle",
    steps=(Write(path="${out}/etc/ssl/certs/ca-certificates.crt", text="certificate\n"),),
    runs_on="nowhere",
)
MODULES = "usr/lib/python3/dist-packages"


def deb(files: dict[str, str]) -> bytes:
    """A package with these files; a name that ends in a slash is a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name.rstrip('/')}")
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            member.mode, member.size = 0o755, len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    content = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0\n"), ("data.tar.xz", packed.getvalue())):
        content += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        content += data + b"\n" * (len(data) % 2)
    return content


def wheel() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("thing.py"), "import this\n")
    return packed.getvalue()


@dataclass
class Place:
    """A cache with the downloads, and a checkout, below one folder."""

    root: Path

    def put(self, name: str, content: bytes) -> Source:
        """A file that was downloaded before."""
        digest = hashlib.sha256(content).hexdigest()
        folder = self.root / "cache/downloads" / digest
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return Source(name=name, sha256=digest, size=len(content), origins=())

    def tree(self, **files: str) -> Tree:
        """Files of the checkout."""
        listed = []
        for name, text in files.items():
            path = self.root / "checkout" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n", encoding="utf-8")
            digest = hashlib.sha256(f"{text}\n".encode()).hexdigest()
            listed.append(File(path=name.replace("__", "/"), sha256=digest))
        return Tree(root=self.root / "checkout", files=tuple(listed))

    def stage(self, architecture: str) -> Stage:
        """The stage of an image of stand-ins."""
        return builder_image.stage(
            architecture,
            packages=(
                self.put("base.deb", deb({"tmp/": "", "var/": "", "bin/sh": "#!"})),
                self.put("tool.deb", deb({"usr/bin/mawk": "mawk", "etc/rmt": "x"})),
            ),
            wheels=(self.put("thing-1-py3-none-any.whl", wheel()),),
            trees=(
                ("modules", self.tree(muslin__engine="code", recipes__image="code")),
                ("declarations", self.tree(boards__pi="board")),
            ),
            bundle=BUNDLE,
            version="1.2",
            requirements=("thing>=1",),
        )

    def build(self) -> dict[str, Path]:
        """The images by their stages."""
        images = {name: self.stage(name) for name in builder_image.VARIANTS}
        bench = Bench(cache=self.root / "cache")
        return {
            name: entry.tree
            for stage in (*images.values(), builder_image.index(images))
            for name, entry in bench.build(stage).items()
        }


@pytest.fixture(autouse=True)
def mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_same_bytes_from_other_folders_and_umasks(tmp_path: Path) -> None:
    found = []
    for name, umask in (("a", 0o022), ("some-where/else", 0o077), ("b", 0o002)):
        (tmp_path / name).mkdir(parents=True)
        os.umask(umask)
        trees = Place(tmp_path / name).build()
        files = {
            f"{stage}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
            for stage, tree in trees.items()
            for path in tree.iterdir()
        }
        found.append(files)
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {
        *("builder-amd64/image.tar", "builder-amd64/contents.txt"),
        *("builder-arm64/image.tar", "builder-arm64/contents.txt", "builder/image.oci.tar"),
    }


def test_what_an_engine_reads(tmp_path: Path) -> None:
    trees = Place(tmp_path).build()
    with tarfile.open(trees["builder-arm64"] / "image.tar") as image:
        (manifest,) = json.load(opened(image, "manifest.json"))
        config = json.load(opened(image, manifest["Config"]))
        with tarfile.open(fileobj=opened(image, manifest["Layers"][0])) as layer:
            members = {member.name: member for member in layer}
            program = opened(layer, "usr/bin/muslin").read().decode()
            about = opened(layer, f"{MODULES}/muslin-1.2.dist-info/METADATA").read().decode()
    assert manifest["RepoTags"] == ["muslin/builder:arm64"]
    assert (config["architecture"], config["variant"]) == ("arm64", "v8")
    assert config["config"]["Entrypoint"] == ["/usr/bin/muslin"]
    assert config["config"]["WorkingDir"] == "/project"
    assert {"MUSLIN_CACHE=/cache", "MUSLIN_HOST=native"} < {*config["config"]["Env"]}
    for name in ("tmp", "cache", "home/muslin"):
        assert members[name].mode == 0o1777, name
    for name in ("thing.py", "muslin/engine", "muslin/built_in/boards/pi", "recipes/image"):
        assert members[f"{MODULES}/{name}"].isfile(), name
    assert members["usr/lib/ssl/cert.pem"].linkname.endswith("etc/ssl/certs/ca-certificates.crt")
    assert members["usr/bin/awk"].linkname == "mawk"
    assert members["usr/bin/muslin"].mode == 0o755
    assert "Requires-Dist: thing>=1\n" in about
    compile(program, "muslin", "exec")
    listed = (trees["builder-arm64"] / "contents.txt").read_text(encoding="utf-8")
    assert [line.split()[1] for line in listed.splitlines()] == [
        *("base.deb", "tool.deb", "thing-1-py3-none-any.whl"),
    ]


def test_the_joint_image_has_both_and_a_digest(tmp_path: Path) -> None:
    trees = Place(tmp_path).build()
    path = trees["builder"] / "image.oci.tar"
    with tarfile.open(path) as tar:
        (entry,) = json.load(opened(tar, "index.json"))["manifests"]
        index = opened(tar, f"blobs/{entry['digest'].replace(':', '/')}").read()
    assert digest(path) == f"sha256:{hashlib.sha256(index).hexdigest()}"
    manifests = json.loads(index)["manifests"]
    assert [one["platform"]["architecture"] for one in manifests] == ["amd64", "arm64"]
    assert [one["digest"] for one in manifests] == [
        digest(trees[f"builder-{name}"] / "image.tar") for name in builder_image.VARIANTS
    ]


def digest(path: Path) -> str:
    """By which a registry would know it."""
    with path.open("rb") as file:
        return Layout(path, file).top().digest


def opened(tar: tarfile.TarFile, name: str) -> io.BufferedReader:
    file = tar.extractfile(name)
    assert isinstance(file, io.BufferedReader), name
    return file
