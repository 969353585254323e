"""Images in the hands of real programs: Docker loads and runs one, skopeo reads the layouts."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from muslin.engine.formats import oci

PROGRAM = r"""
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct stat tmp;
    if (stat("/tmp", &tmp) != 0) return 1;
    FILE *file = fopen("/tmp/written", "w");
    printf("user=%d group=%d tmp=%o written=%d argument=%s\n", getuid(), getgid(),
           tmp.st_mode & 07777, file != NULL, argc > 1 ? argv[1] : "none");
    return 0;
}
"""
ARCHITECTURES = {"x86_64": ("amd64", ""), "aarch64": ("arm64", "v8"), "armv7l": ("arm", "v7")}


def run(*argv: str) -> str:
    result = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=120)
    assert result.returncode == 0, f"{argv}:\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def docker() -> str:
    program = shutil.which("docker")
    if program is None:
        pytest.skip("docker is not installed")
    asked = subprocess.run(
        [program, "version", "--format", "{{.Server.Arch}}"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    if asked.returncode != 0:
        pytest.skip(f"no Docker engine answers: {asked.stderr.strip()}")
    architecture, _ = ARCHITECTURES.get(platform.machine(), ("unknown", ""))
    if asked.stdout.strip() != architecture:
        pytest.skip(f"the Docker engine runs {asked.stdout.strip()}, the compiler {architecture}")
    return program


@pytest.fixture(scope="module")
def skopeo() -> str:
    program = shutil.which("skopeo")
    if program is None:
        pytest.skip("skopeo is not installed")
    return program


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an image holds: one static program and an empty /tmp."""
    compiler = shutil.which("gcc")
    if compiler is None or platform.machine() not in ARCHITECTURES:
        pytest.skip("this machine has no gcc, or is none that images are made for")
    root = tmp_path_factory.mktemp("root")
    (root / "tmp").mkdir()
    source = tmp_path_factory.mktemp("source") / "program.c"
    source.write_text(PROGRAM)
    run(compiler, "-static", "-O2", "-s", "-o", str(root / "program"), str(source))
    return root


def write(path: Path, root: Path, reference: str, architecture: str, variant: str) -> Path:
    oci.write_image(
        path,
        root=root,
        reference=reference,
        architecture=architecture,
        variant=variant,
        entrypoint=("/program",),
        user="65532:65533",
        modes={"tmp": 0o1777},
    )
    return path


@pytest.fixture
def loaded(docker: str, root: Path, tmp_path: Path) -> Iterator[str]:
    """An image that the engine has taken, by its reference; gone after the test."""
    reference = f"muslin-test/program:{uuid4().hex}"
    image = write(tmp_path / "image.tar", root, reference, *ARCHITECTURES[platform.machine()])
    try:
        assert run(docker, "load", "--input", str(image)) == f"Loaded image: {reference}\n"
        yield reference
    finally:
        run(docker, "rmi", "--force", reference)


def test_docker_loads_and_runs_an_image(docker: str, loaded: str) -> None:
    printed = run(docker, "run", "--rm", "--network=none", loaded, "word")
    assert printed == "user=65532 group=65533 tmp=1777 written=1 argument=word\n"


def test_docker_keeps_the_identity_of_an_image(docker: str, loaded: str) -> None:
    (image,) = json.loads(run(docker, "inspect", loaded))
    assert image["Created"] == "1970-01-01T00:00:00Z"
    assert (image["Architecture"], image.get("Variant", "")) == ARCHITECTURES[platform.machine()]
    assert len(image["RootFS"]["Layers"]) == 1


def test_skopeo_reads_an_image_both_ways(skopeo: str, root: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "image.tar", root, "muslin/program:1.0", "arm", "v6")
    for address in (f"oci-archive:{image}:muslin/program:1.0", f"docker-archive:{image}"):
        read = json.loads(run(skopeo, "inspect", "--config", address))
        assert read["config"]["Entrypoint"] == ["/program"]
        assert (read["architecture"], read["variant"]) == ("arm", "v6")


def test_skopeo_picks_a_platform_from_an_index(skopeo: str, root: Path, tmp_path: Path) -> None:
    images = [
        write(tmp_path / f"{architecture}{variant}.tar", root, "a:1", architecture, variant)
        for architecture, variant in (("arm", "v6"), ("arm", "v7"), ("arm64", "v8"), ("amd64", ""))
    ]
    path = tmp_path / "all.tar"
    oci.write_index(path, reference="muslin/program:1.0", images=images)
    picked = []
    for architecture, variant in (("arm", "v6"), ("arm", "v7"), ("amd64", "")):
        options = [f"--override-arch={architecture}", f"--override-variant={variant}"]
        read = json.loads(run(skopeo, *options, "inspect", "--config", f"oci-archive:{path}"))
        picked.append((read["architecture"], read.get("variant", "")))
    assert picked == [("arm", "v6"), ("arm", "v7"), ("amd64", "")]


def test_skopeo_copies_every_blob_of_an_index(skopeo: str, root: Path, tmp_path: Path) -> None:
    images = [write(tmp_path / f"{v}.tar", root, "a:1", "arm", v) for v in ("v6", "v7")]
    path = tmp_path / "all.tar"
    oci.write_index(path, reference="muslin/program:1.0", images=images)
    copy = tmp_path / "copy"
    run(skopeo, "--insecure-policy", "copy", "--all", f"oci-archive:{path}", f"dir:{copy}")
    copied = json.loads((copy / "manifest.json").read_text())
    assert [entry["platform"]["variant"] for entry in copied["manifests"]] == ["v6", "v7"]
