"""The run lock: over the pins while it applies, gone when the repository's pin has moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recipes import declaration, errors, source
from recipes.lock import _part, _upstream
from recipes.source import PinSet

PINS = Path(__file__).resolve().parents[2] / "recipes" / "pins"
HOST = "bookworm-amd64"
MOVED = """\
[moved.openssl]
replaces = "{replaces}"
[moved.openssl.pin]
version = "3.5.99"
series = "3.5"
licence = "Apache-2.0"
package = "openssl"
package-version = "3.5.99-1"
kind = "source"
file = "openssl_3.5.99.orig.tar.gz"
size = 1
sha256 = "{digest}"
"""


@pytest.fixture
def run_lock(tmp_path: Path) -> Path:
    return tmp_path / "run-lock.toml"


def test_repository_pins_load_and_agree_with_public_records() -> None:
    """Digests that other public records state for the same upstream tarballs."""
    pins = declaration.read(PINS / "debian.toml", PinSet).pins
    assert pins["musl"].sha256.startswith("a9a118bbe84d8764da0ea0d28b3ab3fa")
    assert pins["mpfr"].sha256.startswith("b67ba0383ef7e8a8563734e2e889ef5e")
    assert pins["mpc"].sha256.startswith("ab642492f5cf882b74aa0cb730cd410a")
    assert all(pin.version.startswith(pin.series.strip("*")) for pin in pins.values())


def test_run_lock_lies_over_the_pins(run_lock: Path) -> None:
    standing = declaration.read(PINS / "debian.toml", PinSet).pins["openssl"].package_version
    run_lock.write_text(MOVED.format(replaces=standing, digest="0" * 64))
    pins = source.load(PINS, run_lock, host=HOST)
    assert pins.pins["openssl"].version == "3.5.99"
    assert any("3.5.99-1" in note for note in pins.notes)


def test_run_lock_ends_when_the_pin_moves(run_lock: Path) -> None:
    run_lock.write_text(MOVED.format(replaces="3.4.0-1", digest="0" * 64))
    pins = source.load(PINS, run_lock, host=HOST)
    assert pins.pins["openssl"].version != "3.5.99"
    assert pins.notes == ()


def test_wrong_pin_names_file_and_key(tmp_path: Path, run_lock: Path) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / "debian.toml"
    path.write_text(path.read_text().replace("size = 1080786", 'size = "big"', 1))
    with pytest.raises(errors.BadDeclaration, match=r"debian\.toml(.|\n)*pins\.musl\.size"):
        source.load(tmp_path / "pins", run_lock, host=HOST)


def test_member_follows_the_version(run_lock: Path) -> None:
    pins = source.load(PINS, run_lock, host=HOST)
    assert pins.member("gcc").endswith(f"gcc-{pins.pins['gcc'].version}-dfsg.tar.xz")
    assert pins.member("musl") == ""


def test_unknown_component(run_lock: Path) -> None:
    with pytest.raises(errors.Unknown, match="Did you mean openssl"):
        source.load(PINS, run_lock, host=HOST).source("opensl")


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("2:6.3.0+dfsg-3", "6.3.0"),
        ("1.2.5-3.1~deb13u1", "1.2.5"),
        ("14.2.0-19", "14.2.0"),
        ("20250419+deb13u1", "20250419"),
    ],
)
def test_upstream_version(version: str, upstream: str) -> None:
    assert _upstream(version) == upstream


def test_part_of_a_source_package() -> None:
    assert _part("musl_1.2.5.orig.tar.gz") == ".orig.tar.gz"
    assert _part("musl_1.2.5-3.debian.tar.xz") == ".debian.tar.xz"
    assert _part("m4_1.4.19-3_amd64.deb") == ".deb"
