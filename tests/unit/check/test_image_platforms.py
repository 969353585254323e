"""Which programs of an image are looked at, against a small model of a container runtime: the
spellings of platforms, the choice from an index, and what layers leave to be run."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muslin.audit.finding import Refused
from muslin.check import image_programs, platforms
from muslin.check.budget import Budget

# --- the model, from containerd's platforms -----------------------------------------------------

SPELLINGS: dict[tuple[str, str], str] = {
    ("arm", ""): "arm/v7", ("arm", "5"): "arm/v5", ("arm", "v5"): "arm/v5", ("arm", "6"): "arm/v6",
    ("arm", "V6"): "arm/v6", ("ARM", "v6"): "arm/v6", ("armel", ""): "arm/v6",
    ("armel", "v7"): "arm/v6", ("armhf", ""): "arm/v7", ("armhf", "v6"): "arm/v7",
    ("arm", "7"): "arm/v7", ("arm", "v7"): "arm/v7", ("arm", "8"): "arm/v8",
    ("arm", "v8"): "arm/v8", ("arm64", ""): "arm64", ("arm64", "8"): "arm64",
    ("arm64", "v8"): "arm64", ("aarch64", "V8"): "arm64", ("arm64", "v8.2"): "arm64/v8.2",
    ("arm64", "v9"): "arm64/v9", ("amd64", ""): "amd64", ("amd64", "v1"): "amd64",
    ("x86_64", ""): "amd64", ("x86-64", "v3"): "amd64/v3", ("amd64", "v2"): "amd64/v2",
    ("386", ""): "386", ("i386", "v9"): "386", ("riscv64", ""): "riscv64",
    ("ppc64le", ""): "ppc64le",
}  # fmt: skip
VECTORS = {
    "arm/v5": ["arm/v5"],
    "arm/v6": ["arm/v6", "arm/v5"],
    "arm/v7": ["arm/v7", "arm/v6", "arm/v5"],
    "arm64": ["arm64"],
    "amd64": ["amd64"],
    "386": ["386"],
    "riscv64": ["riscv64"],
    "ppc64le": ["ppc64le"],
}
"""What each of our machines runs, the best first, of its own architecture."""
MACHINES = {name: (*name.split("/"), "")[:2] for name in VECTORS}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings(spelling: tuple[str, str]) -> None:
    assert str(platforms.normalized(*spelling)) == f"linux/{SPELLINGS[spelling]}"
    assert str(platforms.normalized(*spelling, "Linux")) == f"linux/{SPELLINGS[spelling]}"
    assert str(platforms.normalized(*spelling, "windows")) == f"windows/{SPELLINGS[spelling]}"


@pytest.mark.parametrize(
    ("machine", "runs"),
    [
        *((name, vector) for name, vector in VECTORS.items()),
        ("arm/v8", ["arm/v8", "arm/v7", "arm/v6", "arm/v5"]),
        ("amd64/v3", ["amd64/v3", "amd64/v2", "amd64"]),
        ("arm64/v8.2", ["arm64/v8.2", "arm64/v8.1", "arm64"]),
        ("arm64/v9.1", ["arm64/v9.1", "arm64/v9", *(f"arm64/v8.{n}" for n in (6, 5, 4, 3, 2, 1)),
                        "arm64"]),
        ("arm/vx", ["arm/vx"]),
    ],
)  # fmt: skip
def test_what_a_machine_runs(machine: str, runs: list[str]) -> None:
    architecture, _, variant = machine.partition("/")
    found = platforms.runs(platforms.normalized(architecture, variant))
    assert [str(one).removeprefix("linux/") for one in found] == runs


# --- generated images ---------------------------------------------------------------------------

NAMES = ("bin/a", "bin/b", "lib/a", "a", "usr/bin/a")
MEMBERS = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("text"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("out"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("opaque"), st.sampled_from(("", "bin", "lib", "usr")), st.just(0)),
    st.tuples(st.just("link"), st.sampled_from(("bin", "lib", "usr", "a")),
              st.sampled_from((0, 1, 2))),
)  # fmt: skip
LINKS = ("usr/bin", "/lib", "../bin")
Member = tuple[str, str, int]


@dataclass(frozen=True)
class Made:
    """One image: its descriptor's platform, its configuration's, and its layers."""

    descriptor: tuple[str, str] | None
    config: tuple[str, str]
    layers: tuple[tuple[Member, ...], ...]
    number: int = 0


IMAGES = st.builds(
    Made,
    st.none() | st.sampled_from([*SPELLINGS]),
    st.sampled_from([*SPELLINGS]),
    st.lists(st.lists(MEMBERS, max_size=5).map(tuple), min_size=1, max_size=3).map(tuple),
)


def program(image: int, layer: int, content: int) -> bytes:
    return b"\x7fELF %d %d %d" % (image, layer, content)


def tar(image: int, number: int, members: tuple[Member, ...]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for kind, name, value in members:
            content, info = b"", tarfile.TarInfo(name)
            match kind:
                case "file":
                    content = program(image, number, value)
                case "text":
                    content = b"#!/bin/sh"
                case "out":
                    above, _, last = f"/{name}".rpartition("/")
                    info.name = f"{above}/.wh.{last}".lstrip("/")
                case "opaque":
                    info.name = f"{name}/.wh..wh..opq".lstrip("/")
                case _:
                    info.type, info.linkname = tarfile.SYMTYPE, LINKS[value]
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def left_to_run(image: Made) -> set[bytes]:
    """What is there once the layers lie over each other, links not followed."""
    tree: dict[str, bytes] = {}
    for number, layer in enumerate(image.layers):
        own = dict[str, bytes]()
        for kind, name, value in layer:
            if kind == "opaque":
                tree = {one: body for one, body in tree.items() if name and not below(one, name)}
            elif kind in ("out", "link", "text"):
                tree = {one: body for one, body in tree.items() if not below(one, name)}
                if kind != "out":
                    own.pop(name, None)
            else:
                own[name] = program(image.number, number, value)
        tree |= own
    return {*tree.values()}


def below(path: str, name: str) -> bool:
    return f"{path}/".startswith(f"{name}/")


def described(platform: tuple[str, str]) -> dict[str, str]:
    return {"architecture": platform[0], "variant": platform[1], "os": "linux"}


class Layout:
    """A folder that is filled with blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs" / "sha256" / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def json(self, document: object) -> dict[str, Any]:
        return self.blob(json.dumps(document).encode())

    def image(self, image: Made) -> dict[str, Any]:
        media = "application/vnd.oci.image.config.v1+json"
        config = {**self.json({**described(image.config), "n": image.number}), "mediaType": media}
        layers = [self.blob(tar(image.number, at, one)) for at, one in enumerate(image.layers)]
        made = self.json({"config": config, "layers": layers})
        if image.descriptor is not None:
            made["platform"] = described(image.descriptor)
        return made


def chosen(images: list[Made], machine: str) -> Made | None:
    """The first of the best, as containerd takes from an index."""
    for platform in VECTORS[machine]:
        for image in images:
            if SPELLINGS[image.descriptor or image.config] == platform:
                return image
    return None


@settings(max_examples=200, deadline=None)
@given(
    images=st.lists(IMAGES, min_size=1, max_size=4),
    machine=st.sampled_from([*VECTORS]),
    nested=st.booleans(),
    docker=st.booleans(),
)
@example(  # one that states no variant is the last choice, one for ARMv7 is none
    images=[
        Made(None, ("arm", ""), ((("file", "bin/a", 0),),)),
        Made(None, ("armhf", ""), ((("file", "bin/a", 0),),)),
    ],
    machine="arm/v5",
    nested=False,
    docker=False,
)
def test_what_is_run_is_looked_at(
    images: list[Made], machine: str, *, nested: bool, docker: bool
) -> None:
    images = [
        Made(one.descriptor, one.config, one.layers, number) for number, one in enumerate(images)
    ]
    with tempfile.TemporaryDirectory() as aside:
        layout = Layout(Path(aside, "layout"))
        index = {"manifests": [layout.image(one) for one in images]}
        if docker:  # whose list knows nothing but configurations
            images = [Made(None, one.config, one.layers, one.number) for one in images]
            saved = [in_dockers_list(layout.folder, one) for one in index["manifests"]]
            (layout.folder / "manifest.json").write_text(json.dumps(saved))
        else:
            whole = {"manifests": [layout.json(index)]} if nested else index
            (layout.folder / "index.json").write_text(json.dumps(whole))
        run = chosen(images, machine)
        looked_at = programs(layout.folder, machine, Path(aside, "into"))
    # One without a program, which may be run too, refuses them all.
    kinds = [{kind for layer in one.layers for kind, _, _ in layer} for one in images]
    if run is not None and all("file" in some for some in kinds):
        assert looked_at >= left_to_run(run)
    # Nothing but images that may be run: of the best platform, by one account or the other.
    for image in images:
        accounts = {SPELLINGS[one] for one in (image.descriptor, image.config) if one}
        if accounts.isdisjoint(VECTORS[machine]) and ("arm", "") not in (
            image.descriptor, image.config
        ):  # fmt: skip
            every = {
                program(image.number, layer, value)
                for layer, members in enumerate(image.layers)
                for kind, _, value in members
                if kind == "file"
            }
            assert not looked_at & every


def in_dockers_list(folder: Path, descriptor: dict[str, Any]) -> dict[str, object]:
    def place(one: dict[str, Any]) -> str:
        return str(one["digest"]).replace("sha256:", "blobs/sha256/")

    made = json.loads((folder / place(descriptor)).read_text())
    return {"Config": place(made["config"]), "Layers": [place(one) for one in made["layers"]]}


@dataclass(frozen=True)
class Wanted:
    architecture: str
    variant: str


def programs(folder: Path, machine: str, into: Path) -> set[bytes]:
    found = set[bytes]()
    try:
        for _, path in image_programs.programs(folder, Wanted(*MACHINES[machine]), into):
            found.add(path.read_bytes())
    except Refused as fault:
        # Whatever is not refused was looked at; an image without programs has none to run.
        assert "nothing for" in str(fault) or "has no ELF file" in str(fault)  # noqa: PT017
    return found


# --- cases --------------------------------------------------------------------------------------

FILE = (("file", "bin/a", 1),)


@pytest.mark.parametrize("spelling", [("arm", "6"), ("arm", "V6"), ("armel", ""), ("ARM", "v6")])
def test_both_of_an_index_of_good_and_bad(tmp_path: Path, spelling: tuple[str, str]) -> None:
    layout = Layout(tmp_path / "layout")
    made = [layout.image(Made(spelling, ("amd64", ""), (FILE,), number)) for number in (0, 1)]
    (layout.folder / "index.json").write_text(json.dumps({"manifests": made}))
    both = programs(layout.folder, "arm/v6", tmp_path / "into")
    assert both == {program(0, 0, 1), program(1, 0, 1)}


def test_the_platform_of_an_outer_descriptor_counts(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    inner = layout.json({"manifests": [layout.image(Made(None, ("amd64", ""), (FILE,)))]})
    inner["platform"] = described(("arm", "v6"))
    (layout.folder / "index.json").write_text(json.dumps({"manifests": [inner]}))
    assert programs(layout.folder, "arm/v6", tmp_path / "into") == {program(0, 0, 1)}


def test_an_odd_media_type_hides_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layer = layout.blob(tar(0, 0, FILE))
    layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar"
    config = {**layout.json(described(("arm", "v6"))), "mediaType": "application/vnd.acme+json"}
    made = layout.json({"config": config, "layers": [layer]})
    (layout.folder / "index.json").write_text(json.dumps({"manifests": [made]}))
    assert programs(layout.folder, "arm/v6", tmp_path / "into") == {program(0, 0, 1)}


def test_an_attestation_is_no_image(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layer = {**layout.json({"in": "toto"}), "mediaType": "application/vnd.in-toto+json"}
    media = "application/vnd.oci.image.config.v1+json"
    config = {**layout.json(described(("unknown", ""))), "mediaType": media}
    attested = layout.json({"config": config, "layers": [layer]})
    attested["platform"] = {"architecture": "unknown", "os": "unknown"}
    made = layout.image(Made(("arm", "v6"), ("arm", "v6"), (FILE,)))
    (layout.folder / "index.json").write_text(json.dumps({"manifests": [made, attested]}))
    files = image_programs.opened(layout.folder, tmp_path, Budget())
    assert [str(*one.platforms) for one in image_programs.images(files)] == ["linux/arm/v6"]


def test_contradicting_accounts_both_count(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    made = [
        layout.image(Made(("arm", "v6"), ("arm64", ""), (FILE,))),
        layout.image(Made(("arm", "v6"), ("arm", ""), (FILE,), 1)),
    ]
    (layout.folder / "index.json").write_text(json.dumps({"manifests": made}))
    files = image_programs.opened(layout.folder, tmp_path, Budget())
    found = [[*map(str, one.platforms)] for one in image_programs.images(files)]
    assert found == [["linux/arm/v6", "linux/arm64"], ["linux/arm/v6"]]
