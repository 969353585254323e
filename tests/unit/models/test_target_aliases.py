"""Names of others lead to our targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.models import target, target_aliases

TARGETS = target.load(Path(__file__).resolve().parents[3] / "toolchains")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("arm64", ["aarch64"]),
        ("amd64", ["x86_64"]),
        ("x86-64", ["x86_64"]),
        ("ARMV6", ["armv6"]),
        ("armv6hf", []),
        ("linux/arm/v6", ["armv6"]),
        ("arm/v7", ["armv7"]),
        ("arm32v7", ["armv7"]),
        ("linux/arm64/v8", ["aarch64"]),
        ("386", ["i686"]),
        ("i386", ["i686"]),
        ("armhf", ["armv7", "armv6"]),
        ("armel", ["armv5"]),
        ("ppc64el", ["ppc64le"]),
        ("aarch64-unknown-linux-gnu", ["aarch64"]),
        ("aarch64-linux-gnu", ["aarch64"]),
        ("arm-linux-gnueabihf", ["armv6"]),
        ("x86_64-linux-gnu", ["x86_64"]),
        ("pi1", ["armv6"]),
        ("pi4", ["aarch64", "armv7"]),
        ("rpi-5", ["aarch64", "armv7"]),
        ("Raspberry Pi 2", ["armv7"]),
        ("zero", ["armv6"]),
        ("pi-zero-w", ["armv6"]),
        ("Zero 2 W", ["aarch64", "armv7"]),
        ("sparc64", []),
        ("", []),
    ],
)
def test_names_of_others(said: str, meant: list[str]) -> None:
    assert target_aliases.meant(said, TARGETS.values()) == meant
