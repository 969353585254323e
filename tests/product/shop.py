"""A checkout with services beside it: projects of somebody else, built as their owners would."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from muslin.cli.context import Context
from muslin.engine.console import Report
from tests import opened

if TYPE_CHECKING:  # which has a fixture for what is here
    from tests.product.conftest import Product

PROJECT = Path(__file__).resolve().parents[2]

SERVICE = """\
summary = "a project of somebody else"
build = "{build}"
binary = "{binary}"
{more}
[image]
entrypoint = ["/{binary}"]
[[run]]
arguments = {arguments}
expect = "{expect}"
"""


def lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Shop:
    """A checkout whose services lie beside it; the cache is the user's own."""

    def __init__(self, folder: Path, product: Product) -> None:
        self.folder, self.product = folder, product
        lay(folder / "checkout", {"pyproject.toml": PYPROJECT})
        for name in ("toolchains", "recipes/pins"):
            shutil.copytree(PROJECT / name, folder / "checkout" / name)

    def build(  # keywords only
        self,
        name: str,
        *,
        build: str,
        expect: str,
        binary: str = "",
        more: str = "",
        arguments: str = "[]",
        tail: str = "",
    ) -> Path:
        """Declare the project of this name and build it; the program, which has run and said
        what was expected of it."""
        text = SERVICE.format(
            build=build, binary=binary or name, more=more, arguments=arguments, expect=expect
        )
        lay(self.folder / name, {"service.toml": text + tail})
        self.run(name)
        return self.folder / "checkout" / "dist" / self.product.target.name / name

    @property
    def target(self) -> str:
        return self.product.target.name

    def run(self, name: str) -> None:
        stream = io.StringIO()
        context = Context(self.folder / "checkout", Report(stream))
        opened.session(context, "package", [self.product.target.name, "--service", name])

    def cargo(self, name: str, *words: str) -> None:
        """The user's own cargo, with the user's own configuration."""
        cargo = self.product.rust / "bin" / "cargo"
        argv = [str(cargo), *words]
        env = {**os.environ, "RUSTC": str(self.product.rust / "bin" / "rustc")}
        subprocess.run(argv, cwd=self.folder / name, check=True, capture_output=True, env=env)


PYPROJECT = '[tool.muslin]\ntargets = ["x86_64"]\nservices = ["../*"]\n'
MANIFEST = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{more}'


def package(name: str, more: str = "") -> str:
    return MANIFEST.format(name=name, more=more)
