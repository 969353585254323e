"""A machine that reaches upstream's files: a mirror on loopback, a checkout and a cache of its own.

musl, MPFR and MPC are the releases; tests/standins says what the rest is.
"""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.engine.console import Report
from muslin.engine.source import Source
from muslin.models import declaration
from muslin.models.target import Target
from muslin.sources.upstream import Upstream
from recipes.toolchain.kernel_headers import architecture
from tests import opened, standins
from tests.product.conftest import PROJECT, Product

PYPROJECT = """\
[tool.muslin]
targets = ["x86_64"]
services = []
"""
PATCHES = (
    "CVE-2025-26519-0001_iconv_fix_erroneous_input_validation_in_EUC_KR_decod.patch",
    "CVE-2025-26519-0002_iconv_harden_UTF_8_output_code_path_against_input_de.patch",
    "0001-fix-pathological-slowness-incorrect-mappings-in-icon.patch",
    "0002-qsort-fix-leonardo-heap-corruption-from-bug-in-doubl.patch",
)
"""Debian's names for what recipes/pins/upstream.toml pins as patches of musl, in its order."""
COMMIT = "3635262e4524c991552789af6f36211a335a77b3"


@dataclass
class Elsewhere:
    """A checkout and a cache of its own on a machine that reaches upstream's files."""

    product: Product
    folder: Path
    mirror: Path
    stream: io.StringIO = field(default_factory=io.StringIO)

    def pin(self, component: str, made: standins.StandIn) -> None:
        """Let the checkout's pins be of what was made."""
        pins = self._pins()
        pins["pins"][component] |= made.pin
        self._write(pins)

    def take_musl(self) -> None:
        """Let musl be the one that the product's toolchain has, without patches."""
        toolchain = self.product.toolchain
        self.pin("musl", standins.compiler("musl", "1.2.5", toolchain, self.mirror))
        pins = self._pins()
        del pins["pins"]["musl"]["patches"]
        self._write(pins)

    @property
    def _file(self) -> Path:
        return self.folder / "checkout" / "recipes" / "pins" / "upstream.toml"

    def _pins(self) -> dict[str, Any]:
        pins = declaration.read(self._file, Upstream)
        return pins.model_dump(mode="json", by_alias=True, exclude_none=True)

    def _write(self, pins: dict[str, Any]) -> None:
        self._file.write_text(tomli_w.dumps(pins))

    def downloaded(self, source: Source) -> Path:
        """A file of the user's cache, fetched if it is not there any more."""
        return self.product.pipeline.context.fetcher.fetch(source)

    def serve(self, name: str, source: Source) -> None:
        """A release that the Debian archive has too, by its name upstream."""
        shutil.copy(self.downloaded(source), self.mirror / name)

    def pin_patches(self) -> None:
        """Let musl's patches be those that Debian has for the same faults, in the same order."""
        (archive,) = self.product.pipeline.pins.component("musl").series.files
        pins = self._pins()
        with tarfile.open(self.downloaded(archive)) as tar:
            for patch, name in zip(pins["pins"]["musl"]["patches"], PATCHES, strict=True):
                content = tar.extractfile(f"debian/patches/{name}")
                assert content is not None
                (self.mirror / patch["file"]).write_bytes(content.read())
                patch.update(standins.StandIn(self.mirror / patch["file"]).pin)
        self._write(pins)

    def seed(self, group: str) -> None:
        """The host's own programs are not what this is about: they are there."""
        for one in self.product.pipeline.pins.group(group):
            folder = self.downloaded(one).parent
            shutil.copytree(folder, self.folder / "cache" / "downloads" / one.sha256)

    def told(self) -> str:
        """What the runs told their user since this was asked last."""
        said = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return said

    def toolchain(self, driver: str) -> Path:
        """The toolchain of the product's target, built from nothing."""
        context = Context(self.folder / "checkout", Report(self.stream))
        name = self.product.target.name
        opened.session(context, "toolchain", [name, "--driver", driver])
        pipeline = Pipeline(context, context.select([name], driver=driver))
        stage = pipeline.catalog().toolchains.toolchain(pipeline.context.targets[name])
        entry = pipeline.context.store.find(pipeline.builder().keys.of(stage))
        assert entry is not None
        return entry.tree


def configured(made: Path, target: Target) -> set[str]:
    """The words that a toolchain's GCC was configured with."""
    return set((made / f"lib/gcc/{target.triple}/configured-with").read_text().splitlines())


@contextmanager
def machine(product: Product, folder: Path) -> Iterator[Elsewhere]:
    """The machine in a folder, with its mirror at work."""
    mirror = folder / "mirror"
    mirror.mkdir()
    (folder / "checkout" / "recipes").mkdir(parents=True)
    (folder / "checkout" / "pyproject.toml").write_text(PYPROJECT)
    for name in ("toolchains", "recipes/pins"):
        shutil.copytree(PROJECT / name, folder / "checkout" / name)
    place = Elsewhere(product, folder, mirror)
    _fill(place)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(mirror))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        patch.setenv("MUSLIN_SOURCES", "upstream")
        patch.setenv("MUSLIN_MIRROR", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("MUSLIN_CACHE", str(folder / "cache"))
        yield place
        server.shutdown()
        thread.join()


def _fill(place: Elsewhere) -> None:
    product, pins = place.product, place.product.pipeline.pins
    place.serve("musl-1.2.5.tar.gz", pins.source("musl"))
    place.serve("mpfr-4.2.2.tar.xz", pins.source("mpfr"))
    place.serve("mpc-1.3.1.tar.gz", pins.source("mpc"))
    name, gmp = "gmp-6.3.0.tar.xz", place.downloaded(pins.source("gmp"))
    place.pin("gmp", standins.retopped(gmp, place.mirror / name, "gmp-6.3.0"))
    triple = product.target.triple
    for part, version in (("gcc", "14.2.0"), ("binutils", "2.44")):
        made = standins.compiler(part, version, product.toolchain, place.mirror)
        place.pin(part, made)
    there = architecture(product.target)
    made = standins.headers("4.19.88-2", product.toolchain, triple, there, place.mirror)
    place.pin("linux-headers", made)
    place.pin("musl-cross-make", standins.musl_cross_make(COMMIT, place.mirror))
    place.pin_patches()
    place.seed("qemu")
    place.seed("build-tools")
