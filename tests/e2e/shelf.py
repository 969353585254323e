"""A project whose `dist/` has images of small programs, as a run leaves it."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from muslin.cli.context import Context
from muslin.dist import artifacts, publish
from muslin.dist.registry import push, reference
from muslin.dist.registry.retries import Limits
from muslin.dist.verified_images import Shelf, VerifiedImage
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Entry
from muslin.engine.console import Report
from muslin.engine.formats import oci
from tests import opened

PROGRAM = r"""
#include <stdio.h>
int main(void) { puts("it runs"); return 0; }
"""
RECORD = Record(name="", document={}, wall_seconds=0, cpu_seconds=0, built_with={})
QUICK = Limits(tries=3, pause=0.001, connect=60, silence=60)
"""For a registry whose faults are over at once, on a machine that may be busy."""


def native_program(folder: Path) -> bytes:
    """A static program for this machine, by its own compiler."""
    if shutil.which("gcc") is None:
        pytest.skip("this machine has no gcc")
    (folder / "program.c").write_text(PROGRAM)
    command = ["gcc", "-static", "-s", "-O1", "-o", "program", "program.c"]
    subprocess.run(command, cwd=folder, check=True)
    return (folder / "program").read_bytes()


class Project:
    """A project with a cache of its own."""

    def __init__(self, folder: Path, services: Sequence[str] = ("app",)) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        (self.folder / "muslin.toml").write_text(
            'targets = ["x86_64", "armv6"]\nservices = ["*"]\n'
        )
        for name in services:
            (self.folder / name).mkdir()
            (self.folder / name / "Makefile").touch()
            (self.folder / name / "service.toml").write_text(
                f'summary = "s"\nbuild = "make"\nbinary = "{name}"\n'
                f'image.entrypoint = ["/{name}"]\n'
            )
        self.stream = io.StringIO()
        self.context = Context(self.folder, Report(self.stream))
        self._stages = 0

    @property
    def dist(self) -> Path:
        return self.context.settings.dist

    def fill(self, service: str, programs: Mapping[str, bytes], *, fits: bool = True) -> None:
        """Bring programs, images and reports of a service to `dist/`, by target."""
        aside = self.folder.parent / f"aside-{self._stages}"
        entries, images = dict[str, Entry](), []
        for name, program in programs.items():
            target = self.context.targets[name]
            root = aside / f"root-{name}"
            root.mkdir(parents=True)
            (root / service).write_bytes(program)
            (root / service).chmod(0o755)
            (root / "text").write_text("shared by all platforms")
            image = aside / f"{name}.tar"
            oci.write_image(
                image,
                root=root,
                reference=f"muslin/{service}:{name}",
                architecture=target.image.architecture,
                variant=target.image.variant,
                entrypoint=(f"/{service}",),
                user="65532:65532",
            )
            images.append(image)
            files = {service: program, "image.tar": image.read_bytes()}
            entries[f"image-{service}-{name}"] = self._entry(files)
            said = {"fits": fits, "shipped": hashlib.sha256(program).hexdigest()}
            report = {"report.json": json.dumps(said).encode(), "report.txt": b"it fits\n"}
            entries[f"verify-{service}-{name}"] = self._entry(report)
        joint = aside / "joint.tar"
        oci.write_index(joint, reference=f"muslin/{service}:latest", images=images)
        entries[f"image-{service}"] = self._entry({"image.oci.tar": joint.read_bytes()})
        everything = [*artifacts.every(programs, [service], ())]
        publish.publish(
            self.dist,
            [one for one in everything if one.stage in entries],
            entries,
            store=self.context.store,
            source_set="debian",
            possible=[
                one.destination for one in artifacts.every(programs, self.context.declared, ())
            ],
        )

    def _entry(self, files: Mapping[str, bytes]) -> Entry:
        self._stages += 1
        out = self.context.store.work / "out"
        out.mkdir(parents=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
        return self.context.store.commit(f"{self._stages:064x}", out, RECORD)

    # --- pushes ---

    def said(self) -> str:
        """What was said since it was asked for last, but for the session's words."""
        text = self.stream.getvalue()
        self.stream.truncate(0)
        return text

    @contextmanager
    def images(self, *names: str, targets: Sequence[str] = ()) -> Iterator[list[VerifiedImage]]:
        """The images of services that may leave `dist/`."""
        context = self.context
        shelf = Shelf(self.dist, context.store, context.report.note)
        chosen = context.targets_of(targets)
        with ExitStack() as files:
            yield [files.enter_context(shelf.opened(name, chosen)) for name in names]

    def push(
        self,
        destination: str,
        *names: str,
        targets: Sequence[str] = (),
        mount_from: Sequence[str] = (),
        limits: Limits = QUICK,
    ) -> list[str]:
        """Push services as the session does, in less time."""
        with (
            self.images(*(names or ("app",)), targets=targets) as images,
            push.opened(
                reference.parse(destination),
                runner=self.context.runner,
                report=self.context.report,
                mount_from=mount_from,
                limits=limits,
            ) as pushing,
        ):
            return pushing.images(images)

    def session(self, *words: str) -> None:
        """Run the session."""
        opened.session(Context(self.folder, Report()), "push", words, self.folder)


def machine() -> str:
    """The target that this machine runs itself; skips where there is none."""
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("this machine runs none of the targets")
    return platform.machine()
