"""The builder image as it lies in dist/: it runs, and builds with the keys of a Debian 12. Wants
`nox -s builder` first."""

from __future__ import annotations

import json
import platform
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pytest

from muslin.engine.key import Keys
from muslin.engine.stage import Host, Stage
from muslin.graph.catalog import Catalog
from muslin.models import pins as source
from muslin.models import service, target
from tests.product.conftest import PROJECT

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
ENTER = """\
for name in dev proc; do mount --rbind "/$name" "$0/$name"; done
mount --bind "$1" "$0/project"
exec chroot "$0" /bin/sh -c 'cd /project; exec /usr/bin/muslin "$@"' sh "${@:2}"
"""


class Unpacked:
    """The root of the image for this machine, entered as an engine would."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root, self.project = root, project
        self.environment: dict[str, str] = {}

    def muslin(self, *words: str) -> str:
        """What a session prints; it must end with 0."""
        done = subprocess.run(
            [
                *("unshare", "--user", "--map-root-user", "--mount", "bash", "-euc", ENTER),
                *(str(self.root), str(self.project), *words),
            ],
            env={**self.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + (done.stderr if "--json" not in words else "")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    architecture = ARCHITECTURES[platform.machine()]
    path = PROJECT / f"dist/builder/muslin-builder-{architecture}.tar"
    if not path.exists():
        pytest.skip(f"{path} is not among what `build-all` makes: run `nox -s builder` first")
    folder = tmp_path_factory.mktemp("image")
    with tarfile.open(path) as tar:
        (manifest,) = json.load(opened(tar, "manifest.json"))
        config = json.load(opened(tar, manifest["Config"]))["config"]
        with tarfile.open(fileobj=opened(tar, manifest["Layers"][0])) as layer:
            layer.extractall(folder / "root")  # noqa: S202  # of our own writing
    project = folder / "project"
    project.mkdir()
    lay_out(PROJECT / "services/hello-c", project)
    unpacked = Unpacked(folder / "root", project)
    unpacked.environment = dict(pair.split("=", 1) for pair in config["Env"])
    return unpacked


def lay_out(service_folder: Path, project: Path) -> None:
    """A copy of a sample service as somebody's own project."""
    subprocess.run(["cp", "-r", f"{service_folder}/.", str(project)], check=True)


def opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None, name
    return file


def keys_of(stage: Stage, keys: Keys) -> Mapping[str, str]:
    """The keys of a stage and of all it is made with, by their names."""
    found = {stage.name: keys.of(stage)}
    for _, other in (*stage.needs, *stage.tools, *stage.judges):
        found |= keys_of(other, keys)
    return found


def test_it_says_its_version(image: Unpacked) -> None:
    assert image.muslin("--version").startswith("muslin 0.")


def test_the_machine_inside_lacks_nothing(image: Unpacked) -> None:
    text = image.muslin("doctor")
    rows = dict(line.split()[:2] for line in text.splitlines() if len(line.split()) > 2)
    for program in ("gcc", "g++", "make", "perl", "strip", "sh", "m4", "bison", "flex", "patch"):
        assert rows[program] == "found", text
    assert "glibc 2.36, " in text
    assert "gawk" not in text


def test_its_keys_are_those_of_a_debian_12(image: Unpacked) -> None:
    """Natively, with m4, bison, flex, patch and mawk."""
    machine = platform.machine()
    if machine != "x86_64":
        pytest.skip("on arm64 the archive would be asked: Debian 12 is locked for amd64 alone")
    debian = Host(machine=machine, libc="glibc 2.36")
    targets = target.load(PROJECT / "toolchains")
    (project,) = service.load((image.project,)).values()
    catalog = Catalog(
        host=debian,
        pins=source.load(PROJECT / "recipes/pins", Path("/nonexistent"), host="bookworm-amd64"),
        targets=targets,
        missing_tools=False,
        services={project.name: project},
    )
    expected = keys_of(catalog.images.image(project, targets["armv6"]), Keys(debian))
    found = planned(image)
    assert {"compiler-armv6", "host-libs", "image-project-armv6"} <= set(found)
    joint = {f"image-{project.name}"}  # of the targets of a run
    assert {name: key for name, key in found.items() if name not in joint} == {
        name: expected[name] for name in found if name not in joint
    }


def test_a_machine_with_another_awk_has_other_keys(image: Unpacked) -> None:
    """So the comparison above can fail."""
    before, gawk = planned(image), image.root / "usr/bin/gawk"
    gawk.write_text("#!/bin/sh\n", encoding="utf-8")
    gawk.chmod(0o755)
    try:
        after = planned(image)
    finally:
        gawk.unlink()
    assert after["host-libs"] != before["host-libs"]
    assert after["compiler-armv6"] != before["compiler-armv6"]


def planned(image: Unpacked) -> dict[str, str]:
    """The keys of a plan by their stages."""
    rows = json.loads(image.muslin("plan", "armv6", "--json"))["stages"]
    return {row["name"]: row["key"] for row in rows}
