"""Boards: what is read, and every way to get one wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.models import board, target

PROJECT = Path(__file__).resolve().parents[3]
TARGETS = target.load(PROJECT / "toolchains")
GOOD = (PROJECT / "boards" / "raspi0.toml").read_text()


def test_the_boards_are_those_of_the_readme() -> None:
    found = board.load(PROJECT / "boards", targets=TARGETS)
    assert {name: one.targets for name, one in found.items()} == {
        "raspi0": ("armv6",),
        "raspi1ap": ("armv6",),
        "raspi2b": ("armv7",),
        "raspi3b": ("aarch64",),
    }


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('targets = ["armv6"]', 'targets = ["armv9"]', "targets: there is no target"),
        ('targets = ["armv6"]', "targets = []", "targets: Tuple should have at least 1 item"),
        ("qemu-system-arm", "qemu-system-mips", "program: Input should be 'qemu-system-arm'"),
        ("kernel = ", "kernels = ", "kernels: there is no such key (did you mean kernel?)"),
        (".dtb", ".dts", "device-tree: "),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    (tmp_path / "demo.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(errors.BadDeclaration) as caught:
        board.load(tmp_path, targets=TARGETS)
    assert any(one.startswith(fault) for one in caught.value.faults), caught.value.faults
