"""Debian packages in tests: of services laid out here, with a program of the host's gcc."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from muslin.dist.publish import Listed
from muslin.engine.filesystem.content import file_digest
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Run
from muslin.graph import images
from muslin.models import declaration, package_defaults, service, target
from muslin.models import pins as source
from muslin.models.licences import Licences
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.debian import package
from recipes.debian.package import Contents
from tests.e2e.bench import Bench

PROJECT = Path(__file__).resolve().parents[1]
TARGETS = target.load(PROJECT / "toolchains")
LICENCES = declaration.read(PROJECT / "recipes" / "licences.toml", Licences)
SERVICE = """\
summary = "{summary}"
build = "make"
binary = "demo"
image.entrypoint = ["/demo"]
image.port = {port}
{more}
"""
PROGRAM = """\
#include <stdio.h>
int main(void) { puts("demo: ok"); return 0; }
"""


def declared(folder: Path, name: str = "demo", more: str = "", *, port: int = 8080) -> Service:
    """A service with some files, of which nothing is built."""
    root = folder / name
    (root / "conf").mkdir(parents=True, exist_ok=True)
    (root / "Makefile").touch()
    (root / "conf" / "demo.toml").write_text("level = 1\n")
    (root / "page.html").write_text("<p>demo\n")
    text = SERVICE.format(
        summary="A service of a test, with an article, a full stop, and longer than a line is.",
        port=port,
        more=more,
    )
    (root / "service.toml").write_text(text)
    return service.load((root,))[name]


def program(folder: Path, binary: str = "demo") -> Stage:
    """A stage with a static program for this machine in `bin/`."""
    source_file, built = folder / "program.c", folder / "program"
    if not built.exists():
        source_file.write_text(PROGRAM)
        options = ("-static-pie", "-O2", "-s")
        subprocess.run(["gcc", *options, "-o", built, source_file], check=True)
    copy = f"mkdir ${{out}}/bin && cp {built} ${{out}}/bin/{binary}"
    return Stage(name="program", steps=(Run(argv=("sh", "-c", copy)),), runs_on="target")


def stage(one: Service, on: Target, made: Stage, folder: Path) -> Stage:
    """The package's stage, as the catalogue makes it but for the program and its proofs."""
    pins = source.load(
        PROJECT / "recipes" / "pins", folder / "run-lock.toml", host="bookworm-amd64"
    )
    packaging = package_defaults.resolved(one)
    contents = Contents(
        packaging=packaging,
        program=made,
        files=images.own_files(one, packaging.files.values(), "package.files"),
        components=tuple(map(pins.component, ("gcc", "musl", *one.needs))),
        licences=LICENCES,
    )
    return package.stage(one, on, contents, proofs=())


def built(folder: Path, one: Service, on: str = "x86_64", *, cache: str = "cache") -> Path:
    """The package of a service, built by the engine."""
    made = stage(one, TARGETS[on], program(folder, one.binary), folder)
    entries = Bench(cache=folder / cache).build(made)
    return entries[made.name].tree / package.FILE


def listed(dist: Path, packages: Mapping[str, tuple[Path, str]]) -> list[Listed]:
    """Packages put into a `dist/`, as its manifest lists them: by their names, with a target."""
    rows = []
    for name, (path, on) in packages.items():
        to = dist / "packages" / f"{name}.deb"
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())
        rows.append(
            Listed(
                path=str(to.relative_to(dist)),
                sha256=file_digest(to),
                bytes=to.stat().st_size,
                target=on,
                stage_key="0" * 64,
                source_set="debian",
            )
        )
    return rows
