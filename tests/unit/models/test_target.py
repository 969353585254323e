"""Targets: the real ones load, each answers to its names, and faults are told all at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.models import errors as model_errors
from muslin.models import target

PROJECT = Path(__file__).resolve().parents[3]
BAD = PROJECT / "tests" / "data" / "bad"
TARGETS = target.load(PROJECT / "toolchains")

FAULTS = {
    "unknown-key": (
        "rust.cpus: there is no such key",
        "colour: there is no such key",
    ),
    "missing-key": ("qemu.cpu: it is missing",),
    "wrong-type": (
        "boards: Input should be a valid string",
        "kernel: Input should be a valid string",
        "gcc.configure: it should be a list, not",
    ),
    "wrong-form": (
        "boards: String should have at least 1 character",
        "triple: String should match pattern",
        "machine: String should match pattern",
        "gcc.configure.0: String should match pattern",
        "rust.features.0: String should match pattern",
        "qemu.program: String should match pattern",
    ),
    "two-faults": ("openssl.target: it is missing", "colour: there is no such key"),
    "name-given": ("name: is not said here, the file's place says it",),
    "not-toml": ("not TOML: Invalid value",),
}


def test_the_real_targets_load() -> None:
    assert set(TARGETS) >= {"x86_64", "aarch64", "armv7", "armv6"}
    for name, one in TARGETS.items():
        assert one.name == name
        assert one.gcc.configure


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_answers_to_each_of_its_names(name: str) -> None:
    one = TARGETS[name]
    for said in (name, one.triple, one.rust.triple):
        assert target.choose(TARGETS, (said,)) == (one,)
    assert one.environment_name == one.rust.triple.upper().replace("-", "_")


def test_targets_are_chosen_once_in_the_order_named() -> None:
    armv6 = TARGETS["armv6"]
    wanted = ("x86_64", "armv6", armv6.triple, armv6.rust.triple, "x86_64")
    assert target.choose(TARGETS, wanted) == (TARGETS["x86_64"], armv6)
    assert target.choose(TARGETS, ()) == ()


def test_an_unknown_target_lists_all_and_the_nearest() -> None:
    with pytest.raises(model_errors.Unknown) as caught:
        target.choose(TARGETS, ("x86_64", "arm6"))
    message = str(caught.value)
    assert "there is no target 'arm6'. Did you mean armv6?" in message
    for one in TARGETS.values():
        for name in one.names:
            assert name in message


def test_nothing_near_is_not_guessed() -> None:
    with pytest.raises(model_errors.Unknown) as caught:
        target.choose(TARGETS, ("qqqqqq",))
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_told_with_file_and_key(tmp_path: Path, fault: str) -> None:
    path = shutil.copy(BAD / f"{fault}.toml", tmp_path / "armv9.toml")
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        target.load(tmp_path)
    said = caught.value.faults
    assert len(said) == len(FAULTS[fault]), said
    assert sorted(said) == sorted(
        next(one for one in said if one.startswith(words)) for words in FAULTS[fault]
    )
    message = str(caught.value)
    assert message.startswith(f"{path}: {len(said)} fault(s), nothing was built:\n  ")
    assert all(f"\n  {one}" in message for one in said)


def test_a_name_of_two_targets_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(PROJECT / "toolchains" / "armv6.toml", tmp_path / f"{name}.toml")
    with pytest.raises(
        engine_errors.BadDeclaration, match=r"two\.toml.*\n.* is one\.toml's already"
    ):
        target.load(tmp_path)


def test_two_targets_may_share_the_triple_of_rust(tmp_path: Path) -> None:
    text = (PROJECT / "toolchains" / "armv6.toml").read_text()
    (tmp_path / "armv6.toml").write_text(text)
    other = text.replace('triple = "arm-linux-musleabihf"', 'triple = "armv6-linux-musleabihf"')
    (tmp_path / "mine.toml").write_text(other)
    targets = target.load(tmp_path)
    (mine,) = target.choose(targets, ("mine",))
    assert target.choose(targets, ("armv6-linux-musleabihf", "mine")) == (mine,)
    with pytest.raises(model_errors.SharedTriple, match=r"of armv6 and of mine; say which by name"):
        target.choose(targets, ("arm-unknown-linux-musleabihf",))


def test_a_file_name_that_is_no_target_name_is_refused(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "toolchains" / "armv6.toml", tmp_path / "ARM v6.toml")
    with pytest.raises(engine_errors.BadDeclaration, match="name: String should match pattern"):
        target.load(tmp_path)


def test_a_target_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TARGETS["armv6"].boards = "others"


def test_a_machine_that_nobody_knows_is_told_what_is_near(tmp_path: Path) -> None:
    text = (PROJECT / "toolchains" / "armv6.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("EM_ARM", "EM_MIPS64"))
    with pytest.raises(
        engine_errors.BadDeclaration, match=r"machine: .* no machine EM_MIPS64; .*EM_MIPS"
    ):
        target.load(tmp_path)


@pytest.mark.parametrize(
    ("lender", "fault"),
    [
        ("armv7000", r"gcc\.shared-with: .*armv7000"),
        ("two", r"gcc\.shared-with: .*two"),
        ("x86_64", r"gcc\.shared-with: x86_64 is another machine, EM_X86_64"),
        ("armv7", r"gcc\.shared-with: armv7 has its compiler of armv6; name that"),
    ],
)
def test_a_compiler_of_nobody_s_is_refused(tmp_path: Path, lender: str, fault: str) -> None:
    for name in ("armv6", "armv7", "x86_64"):
        shutil.copy(PROJECT / "toolchains" / f"{name}.toml", tmp_path)
    text = (PROJECT / "toolchains" / "armv6.toml").read_text()
    text = text.replace("arm-linux-musleabihf", "two-linux-musleabihf", 1)
    two = tmp_path / "two.toml"
    two.write_text(text.replace("rust = {", f'gcc.shared-with = "{lender}"\nrust = {{', 1))
    with pytest.raises(engine_errors.BadDeclaration, match=fault):
        target.load(tmp_path)
    two.write_text(two.read_text().replace(f'"{lender}"', '"armv6"'))
    assert target.load(tmp_path)["two"].gcc.shared_with == "armv6"


@pytest.mark.parametrize("whose", ["armv6", "armv7"])
def test_a_compiler_that_differs_in_more_than_defaults_is_not_shared(
    tmp_path: Path, whose: str
) -> None:
    shutil.copy(PROJECT / "toolchains" / "armv6.toml", tmp_path)
    text = (PROJECT / "toolchains" / "armv7.toml").read_text()
    if "shared-with" not in text:
        text = text.replace("rust = {", 'gcc.shared-with = "armv6"\nrust = {', 1)
    armv7 = tmp_path / "armv7.toml"
    armv7.write_text(text)
    assert target.load(tmp_path)["armv7"].gcc.shared_with == "armv6"
    other = tmp_path / f"{whose}.toml"
    other.write_text(other.read_text().replace('"--with-', '"--enable-host-pie", "--with-', 1))
    with pytest.raises(
        engine_errors.BadDeclaration, match=r"more than defaults: --enable-host-pie$"
    ):
        target.load(tmp_path)
