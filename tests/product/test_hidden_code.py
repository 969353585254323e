"""Programs that hide an instruction from who believes what they say of sections and sizes.

Each runs under QEMU: on the target's processor it dies, on a newer one it ends with 42.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from muslin.audit import arm, audit
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from tests.hidden import A64_HEAD, A64_WAYS, ARM_HEAD, ARM_WAYS, THUMB_WAYS, X86_HEAD, X86_WAYS
from tests.product.conftest import Product, output

DIED = (-4, 128 + 4, -11, 128 + 11)
"""SIGILL; and SIGSEGV, where ARMv6 takes the first half of a Thumb-2 instruction for another."""


def hidden(product: Product, folder: Path, text: str) -> Path:
    """A linked program; what `ld` says of segments that can be written and run is what is meant."""
    tools = product.toolchain / "bin" / f"{product.target.triple}-"
    (folder / "x.s").write_text(text)
    output([f"{tools}as", folder / "x.s", "-o", folder / "x.o"])
    options = ("-static", "-no-pie", "-z", "noseparate-code")
    output([f"{tools}ld", *options, folder / "x.o", "-o", folder / "x"])
    return folder / "x"


def ended(product: Product, path: Path, processor: str) -> int:
    """How a program ends on a processor."""
    (emulator, *_) = product.emulated()
    argv = [emulator, "-cpu", processor, str(path)]
    return subprocess.run(argv, check=False, capture_output=True, timeout=60).returncode


def is_refused(product: Product, folder: Path, text: str, *, newer: str) -> None:
    path = hidden(product, folder, text)
    assert ended(product, path, newer) == 42
    assert ended(product, path, product.target.qemu.cpu) in DIED
    baseline = BASELINES[product.target.baseline]
    try:
        findings = audit.of(path, path.name, baseline).findings
    except Refused:  # it starts in no section of code
        return
    assert any(one.section for one in findings), findings


@pytest.mark.only("armv6")
@pytest.mark.parametrize("way", ARM_WAYS)
def test_what_arm_code_leads_to(product: Product, tmp_path: Path, way: str) -> None:
    is_refused(product, tmp_path, ARM_HEAD + ARM_WAYS[way], newer="cortex-a7")


@pytest.mark.only("armv6")
@pytest.mark.parametrize("way", THUMB_WAYS)
def test_what_thumb_code_leads_to(product: Product, tmp_path: Path, way: str) -> None:
    is_refused(product, tmp_path, ARM_HEAD + THUMB_WAYS[way], newer="cortex-a7")


@pytest.mark.only("aarch64")
@pytest.mark.parametrize("way", A64_WAYS)
def test_what_aarch64_code_leads_to(product: Product, tmp_path: Path, way: str) -> None:
    is_refused(product, tmp_path, A64_HEAD + A64_WAYS[way], newer="max")


@pytest.mark.only("x86_64")
@pytest.mark.parametrize("way", X86_WAYS)
def test_what_x86_code_leads_to(product: Product, tmp_path: Path, way: str) -> None:
    is_refused(product, tmp_path, X86_HEAD + X86_WAYS[way], newer="max")


@pytest.mark.only("armv6")
def test_what_a_page_has_behind_a_segment(product: Product, tmp_path: Path) -> None:
    """It is mapped with the page, is in no section, and can be run."""
    path = hidden(product, tmp_path, ARM_HEAD + "_start: b _start + 0x800\n")
    whole = path.read_bytes()
    at = whole.index((0xEA0001FE).to_bytes(4, "little")) + 0x800
    assert len(whole) < at < 0x1000
    words = (0xF2000840, 0xE3A0002A, 0xE3A07001, 0xEF000000)
    path.write_bytes(whole.ljust(at, b"\0") + b"".join(one.to_bytes(4, "little") for one in words))
    assert ended(product, path, "cortex-a7") == 42
    assert ended(product, path, product.target.qemu.cpu) in DIED
    (finding,) = audit.of(path, path.name, BASELINES[product.target.baseline]).findings
    assert (finding.what, finding.section) == (arm.NEON, "no section")
