"""The pins of the builder image: they fit each other, and what Muslin requires."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from muslin import installation
from muslin.engine.source import Url
from muslin.models import declaration
from muslin.models import pins as source
from muslin.models.pin_files import (
    BUILDER,
    BUILDER_WHEELS,
    HOST_ROOT,
    FixedGroups,
    WheelLock,
)
from muslin.models.pins import Pins
from muslin.sources.relock_wheels import MACHINES
from recipes import builder_image

PINS = Path(__file__).resolve().parents[3] / "recipes" / "pins"
WHEELS = declaration.read(PINS / BUILDER_WHEELS, WheelLock)
architectures = pytest.mark.parametrize("architecture", builder_image.VARIANTS)


@pytest.fixture(scope="module")
def pins() -> Pins:
    return source.load(PINS, Path("/nonexistent"), host="bookworm-amd64")


@architectures
def test_no_package_is_there_twice(pins: Pins, architecture: str) -> None:
    names = [
        package.name
        for prefix in (HOST_ROOT, BUILDER)
        for package in pins.groups[f"{prefix}-{architecture}"].packages
    ]
    assert len(names) == len(set(names))
    assert {"libc6", "mawk", "python3", f"python{WHEELS.python}-minimal"} <= set(names)


@architectures
def test_the_host_root_is_presumed(architecture: str) -> None:
    """What stands in two files is the same in both."""
    asked = {
        prefix: declaration.read(PINS / f"{prefix}.toml", FixedGroups).groups[
            f"{prefix}-{architecture}"
        ]
        for prefix in (HOST_ROOT, BUILDER)
    }
    of_root = tuple(word.partition("/")[0] for word in asked[HOST_ROOT].ask)
    assert asked[BUILDER].presumed == of_root
    assert asked[BUILDER].suite == asked[HOST_ROOT].suite


@architectures
def test_a_mirror_comes_before_pip(pins: Pins, architecture: str) -> None:
    mirror = "https://mirror.example/"
    for mirrored, wheel in zip(
        pins.wheels_for(architecture, mirror=mirror), pins.wheels_for(architecture), strict=True
    ):
        assert mirrored.origins == (Url(address=mirror + wheel.name), *wheel.origins)


@architectures
def test_every_requirement_is_met(architecture: str) -> None:
    versions = {
        canonicalize_name(wheel.name): wheel.version for wheel in WHEELS.platforms[architecture]
    }
    environment: dict[str, str | Set[str]] = {
        "python_version": WHEELS.python,
        "python_full_version": f"{WHEELS.python}.2",
        "platform_machine": MACHINES[architecture],
    }
    for text in installation.requirements():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier, text


@architectures
def test_every_wheel_is_for_the_images_python_and_machine(architecture: str) -> None:
    minor = WHEELS.python.replace(".", "")
    for wheel in WHEELS.platforms[architecture]:
        python, abi, platform = wheel.file.removesuffix(".whl").split("-")[-3:]
        assert abi in ("none", "abi3", f"cp{minor}"), wheel.file
        assert "py3" in python or python == f"cp{minor}" or abi == "abi3", wheel.file
        assert platform == "any" or platform.endswith(f"_{MACHINES[architecture]}"), wheel.file


def test_both_platforms_have_the_same_versions() -> None:
    first, second = (
        {wheel.name: wheel.version for wheel in WHEELS.platforms[name]}
        for name in builder_image.VARIANTS
    )
    assert first == second
