"""Pushes to the registry that Debian has, read back by skopeo, pulled and run by Docker.

The registry comes from the archive by its pin and is not installed. Most tests push small images
of their own; the last one wants `nox -s build-all` first.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.dist.registry import errors
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.formats import unpack
from muslin.engine.source import ArchiveFile, Source
from tests import opened
from tests.e2e.registry import PASSWORD, SECRETS, USER
from tests.e2e.shelf import Project, machine, native_program
from tests.product.conftest import PROJECT, Product, output

PIN = Source(
    name="docker-registry_2.8.3+ds1-2+b8_amd64.deb",
    sha256="f0577a2581fbf090716d8bd57f14d0b25a25eba6c87c3a8c252ddbf1a6bd0470",
    size=5523248,
    origins=(
        ArchiveFile(
            suite="trixie", package="docker-registry", version="2.8.3+ds1-2+b8", kind="binary"
        ),
    ),
)
HTPASSWD = f"{USER}:$2b$04$pdn1hHDiNAKpadDRxq8cFuwwOEYK7bbUHg6T71a9QX/z6RXtwnRw2\n"
"""The password of the registry in tests/e2e, by bcrypt."""
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}}}
http: {{addr: "127.0.0.1:{port}", secret: of-a-test}}
"""
AUTH = "auth: {{htpasswd: {{realm: a test, path: {folder}/htpasswd}}}}\n"


@dataclass(frozen=True)
class Server:
    """A registry that runs."""

    name: str
    folder: Path


@pytest.fixture(scope="session")
def program(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """docker-registry."""
    if platform.machine() != "x86_64":
        pytest.skip("the pinned docker-registry is for x86-64")
    folder = tmp_path_factory.mktemp("docker-registry")
    try:
        unpack.unpack(pipeline.context.fetcher.fetch(PIN), folder, only=("usr/bin",))
    except (fetch_errors.ArchiveUnreachable, fetch_errors.NoNetwork) as error:
        pytest.skip(f"docker-registry cannot be had: {error}")
    return folder / "usr/bin/docker-registry"


@contextmanager
def running(program: Path, folder: Path, *, guarded: bool) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "htpasswd").write_text(HTPASSWD)
    text = CONFIG + (AUTH if guarded else "")
    (folder / "config.yml").write_text(text.format(folder=folder, port=port))
    with (folder / "log").open("wb") as log:
        command = [str(program), "serve", str(folder / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(600):
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield Server(f"127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def server(program: Path, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with running(program, folder, guarded=False) as made:
        yield made


@pytest.fixture
def guarded(program: Path, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with running(program, folder, guarded=True) as made:
        yield made


@pytest.fixture
def project(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Small images for this machine and for ARMv6; the pipeline has its cache already."""
    assert pipeline.context.store.root.is_dir()
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    made = Project(tmp_path)
    programs = {machine(): native_program(tmp_path), "armv6": b"\x7fELF of a test"}
    made.fill("app", programs)
    return made


def log_in(home: Path, name: str) -> None:
    (home / ".docker").mkdir(parents=True)
    config = {"auths": {name: {"auth": SECRETS[3]}}}
    (home / ".docker/config.json").write_text(json.dumps(config))


def targets() -> list[str]:
    return [machine(), "armv6"]


def test_what_is_pushed_is_served(project: Project, server: Server) -> None:
    with project.images("app", targets=targets()) as (image,):
        (said,) = project.push(f"{server.name}/me/app:1.0", targets=targets())
        assert said == f"{server.name}/me/app@{image.index.descriptor.digest}"
        stored = server.folder / "storage/docker/registry/v2/blobs/sha256"
        digests = {one.parent.name for one in stored.glob("*/*/data")}
        wanted = {image.index.descriptor.digest}
        for _, manifest in image.manifests:
            blobs = (manifest.descriptor, manifest.config, *manifest.layers)
            wanted |= {one.digest for one in blobs}
        assert {f"sha256:{one}" for one in digests} == wanted
        for one in stored.glob("*/*/data"):
            assert hashlib.sha256(one.read_bytes()).hexdigest() == one.parent.name


def test_a_second_push_changes_nothing(project: Project, server: Server) -> None:
    project.push(f"{server.name}/app", targets=targets())
    before = {one: one.stat().st_mtime_ns for one in server.folder.rglob("*")}
    assert project.said().count("uploaded") == 8
    project.push(f"{server.name}/app", targets=targets())
    assert project.said().count("found") == 8
    after = {one: one.stat().st_mtime_ns for one in server.folder.rglob("*")}
    assert {one for one in after if after[one] != before.get(one)} <= {server.folder / "log"}


def test_it_mounts(project: Project, server: Server) -> None:
    project.push(f"{server.name}/old", targets=targets())
    assert project.said().count("uploaded") == 8
    project.push(f"{server.name}/new", mount_from=["old"], targets=targets())
    said = project.said()
    assert said.count("mounted") == 4
    assert said.count("uploaded") == 4  # two manifests, the index and the tag


def test_basic_authorization(project: Project, guarded: Server, tmp_path: Path) -> None:
    with pytest.raises(errors.AccessDenied, match="no credentials for it"):
        project.push(f"{guarded.name}/app", targets=targets())
    log_in(tmp_path / "home", guarded.name)
    project.push(f"{guarded.name}/app", targets=targets())
    log = (guarded.folder / "log").read_text()
    assert not any(secret in log for secret in SECRETS)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_skopeo_reads_it_back(project: Project, guarded: Server, tmp_path: Path) -> None:
    log_in(tmp_path / "home", guarded.name)
    (said,) = project.push(f"{guarded.name}/me/app:1.0", targets=targets())
    common = ["skopeo", "--insecure-policy"]
    credentials = ["--tls-verify=false", f"--creds={USER}:{PASSWORD}"]
    raw = output([*common, "inspect", "--raw", *credentials, f"docker://{said}"])
    assert f"{guarded.name}/me/app@sha256:{hashlib.sha256(raw.encode()).hexdigest()}" == said
    arm = [*common, "--override-arch=arm", "--override-variant=v6"]
    place = f"docker://{guarded.name}/me/app:1.0"
    config = json.loads(output([*arm, "inspect", "--config", *credentials, place]))
    assert (config["architecture"], config["variant"]) == ("arm", "v6")
    assert config["config"]["Entrypoint"] == ["/app"]
    copied = tmp_path / "copied"
    read = ["--src-tls-verify=false", f"--src-creds={USER}:{PASSWORD}"]
    output([*common, "copy", "--all", *read, place, f"dir:{copied}"])
    assert (copied / "manifest.json").read_text() == raw


@pytest.fixture
def docker() -> str:
    found = shutil.which("docker")
    if (
        found is None
        or subprocess.run([found, "info"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no Docker engine answers")
    return found


def test_docker_pulls_and_runs_it(project: Project, server: Server, docker: str) -> None:
    (said,) = project.push(f"{server.name}/me/app:1.0", targets=targets())
    home = os.environ["HOME"]
    try:
        printed = output([docker, "run", "--rm", "--network=none", said], HOME=home)
        assert printed.endswith("it runs\n")
        (pulled,) = json.loads(output([docker, "inspect", said], HOME=home))
        assert pulled["RepoDigests"] == [said]
    finally:
        subprocess.run([docker, "rmi", "--force", said], check=False, capture_output=True)


def test_the_products_image(
    product: Product, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The session itself, on what `build-all` made, whose programs were verified."""
    context = opened.pipeline().context  # from here on it speaks where this test is heard
    opened.session(
        context, "push", [f"{server.name}/me/", product.target.name, "--service", "hello-c"]
    )
    name, _, digest = capsys.readouterr().out.strip().partition("@")
    assert name == f"{server.name}/me/hello-c"
    stored = server.folder / "storage/docker/registry/v2/blobs/sha256"
    index = json.loads((stored / digest[7:9] / digest[7:] / "data").read_text())
    (entry,) = index["manifests"]
    assert entry["platform"]["architecture"] == product.target.image.architecture
    assert (PROJECT / "dist/images/hello-c.oci.tar").is_file()
