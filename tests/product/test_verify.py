"""Verification as a step of the pipeline: what is refused gets no image. Wants `nox -s build-all`
first."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from muslin.cli import errors as cli_errors
from muslin.cli.context import Context
from muslin.cli.run_report import problems
from muslin.cli.run_report.problems import Project
from muslin.engine.console import Report
from muslin.engine.formats import oci
from muslin.engine.process import errors as process_errors
from tests import opened
from tests.product.conftest import PROJECT, Product
from tests.product.shop import Shop, lay
from tests.product.test_witnesses import INSTRUCTIONS, gcc, instruction

BEYOND = {
    "armv6": ('".inst 0xf57ff05b"', "ARMv7"),  # dmb ish
    "armv7": ('".fpu neon\\n vadd.i32 q0, q0, q0\\n .fpu vfpv3-d16"', "NEON"),
    "aarch64": ('".inst 0x04a00000"', "SVE"),
    "x86_64": ('"vzeroupper"', "AVX or later"),
}
"""An instruction that the target's baseline lacks, and what it is said to need."""
PROGRAM = """\
#include <stdio.h>
__attribute__((noinline)) void quick(void) {{ __asm__ volatile ({instruction}); }}
int main(int argc, char **argv)
{{
    (void)argv;
    if (argc > 5) quick();
    puts("fine");
}}
"""
MAKEFILE = """\
all: demo
demo: demo.c
\t$(CC) $(CFLAGS) -s -Wl,-s -o $@ $<
\tstrip demo
install:
\tinstall -D -s --strip-program=strip demo $(DESTDIR)$(PREFIX)/bin/demo
"""
ALLOWED = """\
[[allowed]]
baselines = ["{baseline}"]
symbols = ["quick"]
needs = ["{needs}"]
reason = "main() looks at argc"
"""


@pytest.fixture
def shop(product: Product, tmp_path: Path) -> Shop:
    return Shop(tmp_path, product)


def report(folder: Path, product: Product, subject: str) -> dict[str, Any]:
    path = folder / "dist" / "reports" / product.target.name / f"{subject}.json"
    table: dict[str, Any] = json.loads(path.read_text())
    return table


def test_every_program_and_part_has_a_report(product: Product) -> None:
    for each in product.pipeline.selection.services.values():
        said = report(PROJECT, product, each.name)
        assert (said["fits"], said["baseline"]) == (True, product.target.baseline)
        assert said["files"][0]["code_bytes"] > 10_000
        assert len(said["ran"]) == len((*each.run, *each.serve)) > 0
    for part in ("toolchain", "openssl", "zlib", "sqlite3", "rust-std"):
        said = report(PROJECT, product, part)
        assert said["fits"]
        assert sum(one["code_bytes"] for one in said["files"]) > 10_000
    assert "evp_test" in report(PROJECT, product, "openssl")["ran"][0]
    looked_at = {one["file"] for one in report(PROJECT, product, "toolchain")["files"]}
    wanted = {"libc.a", "libgcc.a", "libgcc_eh.a", "libatomic.a", "libstdc++.a", "rcrt1.o"}
    assert wanted <= looked_at


def test_what_does_not_fit_gets_no_image_though_it_runs(shop: Shop) -> None:
    target = shop.product.target
    instruction, needs = BEYOND[target.name]
    lay(
        shop.folder / "demo",
        {"demo.c": PROGRAM.format(instruction=instruction), "Makefile": MAKEFILE},
    )
    said_no = f"(?s)refused: demo: quick at .*needs {needs}"
    with pytest.raises(process_errors.SaidNo, match=said_no) as caught:
        shop.build("demo", build="make", expect="fine")
    found = problems.of(
        caught.value, Project(root=shop.folder, services={"demo": shop.folder / "demo"})
    )
    (code,) = [one for one in found if one.finding is not None]
    assert code.finding is not None
    assert (code.finding.symbol, code.finding.what) == ("quick", needs)
    assert (code.path, code.program) == ("demo/service.toml", f"demo-{target.name}")
    assert not list((shop.folder / "checkout").glob("dist/**/demo*"))

    allowed = ALLOWED.format(baseline=target.baseline, needs=needs)
    shop.build("demo", build="make", expect="fine", tail=allowed)
    said = report(shop.folder / "checkout", shop.product, "demo")
    assert [one["reason"] for one in said["files"][0]["allowed"] if one["symbol"] == "quick"] == [
        "main() looks at argc"
    ]


@pytest.mark.once
def test_a_makefile_that_strips_hides_nothing(shop: Shop) -> None:
    lay(shop.folder / "demo", {"demo.c": PROGRAM.format(instruction='""'), "Makefile": MAKEFILE})
    program = shop.build("demo", build="make", expect="fine")
    said = report(shop.folder / "checkout", shop.product, "demo")
    assert said["files"][0]["code_bytes"] > 1000
    assert b".symtab" not in program.read_bytes(), "it is stripped in the end"


def looked_at(product: Product, path: Path) -> str:
    stream = io.StringIO()
    context = Context(PROJECT, Report(stream))
    opened.session(context, "verify", (product.target.name, "--file", str(path)), Path("/"))
    return stream.getvalue()


def test_what_the_pipeline_shipped_is_known_by_its_digest(product: Product) -> None:
    name = product.target.name
    for path in (
        PROJECT / "dist" / name / "hello-tls",
        PROJECT / "dist" / "images" / f"hello-tls-{name}.tar",
        PROJECT / "dist" / "images" / "hello-tls.oci.tar",
    ):
        said = looked_at(product, path)
        report = f"dist/reports/{name}/hello-tls.txt"
        assert said == f"hello-tls: verified before it was stripped, {report}\n"


def test_another_programs_digest_is_not_known(product: Product, tmp_path: Path) -> None:
    changed = tmp_path / "hello-tls"
    content = bytearray((PROJECT / "dist" / product.target.name / "hello-tls").read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    with pytest.raises((cli_errors.DoesNotFit, cli_errors.NotAudited)):
        looked_at(product, changed)


def test_an_image_of_somebody_elses_is_looked_into(product: Product, tmp_path: Path) -> None:
    image = product.target.image
    root = tmp_path / "root"
    root.mkdir()

    def packed(made: Path) -> Path:
        (root / "program").write_bytes(made.read_bytes())
        oci.write_image(
            tmp_path / "image.tar",
            root=root,
            reference="somebody/program:1",
            architecture=image.architecture,
            variant=image.variant,
            entrypoint=("/program",),
            user="1:1",
        )
        return tmp_path / "image.tar"

    said = looked_at(product, packed(gcc(product, tmp_path, "-static")))
    assert "program: 1 ELF file(s), " in said
    instructions = INSTRUCTIONS[product.target.name]
    beyond = instruction(next(iter(instructions.values())))(product, tmp_path)
    with pytest.raises(cli_errors.DoesNotFit, match=r"image\.tar does not fit .*: 1 finding"):
        looked_at(product, packed(beyond))
