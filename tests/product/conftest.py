"""Tests of what the pipeline built: they want `nox -s build-all` first, and say so.

Not part of `nox -s tests`. Run them with `nox -s tests -- tests/product --targets armv6,x86_64`.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.stage import Stage
from muslin.models.target import Target
from recipes.rust import rustc_wrapper
from tests import opened
from tests.product.shop import Shop, lay, package

PROJECT = Path(__file__).resolve().parents[2]
NATIVE = "x86_64"
"""The target of tests marked `native`: once is enough, or no other program can be run as it is."""


@dataclass(frozen=True)
class Product:
    """The built things of one target, where they lie."""

    target: Target
    pipeline: Pipeline
    tree: Callable[[Stage], Path]

    @property
    def toolchain(self) -> Path:
        return self.tree(self.pipeline.catalog().toolchains.toolchain(self.target))

    @property
    def rust(self) -> Path:
        return self.tree(self.pipeline.catalog().tools.rust())

    @property
    def rust_std(self) -> Path:
        return self.tree(self.pipeline.catalog().rust.std(self.target))

    @property
    def openssl(self) -> Path:
        return self.tree(self.pipeline.catalog().libraries.library("openssl", self.target))

    def program(self, service: str) -> Path:
        return PROJECT / "dist" / self.target.name / service

    def emulated(self, *argv: str | Path) -> list[str]:
        """The command line under the emulated baseline processor."""
        qemu = self.tree(self.pipeline.catalog().tools.qemu())
        emulator = qemu / "bin" / f"{self.target.qemu.program}"
        return [str(emulator), "-cpu", self.target.qemu.cpu, *map(str, argv)]

    def compiler(self, folder: Path) -> Path:
        """A `rustc` for the target, as the services get it."""
        path = folder / "rustc"
        text = rustc_wrapper.script(
            self.target,
            rust=str(self.rust),
            std=str(self.rust_std),
            linker=str(self.toolchain / "bin" / f"{self.target.triple}-gcc"),
            remaps={},
            plain="/nowhere",
            variables=(),
        )
        path.write_text(text)
        path.chmod(0o755)
        return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `product` run once for every target asked for."""
    names: Sequence[str] = metafunc.config.getoption("--targets").split(",")
    only = metafunc.definition.get_closest_marker("only")
    if only is not None or metafunc.definition.get_closest_marker("native"):
        name = only.args[0] if only is not None else NATIVE
        reason = f"{name}, which this is about, is not among --targets"
        left_out = pytest.param(name, marks=pytest.mark.skip(reason=reason))
        names = [name] if name in names else [left_out]  # type: ignore[list-item]  # a param
    if metafunc.definition.get_closest_marker("once"):
        names = names[:1]
    if "product" in metafunc.fixturenames:
        metafunc.parametrize("product", names, indirect=True)


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """The checkout's own pipeline, silent."""
    return opened.pipeline()


@pytest.fixture
def product(request: pytest.FixtureRequest, pipeline: Pipeline) -> Product:
    """What was built for one target."""
    keys = pipeline.builder().keys

    def tree(stage: Stage) -> Path:
        entry = pipeline.context.store.find(keys.of(stage))
        if entry is None:
            pytest.fail(f"{stage.name} is not built; run `nox -s build-all` first")
        return entry.tree

    return Product(target=pipeline.context.targets[request.param], pipeline=pipeline, tree=tree)


def output(argv: Sequence[str | Path], cwd: Path | None = None, **env: str) -> str:
    """What a command prints; it must end with 0."""
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout[-4000:]}"
    return done.stdout


@pytest.fixture
def shop(product: Product, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A checkout for projects of somebody else; with `--digests` what it made is written down."""
    made = Shop(tmp_path, product)
    yield made
    record: Path | None = request.config.getoption("--digests")
    if record is not None:
        dist = made.folder / "checkout" / "dist" / made.target
        with record.open("a", encoding="utf-8") as file:
            for path in sorted(dist.rglob("*")):
                if path.is_file() and path.suffix != ".json":
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    file.write(f"{request.node.name} {path.relative_to(dist)} {digest}\n")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry on loopback with one crate; its index."""
    content = {"Cargo.toml": package("corp"), "src/lib.rs": 'pub const WORD: &str = "private";'}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in content.items():
            member = tarfile.TarInfo(f"corp-0.1.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    folder = tmp_path / "registry"
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    address = f"http://127.0.0.1:{server.server_port}"
    row = {"name": "corp", "vers": "0.1.0", "deps": [], "features": {}, "yanked": False}
    row["cksum"] = hashlib.sha256(packed.getvalue()).hexdigest()
    lay(folder, {"config.json": json.dumps({"dl": f"{address}/{{crate}}-{{version}}.crate"})})
    lay(folder, {"co/rp/corp": json.dumps(row)})
    (folder / "corp-0.1.0.crate").write_bytes(packed.getvalue())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"sparse+{address}/"
    server.shutdown()
    server.server_close()
