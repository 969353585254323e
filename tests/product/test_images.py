"""Images in the hands of the programs that people use: Docker with QEMU's emulators, containerd,
skopeo and umoci. Wants `nox -s build-all` first.

skopeo and umoci come from the host's own archive, unpacked into the test's folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.fetch import errors
from muslin.engine.fetch.archive.located import Located
from muslin.engine.formats import oci, unpack
from muslin.engine.source import ArchiveFile, Source
from muslin.models.target import Image
from tests.product.conftest import PROJECT, Product, output
from tests.product.test_witnesses import INSTRUCTIONS, instruction

BINFMT = Path("/proc/sys/fs/binfmt_misc")
FOREIGN = {"armv6": (40, 32), "armv7": (40, 32), "aarch64": (183, 64)}
"""e_machine and the file's class, of targets that this machine does not run itself."""
SOCKETS = ("/run/containerd/containerd.sock", "/var/run/docker/containerd/containerd.sock")


# --- Docker, with the emulator in the kernel's hands ------------------------------------------


def registration(name: str, target: str, emulator: Path) -> bytes:
    """A line for binfmt_misc: static and position independent programs of the machine. `F` opens
    the emulator at once, so that it is there in a container too."""
    machine, bits = FOREIGN[target]
    head = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9)
    magic = head + b"\x02\x00" + machine.to_bytes(2, "little")
    mask = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff" + b"\xff\xff"
    escaped = ["".join(f"\\x{byte:02x}" for byte in one) for one in (magic, mask)]
    return f":{name}:M::{escaped[0]}:{escaped[1]}:{emulator}:F".encode()


@pytest.fixture
def emulated_containers(product: Product) -> Iterator[str]:
    """Docker runs the target's programs, on the baseline; the options that say so."""
    if product.target.name not in FOREIGN:
        pytest.skip(f"this machine runs {product.target.name} itself: see test_dist.py")
    if shutil.which("docker") is None or not os.access(BINFMT / "register", os.W_OK):
        pytest.skip("there is no Docker, or binfmt_misc cannot be written: that takes root")
    emulator = Path(product.emulated("")[0])
    name = f"muslin-test-{uuid4().hex[:8]}"
    (BINFMT / "register").write_bytes(registration(name, product.target.name, emulator))
    try:
        yield f"QEMU_CPU={product.target.qemu.cpu}"
    finally:
        (BINFMT / name).write_text("-1")


def loaded(path: Path) -> None:
    output(["docker", "load", "--input", path])


def in_container(
    product: Product, cpu: str, reference: str, *options: str
) -> subprocess.CompletedProcess[str]:
    platform = f"linux/{spelled(product.target.image)}"
    return subprocess.run(
        ["docker", "run", "--rm", *options, "--platform", platform, "--env", cpu, reference],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


def test_foreign_images_run_on_the_baseline(product: Product, emulated_containers: str) -> None:
    for service in ("hello-c", "hello-cpp", "hello-sqlite"):
        loaded(PROJECT / "dist" / "images" / f"{service}-{product.target.name}.tar")
        reference = f"muslin/{service}:{product.target.name}"
        done = in_container(product, emulated_containers, reference)
        assert done.returncode == 0, done.stderr
        assert f"{service}: ok" in done.stdout


def test_an_image_that_needs_more_dies_there(
    product: Product, emulated_containers: str, tmp_path: Path
) -> None:
    """Else the processor that was asked for would not be the one that is had."""
    instructions = INSTRUCTIONS[product.target.name]
    name = {"armv6": "movw", "armv7": "NEON arithmetic", "aarch64": "SVE"}[product.target.name]
    made = instruction(instructions[name])(product, tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(made, root / "program")
    reference = f"muslin-test/{uuid4().hex}:x"
    oci.write_image(
        tmp_path / "image.tar",
        root=root,
        reference=reference,
        architecture=product.target.image.architecture,
        variant=product.target.image.variant,
        entrypoint=("/program",),
        user="1:1",
    )
    try:
        loaded(tmp_path / "image.tar")
        # As process 1 of its own namespace it could not die of a signal that it sends itself.
        done = in_container(product, emulated_containers, reference, "--pid=host")
        assert done.returncode == 128 + 4, (done.returncode, done.stdout, done.stderr)  # SIGILL
    finally:
        subprocess.run(["docker", "rmi", reference], check=False, capture_output=True)


# --- programs of the archive ------------------------------------------------------------------


@dataclass(frozen=True)
class Archived:
    """Programs of the host's archive, unpacked and not installed."""

    folder: Path

    def run(self, program: str, *words: str | Path, check: bool = True) -> str:
        places = [self.folder / one for one in ("usr/lib", "lib")]
        libraries = [str(one) for place in places for one in (place, *place.glob("*-linux-gnu"))]
        done = subprocess.run(
            [self.folder / "usr/bin" / program, *words],
            env={"LD_LIBRARY_PATH": ":".join(libraries), "PATH": "/usr/bin:/bin", "HOME": "/none"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if not check else subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0 or not check, f"{words}: {done.stderr}"
        return done.stdout


def source(one: Located) -> Source:
    origin = ArchiveFile(suite="host", package=one.package, version=one.version, kind="binary")
    return Source(name=one.name, sha256=one.sha256, size=one.size, origins=(origin,))


@pytest.fixture(scope="session")
def archived(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """skopeo and umoci."""
    folder = tmp_path_factory.mktemp("archived")
    try:
        packages = pipeline.context.archive.closure("host", ["skopeo", "umoci"])
        for one in packages:
            unpack.unpack(
                pipeline.context.fetcher.fetch(source(one)),
                folder,
                omit=("bin", "etc", "sbin", "usr/sbin", "usr/share", "var"),
            )
    except errors.ArchiveUnreachable as error:
        pytest.skip(f"skopeo and umoci cannot be had: {error}")
    return Archived(folder)


def joint(service: str) -> Path:
    return PROJECT / "dist" / "images" / f"{service}.oci.tar"


def platforms(path: Path) -> list[str]:
    """Those of an image of many, as its index has them."""
    with tarfile.open(path) as tar:

        def read(name: str) -> dict[str, list[dict[str, Any]]]:
            file = tar.extractfile(name)
            assert file is not None
            said: dict[str, list[dict[str, Any]]] = json.load(file)
            return said

        (entry,) = read("index.json")["manifests"]
        index = read(f"blobs/{entry['digest'].replace(':', '/')}")
    return [spelled(Image(**pick(one["platform"]))) for one in index["manifests"]]


def pick(platform: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in platform.items() if key in ("architecture", "variant")}


def spelled(image: Image) -> str:
    return "/".join(filter(None, (image.architecture, image.variant)))


def overridden(image: Image) -> tuple[str, ...]:
    variant = ("--override-variant", image.variant) if image.variant else ()
    return ("--override-os", "linux", "--override-arch", image.architecture, *variant)


def test_skopeo_picks_the_platform_of_an_image_of_many(
    product: Product, archived: Archived, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    common: tuple[str | Path, ...] = ("--policy", policy, *overridden(product.target.image))
    place = f"oci-archive:{joint('hello-c')}"
    config = json.loads(archived.run("skopeo", *common, "inspect", "--config", place))
    assert config["architecture"] == product.target.image.architecture
    assert config.get("variant", "") == product.target.image.variant
    copied = f"oci:{tmp_path / 'copied'}:it"
    archived.run("skopeo", *common, "--tmpdir", tmp_path, "copy", place, copied)
    program = unpacked(archived, tmp_path / "copied", tmp_path / "bundle") / "hello-c"
    assert program.read_bytes() == product.program("hello-c").read_bytes()


def unpacked(archived: Archived, layout: Path, bundle: Path) -> Path:
    """An image's file system, by umoci."""
    archived.run("umoci", "unpack", "--rootless", "--image", f"{layout}:it", bundle)
    return bundle / "rootfs"


def test_umoci_reads_an_image_of_one_platform(
    product: Product, archived: Archived, tmp_path: Path
) -> None:
    layout = tmp_path / "layout"
    unpack.unpack(PROJECT / "dist/images" / f"hello-tls-{product.target.name}.tar", layout)
    index = json.loads((layout / "index.json").read_text())
    # What a tag may be called differs from program to program; umoci takes no colon.
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "it"
    (layout / "index.json").write_text(json.dumps(index))
    root = unpacked(archived, layout, tmp_path / "bundle")
    assert (root / "hello-tls").read_bytes() == product.program("hello-tls").read_bytes()
    assert (root / "tmp").stat().st_mode & 0o1777 == 0o1777


# --- which image a Pi gets --------------------------------------------------------------------

PIS: Sequence[tuple[str, str, str]] = (
    ("Pi 1, Zero, Zero W, Compute Module 1", "arm/v6", "armv6"),
    ("Pi 2", "arm/v7", "armv7"),
    ("Pi 3, 4, 5, Zero 2 W with a 32-bit system", "arm/v7", "armv7"),
    ("the same where the runtime says v8", "arm/v8", "armv7"),
    ("Pi 3, 4, 5, Zero 2 W with a 64-bit system", "arm64", "aarch64"),
    ("the same with the variant said", "arm64/v8", "aarch64"),
    ("a PC", "amd64", "x86_64"),
)
"""The machine, what container runtimes call it, and the target whose image it must get."""


@pytest.fixture(scope="module")
def containerd() -> str:
    sockets = [one for one in SOCKETS if Path(one).is_socket()]
    if shutil.which("ctr") is None or not sockets or os.geteuid() != 0:
        pytest.skip("containerd is not at hand: ctr, its socket, and root")
    return sockets[0]


@pytest.mark.native
@pytest.mark.parametrize(("model", "platform", "wanted"), PIS, ids=[one[0] for one in PIS])
def test_containerd_gives_each_pi_its_own_image(
    product: Product, containerd: str, tmp_path: Path, model: str, platform: str, wanted: str
) -> None:
    """By the rules of the runtime itself: a Zero never gets what is for ARMv7."""
    path = joint("hello-c")
    there = platforms(path)
    image = product.pipeline.context.targets[wanted].image
    if spelled(image) not in there:
        pytest.skip(f"{model}: the image at hand has {', '.join(there)} alone")
    space = f"muslin-{uuid4().hex[:8]}"
    ctr = ("ctr", "--address", containerd, "--namespace", space)
    root = tmp_path / "root"
    root.mkdir()
    name = "docker.io/muslin/hello-c:latest"
    try:
        output([*ctr, "images", "import", "--all-platforms", path])
        output([*ctr, "images", "mount", "--platform", f"linux/{platform}", name, root])
        mounted = (root / "hello-c").read_bytes()
    finally:
        subprocess.run([*ctr, "images", "unmount", "--rm", root], check=False, capture_output=True)
        subprocess.run([*ctr, "images", "rm", "--sync", name], check=False, capture_output=True)
        subprocess.run([*ctr[:3], "namespaces", "rm", space], check=False, capture_output=True)
    # `dist/` may lack a target whose image is in the joint one: it is in the cache.
    catalog, target = product.pipeline.catalog(), product.pipeline.context.targets[wanted]
    its_own = product.tree(catalog.programs.program(catalog.services["hello-c"], target))
    assert mounted == (its_own / "bin" / "hello-c").read_bytes(), model
