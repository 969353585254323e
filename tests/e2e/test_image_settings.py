"""Settings of a service's image: in the file that the recipe's stage writes, and in a container."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from muslin.engine import errors
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Copy
from muslin.graph import images
from muslin.models import service, source_trees, target
from recipes import image
from tests.e2e.bench import PROJECT, Bench
from tests.e2e.shelf import machine

TARGETS = target.load(PROJECT / "toolchains")
PLAIN = """\
summary = "s"
build = "make"
binary = "app"
[image]
entrypoint = ["/app"]
"""
PROGRAM = r"""
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char here[200] = "?", key[20] = "";
    struct stat data;
    if (argc > 1 && strcmp(argv[1], "--health") == 0) return access("/data/well", F_OK) != 0;
    if (argc > 1) { creat("/data/well", 0600); sleep(atoi(argv[1])); return 0; }
    if (stat("/data", &data) != 0) return 1;
    int file = open("/etc/app.key", O_RDONLY);
    if (file < 0 || read(file, key, 6) != 6) return 2;
    printf("%d:%d in %s, data %d:%d %o, writes %d, key %s, text %s\n", getuid(), getgid(),
           getcwd(here, sizeof here), data.st_uid, data.st_gid, data.st_mode & 07777,
           creat("/data/x", 0600) >= 0, key, getenv("TEXT"));
    return 0;
}
"""
SETTINGS = """\
user = "1000:1001"
workdir = "/data/work"
volumes = ["/data", "/logs"]
git-labels = true
files = { "/etc/app.key" = "key", "/share" = "share" }
modes = { "/etc/app.key" = "0400", "/share/script" = "750" }
environment = { TEXT = "${out} $${HOME} ${" }
labels = { "org.example.words" = "${work}" }

[image.healthcheck]
arguments = ["--health"]
interval = 0.5
timeout = 2
start-period = 1
retries = 2
"""
BEFORE = "1877234f19d91511da68de7ed635a820758cdaac898d7eaa2fa317e15c65f26c"
"""Of the plain image as Muslin wrote it before there were these settings."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Written:
    """An image that was written."""

    path: Path
    config: dict[str, Any]
    members: dict[str, tarfile.TarInfo]

    @property
    def labels(self) -> dict[str, str]:
        said: dict[str, str] = self.config["Labels"]
        return said


def declared(folder: Path, text: str) -> service.Service:
    place = folder / "project" / "app"
    place.mkdir(parents=True)
    (place / "service.toml").write_text(text)
    (place / "Makefile").touch()
    (place / "key").write_text("secret")
    (place / "share").mkdir()
    (place / "share" / "script").write_text("#!/bin/sh\n")
    git = place.parent / ".git"
    git.mkdir()
    (git / "HEAD").write_text(f"{COMMIT}\n")
    (git / "config").write_text('[remote "origin"]\n\turl = git@example.org:me/app.git\n')
    (one,) = service.load([place]).values()
    return one


def written(bench: Bench, one: service.Service, program: Path) -> Written:
    """Build the recipe's stage, its program made already."""
    tree = source_trees.named(program.parent, [program.name])
    made = Stage(
        name="program",
        trees=(("p", tree),),
        steps=(Copy(source=f"${{tree.p}}/{program.name}", to="${out}/bin/app"),),
        runs_on="target",
    )
    stage = image.stage(
        one,
        TARGETS[machine()],
        program=made,
        bundle=None,
        files=images.files_of(one),
        proofs=(),
        checkout=images.checkout_of(one),
    )
    path = bench.build(stage)[stage.name].tree / "image.tar"
    with tarfile.open(path) as tar, path.open("rb") as file:
        entry = json.load(tar.extractfile("index.json") or file)["manifests"][0]
        manifest = json.load(tar.extractfile(f"blobs/{entry['digest'].replace(':', '/')}") or file)
        config = manifest["config"]["digest"].replace(":", "/")
        layer = manifest["layers"][0]["digest"].replace(":", "/")
        said = json.load(tar.extractfile(f"blobs/{config}") or file)["config"]
        with tarfile.open(fileobj=tar.extractfile(f"blobs/{layer}")) as inner:
            members = {one.name: one for one in inner}
    return Written(path=path, config=said, members=members)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """What need not run."""
    path = tmp_path / "made" / "program"
    path.parent.mkdir()
    path.write_bytes(b"\x7fELF of a test")
    path.chmod(0o755)
    return path


def test_an_image_without_settings_has_the_bytes_it_always_had(
    bench: Bench, tmp_path: Path, fake: Path
) -> None:
    if machine() != "x86_64":
        pytest.skip("the digest is that of the image for x86-64")
    made = written(bench, declared(tmp_path, PLAIN), fake)
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == BEFORE
    assert made.config == {"Entrypoint": ["/app"], "User": "65532:65532"}


def test_settings_are_in_the_image(bench: Bench, tmp_path: Path, fake: Path) -> None:
    made = written(bench, declared(tmp_path, PLAIN + SETTINGS), fake)
    assert made.config == {
        "Entrypoint": ["/app"],
        "User": "1000:1001",
        "WorkingDir": "/data/work",
        "Volumes": {"/data": {}, "/logs": {}},
        "Env": ["TEXT=${out} $${HOME} ${"],
        "Labels": {
            "org.example.words": "${work}",
            "org.opencontainers.image.revision": COMMIT,
            "org.opencontainers.image.source": "https://example.org/me/app",
        },
        "Healthcheck": {
            "Test": ["CMD", "/app", "--health"],
            "Interval": 500_000_000,
            "Timeout": 2_000_000_000,
            "StartPeriod": 1_000_000_000,
            "Retries": 2,
        },
    }
    rows = {name: (one.uid, one.gid, one.mode) for name, one in made.members.items()}
    assert rows == {
        "app": (0, 0, 0o755),
        "data": (1000, 1001, 0o755),
        "data/work": (1000, 1001, 0o755),
        "etc": (0, 0, 0o755),
        "etc/app.key": (1000, 1001, 0o400),
        "etc/group": (0, 0, 0o644),
        "etc/passwd": (0, 0, 0o644),
        "logs": (1000, 1001, 0o755),
        "share": (0, 0, 0o755),
        "share/script": (1000, 1001, 0o750),
        "tmp": (0, 0, 0o1777),
    }


def test_the_same_settings_give_the_same_bytes(tmp_path: Path, fake: Path) -> None:
    digests = set()
    for number in (1, 2):
        bench = Bench(cache=tmp_path / f"cache-{number}")
        made = written(bench, declared(tmp_path / str(number), PLAIN + SETTINGS), fake)
        digests.add(hashlib.sha256(made.path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_declared_labels_come_before_those_of_git(bench: Bench, tmp_path: Path, fake: Path) -> None:
    text = 'git-labels = true\nlabels = { "org.opencontainers.image.revision" = "mine" }\n'
    made = written(bench, declared(tmp_path, PLAIN + text), fake)
    assert made.labels["org.opencontainers.image.revision"] == "mine"
    assert made.labels["org.opencontainers.image.source"] == "https://example.org/me/app"


def test_a_project_in_no_checkout_has_no_labels_of_git(tmp_path: Path) -> None:
    one = declared(tmp_path, PLAIN + "git-labels = true\n")
    (tmp_path / "project" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    with pytest.raises(errors.BadDeclaration, match=r"image\.git-labels: .* with a commit"):
        images.checkout_of(one)


# --- in a container ---------------------------------------------------------------------------


@pytest.fixture
def docker() -> str:
    found = shutil.which("docker")
    if (
        found is None
        or subprocess.run([found, "info"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no Docker engine answers")
    return found


def said_by(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_docker_obeys(bench: Bench, tmp_path: Path, docker: str) -> None:
    source = tmp_path / "made" / "program.c"
    source.parent.mkdir()
    source.write_text(PROGRAM)
    command = ["gcc", "-static", "-O1", "-w", "-o", "program", "program.c"]
    subprocess.run(command, cwd=source.parent, check=True, capture_output=True)
    made = written(bench, declared(tmp_path, PLAIN + SETTINGS), source.parent / "program")
    reference = f"muslin/app:{machine()}"
    name = f"muslin-test-{tmp_path.name.replace('_', '-')}"
    said_by(docker, "load", "--input", str(made.path))
    try:
        options = ("run", "--rm", "--network=none", "--volume", f"{name}:/data")
        said = said_by(docker, *options, reference)
        assert said == (
            "1000:1001 in /data/work, data 1000:1001 755, writes 1, key secret, "
            "text ${out} $${HOME} ${"
        )
        said_by(docker, "run", "--detach", "--name", name, "--network=none", reference, "100")
        template = "{{.State.Health.Status}}"
        states = {said_by(docker, "inspect", "--format", template, name)}
        while "healthy" not in states and states <= {"starting"}:
            states.add(said_by(docker, "inspect", "--format", template, name))
        assert states <= {"starting", "healthy"}
    finally:
        for words in (("rm", "--force", name), ("volume", "rm", name), ("rmi", "-f", reference)):
            subprocess.run([docker, *words], check=False, capture_output=True)
