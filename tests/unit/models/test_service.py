"""Services: the real ones load, faults are told all at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muslin.audit import allowed, baseline
from muslin.engine import errors
from muslin.models import cache_folder, service, settings

PROJECT = Path(__file__).resolve().parents[3]
BAD = PROJECT / "tests" / "data" / "bad"

GOOD = """\
summary = "a program"
build = "make"
binary = "program"
[image]
entrypoint = ["/program"]
"""


def folder(tmp_path: Path, text: str = GOOD, name: str = "my-service") -> Path:
    (tmp_path / name).mkdir()
    (tmp_path / name / "service.toml").write_text(text)
    (tmp_path / name / "Makefile").touch()
    return tmp_path / name


def test_the_real_services_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path))
    folders = settings.load(PROJECT).services
    services = service.load(folders)
    assert set(services) >= {"hello-c", "hello-http", "hello-tls"}
    assert services["hello-tls"].needs == ("openssl",)
    for name, one in services.items():
        assert one.folder.name == name
        assert one.run or one.serve, "every sample proves itself"


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    services = service.load((folder(tmp_path),))
    one = services["my-service"]
    assert (one.needs, one.run, one.serve, one.image.port) == ((), (), (), None)
    assert not one.image.ca_bundle


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("service-unknown-key", ("image.ports: there is no such key",)),
        (
            "service-two-faults",
            (
                "build: Input should be 'cargo', 'make' or 'cmake'",
                "image.entrypoint: Tuple should have at least 1 item",
                "serve.0.path: String should match pattern",
            ),
        ),
        ("not-toml", ("not TOML: Invalid value",)),
    ],
)
def test_every_fault_is_told_with_file_and_key(
    tmp_path: Path, fault: str, words: tuple[str, ...]
) -> None:
    place = folder(tmp_path)
    path = place / "service.toml"
    shutil.copy(BAD / f"{fault}.toml", path)
    with pytest.raises(errors.BadDeclaration) as caught:
        service.load((place,))
    said = caught.value.faults
    assert len(said) == len(words), said
    assert all(any(one.startswith(word) for one in said) for word in words), said
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("port", ["0", "65536", "true", '"80"', "80.0", "2026-01-01"])
def test_a_port_is_a_port(tmp_path: Path, port: str) -> None:
    with pytest.raises(errors.BadDeclaration, match=r"image\.port: "):
        service.load((folder(tmp_path, f"{GOOD}port = {port}\n"),))


@pytest.mark.parametrize("name", ["My-Service", "a b", "-a", "a--b", "a_"])
def test_a_folder_name_that_no_image_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.BadDeclaration, match=rf"its folder is called '{name}'"):
        service.load((folder(tmp_path, name=name),))


def test_two_services_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = []
    for parent in ("one", "two"):
        (tmp_path / parent).mkdir()
        folders.append(folder(tmp_path / parent))
    with pytest.raises(errors.BadDeclaration, match=r"two/my-service/service\.toml(.|\n)*already"):
        service.load(tuple(folders))


@pytest.mark.parametrize(
    "path",
    ["hello", "", "/", "/a/", "//a", "/../a", "/a/./b", "/tmp/a", "/etc/passwd", "/a b"],  # noqa: S108  # nothing is written there
)
def test_an_entry_point_is_a_path_of_the_programs_own(tmp_path: Path, path: str) -> None:
    declared = GOOD.replace('["/program"]', f'["{path}"]')
    assert declared != GOOD
    with pytest.raises(errors.BadDeclaration, match=r"image\.entrypoint: .*the program's path"):
        service.load((folder(tmp_path, declared),))


def test_an_entry_point_may_lie_deep_and_have_arguments(tmp_path: Path) -> None:
    declared = GOOD.replace('["/program"]', '["/usr/bin/my-service", "--all", "relative"]')
    (one,) = service.load((folder(tmp_path, declared),)).values()
    assert one.image.entrypoint == ("/usr/bin/my-service", "--all", "relative")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("sumary = 'x'", r"sumary: there is no such key \(did you mean summary\?\)"),
        ("[run]\nexpect = 'x'", r"run: write \[\[run\]\], since there may be several"),
        ("[[run]]\narguments = []", r"run\.0\.expect: it is missing"),
    ],
)
def test_a_slip_is_told_in_plain_words(tmp_path: Path, wrong: str, words: str) -> None:
    declared = f"{wrong}\n{GOOD}" if wrong[0] != "[" else f"{GOOD}{wrong}\n"
    with pytest.raises(errors.BadDeclaration, match=words):
        service.load((folder(tmp_path, declared),))


def test_the_project_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/Makefile").touch()
    place = folder(tmp_path, f'source = "../project"\n{GOOD}')
    (one,) = service.load((place,)).values()
    assert one.root == tmp_path / "project"


def test_a_project_that_is_not_there_is_named(tmp_path: Path) -> None:
    place = folder(tmp_path, f'source = "../gone"\n{GOOD}')
    with pytest.raises(errors.BadDeclaration, match=r"source: there is no folder .*/gone"):
        service.load((place,))


def test_a_table_of_another_build_is_refused(tmp_path: Path) -> None:
    place = folder(tmp_path, f"{GOOD}[cargo]\nprofile = 'small'\n")
    with pytest.raises(
        errors.BadDeclaration, match=r'\[cargo\] is of no use where build is "make"'
    ):
        service.load((place,))


def test_a_cargo_manifest_can_say_it_all(tmp_path: Path) -> None:
    place = tmp_path / "my-app"
    place.mkdir()
    (place / "Cargo.toml").write_text(
        '[package]\nname = "app"\ndescription = "does it"\n'
        '[package.metadata.muslin]\nneeds = ["zlib"]\ncargo.features = ["a"]\n'
        'image.entrypoint = ["/app"]\n[features]\na = []\n'
    )
    (one,) = service.load((place,)).values()
    assert (one.name, one.binary, one.summary, one.build) == ("my-app", "app", "does it", "cargo")
    assert (one.needs, one.cargo.features) == (("zlib",), ("a",))
    assert one.declared == place / "Cargo.toml"


def test_faults_in_a_cargo_manifest_name_it(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "app"\n[package.metadata.muslin]\nneed = ["zlib"]\n'
    )
    with pytest.raises(errors.BadDeclaration, match=r"Cargo\.toml(.|\n)*did you mean needs"):
        service.load((tmp_path,))


@pytest.mark.parametrize(
    ("key", "value", "near"),
    [
        ("baselines", "armv6-vfp", "armv6-vfpv2"),
        ("needs", "ARMv6T3", "ARMv6T2"),
    ],
)
def test_what_no_report_says_cannot_be_allowed(key: str, value: str, near: str) -> None:
    said = {
        "baselines": ["armv6-vfpv2"],
        "symbols": ["f"],
        "needs": ["ARMv7"],
        "claims": ["Tag_CPU_arch is v7"],
        "reason": "f asks",
    }
    assert service.Allowed.model_validate(said).claims == ("Tag_CPU_arch is v7",)
    with pytest.raises(ValueError, match=f"no report says '{value}'; near it are .*'{near}'"):
        service.Allowed.model_validate({**said, key: [value]})


def test_the_words_of_the_pipelines_own_list_are_known() -> None:
    for entry in allowed.load():
        assert set(entry.needs) <= baseline.words(), entry
        assert set(entry.baselines) <= set(baseline.BASELINES), entry
        # A claim is a whole program's: it must show that the code is in it. musl is in all.
        assert not entry.claims or entry.probes or entry.file == "libc.a", entry


@pytest.mark.parametrize("name", ["CC", "PATH", "CARGO_HOME", "RUSTFLAGS", "CC_x", "OPENSSL_DIR"])
def test_variables_of_ours_are_not_the_projects(tmp_path: Path, name: str) -> None:
    text = (
        'summary = "x"\nbuild = "make"\nbinary = "x"\n'
        f'environment = {{ {name} = "1" }}\nimage.entrypoint = ["/x"]\n'
    )
    (tmp_path / "x").mkdir()
    (tmp_path / "x/service.toml").write_text(text)
    with pytest.raises(errors.BadDeclaration, match=f"{name}: set by Muslin for every build"):
        service.load((tmp_path / "x",))
