"""What is inferred of a cargo package that declares nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.models import cargo_program, linked_libraries, service, service_places

PACKAGE = '[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'
LOCK = "version = 4\n"


def package(root: Path, more: str = "", *programs: str, name: str = "tool", lock: str = "") -> Path:
    """A package with these files of programs."""
    for program in programs or ("src/main.rs",):
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        (root / program).write_text("fn main() {}\n")
    (root / "Cargo.toml").write_text(PACKAGE.format(name=name) + more)
    (root / "Cargo.lock").write_text(LOCK + lock)
    return root


def locked(name: str, *dependencies: str) -> str:
    """A package in a lock."""
    return f'[[package]]\nname = "{name}"\nversion = "1.0.0"\ndependencies = {[*dependencies]}\n'


def only(root: Path) -> service.Service:
    """The one service of a project."""
    (found,) = service.load(service_places.inferred(root)).values()
    return found


def test_a_plain_package(tmp_path: Path) -> None:
    found = only(package(tmp_path / "MyFolder", name="My_Tool"))
    assert (found.name, found.binary, found.build) == ("my-tool", "My_Tool", "cargo")
    assert found.image.entrypoint == ("/My_Tool",)
    assert found.needs == ()
    assert found.run == ()


def test_libraries_are_known_by_the_lock(tmp_path: Path) -> None:
    lock = (
        locked("tool", "native-tls", "libz-sys", "rusqlite")
        + locked("native-tls", "openssl-sys")
        + locked("rusqlite", "libsqlite3-sys 1.0.0", "serde")
        + "".join(locked(name) for name in ("openssl-sys", "libz-sys", "serde", "libsqlite3-sys"))
    )
    depends = '[dependencies]\ntls = { package = "native-tls", version = "1" }\nlibz-sys = "1"\n'
    found = only(package(tmp_path, f'{depends}rusqlite = "1"\n', lock=lock))
    assert found.needs == ("openssl", "sqlite3", "zlib")
    assert found.image.ca_bundle, "who speaks TLS asks whom to trust"


NOT_LINKED = """
[features]
default = ["on"]
on = ["dep:bzip2-sys", "zstd-sys?/legacy"]
off = ["curl-sys"]
[dependencies]
bzip2-sys = { version = "1", optional = true }
zstd-sys = { version = "1", optional = true }
curl-sys = { version = "1", optional = true }
[build-dependencies]
pq-sys = "1"
[dev-dependencies]
openssl-sys = "1"
[target.'cfg(unix)'.dependencies]
libz-sys = "1"
"""


def test_what_only_tests_build_scripts_and_other_features_link(tmp_path: Path) -> None:
    names = ("bzip2-sys", "zstd-sys", "curl-sys", "pq-sys", "openssl-sys", "libz-sys")
    lock = locked("tool", *names) + "".join(map(locked, names))
    assert only(package(tmp_path, NOT_LINKED, lock=lock)).needs == ("bzip2", "zlib")


def test_every_library_that_is_inferred_has_a_recipe() -> None:
    recipes = Path(__file__).resolve().parents[3] / "recipes/libraries"
    assert all((recipes / f"{name}.py").exists() for name in linked_libraries.LINKED.values())


def test_who_parses_with_clap_answers_help(tmp_path: Path) -> None:
    (run,) = only(package(tmp_path, '[dependencies]\nclap = "4"\n')).run
    assert (run.arguments, run.expect) == (("--help",), "Usage")


@pytest.mark.parametrize(
    ("more", "programs", "binary"),
    [
        ("", ("src/bin/other.rs",), "other"),
        ("", ("src/bin/other/main.rs",), "other"),
        ('[[bin]]\nname = "third"\npath = "src/main.rs"\n', ("src/main.rs",), "third"),
        ('[[bin]]\nname = "third"\npath = "src/bin/other.rs"\n', ("src/bin/other.rs",), "third"),
        ("autobins = false\n", ("src/main.rs", "src/bin/other.rs"), None),
    ],
)
def test_the_program(
    tmp_path: Path, more: str, programs: tuple[str, ...], binary: str | None
) -> None:
    root = package(tmp_path, more, *programs)
    if binary is None:
        assert list(service_places.inferred(root)) == []
    else:
        assert only(root).binary == binary


def test_each_of_several_programs_is_a_service(tmp_path: Path) -> None:
    root = package(tmp_path, 'default-run = "b"\n', "src/main.rs", "src/bin/B_two.rs")
    found = service.load(service_places.inferred(root))
    assert {name: one.binary for name, one in found.items()} == {"tool": "tool", "b-two": "B_two"}
    assert found["b-two"].image.entrypoint == ("/B_two",)


def test_two_programs_with_one_name_for_an_image(tmp_path: Path) -> None:
    root = package(tmp_path, "", "src/bin/a_b.rs", "src/bin/a-b.rs")
    with pytest.raises(errors.BadDeclaration, match=r"the name a-b is .*'s already"):
        service.load(service_places.inferred(root))


FEATURES = """
[features]
default = ["all"]
all = ["on"]
on = []
off = []
[[bin]]
name = "taken"
path = "src/bin/taken.rs"
required-features = ["on"]
[[bin]]
name = "left"
path = "src/bin/left.rs"
required-features = ["on", "off"]
"""


def test_a_program_whose_features_are_off_is_left_out(tmp_path: Path) -> None:
    root = package(tmp_path, FEATURES, "src/bin/taken.rs", "src/bin/left.rs")
    assert only(root).binary == "taken"
    assert cargo_program.left_out(root) == {"left": ["off"]}


def test_the_default_members_of_a_workspace_and_no_other(tmp_path: Path) -> None:
    package(tmp_path, '[workspace]\nmembers = ["m/*"]\ndefault-members = [".", "m/two"]\n')
    for name in ("one", "two"):
        package(tmp_path / "m" / name, name=name)
    assert set(service_places.named(service_places.inferred(tmp_path))) == {"tool", "two"}


def test_the_members_of_a_workspace_that_have_a_program(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text('[workspace]\nmembers = ["crates/*"]\n')
    package(tmp_path / "crates/one", name="one")
    package(tmp_path / "crates/two", name="two")
    (tmp_path / "crates/three/src").mkdir(parents=True)
    (tmp_path / "crates/three/src/lib.rs").touch()
    (tmp_path / "crates/three/Cargo.toml").write_text(PACKAGE.format(name="three"))
    assert set(service_places.named(service_places.inferred(tmp_path))) == {"one", "two"}


def test_what_is_declared_is_not_inferred(tmp_path: Path) -> None:
    more = '[package.metadata.muslin]\nneeds = ["zlib"]\nimage = { entrypoint = ["/x"] }\n'
    found = only(package(tmp_path / "folder", more, name="tool"))
    assert (found.name, found.needs) == ("folder", ("zlib",))
