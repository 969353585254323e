"""The upstream set: what goes wrong on the way to a toolchain, and the builtin driver.

From the set to musl-cross-make's toolchain, where all goes well, is in test_toolchain.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine import errors as engine_errors
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.process import errors as process_errors
from recipes.rust import crates
from tests import standins
from tests.product import elsewhere
from tests.product.conftest import Product
from tests.product.elsewhere import COMMIT, Elsewhere

LIBRARIES = (
    ("gmp", "6.3.0", "gmp.h"),
    ("mpfr", "4.2.2", "mpfr.h mpf2mpfr.h"),
    ("mpc", "1.3.1", "mpc.h"),
)


@pytest.fixture
def there(product: Product, tmp_path: Path) -> Iterator[Elsewhere]:
    with elsewhere.machine(product, tmp_path) as place:
        yield place


@pytest.mark.native
def test_the_builtin_driver_builds_from_this_set_too(there: Elsewhere) -> None:
    for name, version, headers in LIBRARIES:
        there.pin(name, standins.library(name, version, headers, there.mirror))
    there.take_musl()  # with the other set this driver builds the real one all the time
    made, target = there.toolchain("builtin"), there.product.target
    assert {*target.gcc.configure, f"--target={target.triple}"} <= elsewhere.configured(
        made, target
    )
    assert not (there.folder / "cache" / "apt").exists(), "the archive was asked"


@pytest.mark.native
def test_a_version_without_patches_is_refused(there: Elsewhere) -> None:
    made = standins.musl_cross_make(COMMIT, there.mirror, without="gcc-14.2.0")
    there.pin("musl-cross-make", made)
    with pytest.raises(
        process_errors.CommandFailed, match=r"musl-cross-make has no patches/gcc-14\.2\.0"
    ):
        there.toolchain("auto")


@pytest.mark.native
def test_headers_that_musl_cross_make_leaves_out_are_missed(there: Elsewhere) -> None:
    product = there.product
    place = (product.toolchain, product.target.triple, "sh", there.mirror)
    there.pin("linux-headers", standins.headers("4.19.88-2", *place))
    there.take_musl()
    with pytest.raises(engine_errors.CheckFailed, match=r"include/linux/version\.h is missing"):
        there.toolchain("auto")


@pytest.mark.native
def test_a_source_that_the_mirror_lacks(there: Elsewhere) -> None:
    there.take_musl()  # a file that no other server has
    (there.mirror / "musl-1.2.5.tar.gz").write_bytes(b"another file")
    with pytest.raises(
        (fetch_errors.WrongDigest, fetch_errors.NoNetwork), match=r"musl-1\.2\.5\.tar\.gz"
    ):
        there.toolchain("auto")


def test_what_std_depends_on_comes_by_its_own_lock(pipeline: Pipeline) -> None:
    """Where rust-src does not bring it; here it does, and is asked all the same."""
    rust = pipeline.catalog().tools.rust()
    stage = crates.of_std(rust=rust)
    with pipeline.context.store.in_use(), ThreadPoolExecutor(2) as executor:
        entries = pipeline.builder().build([rust, stage], executor)
    lock = entries["rust"].tree / "lib/rustlib/src/rust/library/Cargo.lock"
    locked = tomllib.loads(lock.read_text())["package"]
    wanted = {f"{one['name']}-{one['version']}" for one in locked if "source" in one}
    there = {path.name for path in entries["crates-std"].tree.iterdir()}
    assert wanted
    assert there == wanted
