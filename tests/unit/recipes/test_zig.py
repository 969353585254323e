"""The driver `zig`: what clang is told, and that its stages stand beside those of the others."""

from __future__ import annotations

import dataclasses

import pytest

from muslin import installation
from muslin.engine.key import Keys
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import Image, Write
from muslin.graph.catalog import Catalog
from muslin.models import errors, target
from muslin.models.pins import Pins
from muslin.models.pins import load as load_pins
from muslin.models.service import load as load_services
from recipes import image
from recipes.toolchain import zig_texts

HOST = Host(machine="x86_64", libc="glibc 2.36")
TARGETS = target.load(installation.ROOT / "toolchains")
DEFAULTS = ("armv6", "armv7", "aarch64", "x86_64")


@pytest.fixture(scope="module")
def pins() -> Pins:
    folder = installation.ROOT / "recipes" / "pins"
    return load_pins(folder, folder / "absent.toml", host="bookworm-amd64")


def catalog(pins: Pins, *, machine: str = "x86_64") -> Catalog:
    return Catalog(
        host=dataclasses.replace(HOST, machine=machine),
        pins=pins,
        targets=TARGETS,
        missing_tools=False,
        services=load_services([installation.ROOT / "services" / "hello-c"]),
        driver="zig",
        mirror="https://mirror.example/",
    )


def test_clang_is_told_what_gcc_is_configured_with() -> None:
    assert zig_texts.processor(TARGETS["armv6"]) == (
        *("-march=armv6", "-marm", "-mfpu=vfp", "-mfloat-abi=hard"),
    )
    assert "-mthumb" in zig_texts.processor(TARGETS["armv7"])
    assert zig_texts.processor(TARGETS["aarch64"]) == ("-march=armv8-a", "-mno-outline-atomics")


@pytest.mark.parametrize("name", DEFAULTS)
def test_nothing_is_left_to_a_guess_of_the_processor(pins: Pins, name: str) -> None:
    (build_obj,) = [
        argv
        for argv in (getattr(step, "argv", ()) for step in stage(pins, name).steps)
        if "build-obj" in argv
    ]
    zig = TARGETS[name].zig
    assert zig is not None
    assert f"-mcpu={zig.cpu}" in build_obj
    assert zig.target in build_obj
    (written,) = [
        step.text
        for step in stage(pins, name).steps
        if isinstance(step, Write) and step.path.endswith("clang.cfg")
    ]
    assert all(f"{word}\n" in written for word in zig_texts.processor(TARGETS[name]))
    assert "native" not in written + " ".join(build_obj)


def stage(pins: Pins, name: str) -> Stage:
    return catalog(pins).toolchains.zig(TARGETS[name])


def test_zig_writes_into_the_stage_alone(pins: Pins) -> None:
    places = dict(stage(pins, "armv6").env)
    assert places["ZIG_GLOBAL_CACHE_DIR"].startswith("${work}/")
    assert places["ZIG_LOCAL_CACHE_DIR"].startswith("${work}/")


@pytest.mark.parametrize("name", DEFAULTS)
def test_both_drivers_lie_in_one_cache(pins: Pins, name: str) -> None:
    mine, keys = catalog(pins), Keys(HOST)
    other = dataclasses.replace(mine, driver="builtin")
    (service,) = mine.services.values()
    one = TARGETS[name]
    made = [
        (
            each.toolchains.toolchain(one),
            each.programs.program(service, one),
            each.images.image(service, one),
        )
        for each in (mine, other)
    ]
    assert all(keys.of(left) != keys.of(right) for left, right in zip(*made, strict=True))
    headers = [keys.of(each.toolchains.headers(one)) for each in (mine, other)]
    assert headers[0] == headers[1]


def labels(made: Stage) -> dict[str, str]:
    (step,) = [step for step in made.steps if isinstance(step, Image)]
    return dict(step.labels)


def test_reports_manifests_and_labels_say_it(pins: Pins) -> None:
    mine = catalog(pins)
    (service,) = mine.services.values()
    of_gcc = dataclasses.replace(mine, driver="builtin")
    names = [component.name for component in mine.verifications.components(service)]
    assert names == ["zig", "musl"]
    assert [one.name for one in of_gcc.verifications.components(service)] == ["gcc", "musl"]
    assert labels(mine.images.image(service, TARGETS["armv6"]))[image.DRIVER_LABEL] == "zig"
    assert image.DRIVER_LABEL not in labels(of_gcc.images.image(service, TARGETS["armv6"]))


def test_a_target_that_zig_does_not_know(pins: Pins) -> None:
    with pytest.raises(errors.NoZig, match="armv5"):
        catalog(pins).toolchains.toolchain(TARGETS["armv5"])


def test_a_machine_without_a_wheel(pins: Pins) -> None:
    assert catalog(pins, machine="aarch64").tools.zig().sources
    with pytest.raises(errors.NoWheel, match=r"driver builtin \(`--driver`\)"):
        catalog(pins, machine="riscv64").tools.zig()


def test_a_mirror_comes_before_pip(pins: Pins) -> None:
    ((_, source),) = catalog(pins).tools.zig().sources
    assert [type(origin).__name__ for origin in source.origins] == ["Url", "IndexFile"]
