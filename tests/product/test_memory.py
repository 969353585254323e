"""musl's functions that copy, set and compare memory, ours among them: sizes, alignments and
overlaps, right at pages that cannot be touched."""

from __future__ import annotations

from pathlib import Path

from tests.product.conftest import Product, output

CHECK = Path(__file__).with_name("memory.c")


def test_memory_is_copied_and_compared_right(product: Product, tmp_path: Path) -> None:
    program = tmp_path / "check"
    compiler = product.toolchain / "bin" / f"{product.target.triple}-gcc"
    output([compiler, "-O2", "-Wall", "-Werror", "-static-pie", CHECK, "-o", program])
    assert output(product.emulated(program)) == "as it should be\n"
