"""Workspaces: what of one a service needs, and how its manifest is written anew."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.models import cargo_workspaces, crate_sources, service, service_places
from muslin.models import errors as model_errors
from muslin.models.cargo_workspaces import Workspace
from muslin.models.service import Service

SERVICE = 'summary = "s"\nbuild = "cargo"\nbinary = "x"\nimage.entrypoint = ["/x"]\n'


def lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def package(name: str, more: str = "") -> str:
    return f'[package]\nname = "{name}"\nedition = "2021"\n{more}'


def load(folder: Path) -> Service:
    path = folder / "Cargo.toml"
    name = tomllib.loads(path.read_text())["package"]["name"] if path.exists() else "x"
    (folder / "service.toml").write_text(SERVICE.replace('binary = "x"', f'binary = "{name}"'))
    (one,) = service.load((folder,)).values()
    return one


def paths(workspace: Workspace) -> set[str]:
    return {file.path for file in workspace.files.files}


def written(workspace: Workspace) -> dict[str, object]:
    ((_, text),) = workspace.written
    return tomllib.loads(text)


MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["app", "libs/*"]\ndefault-members = ["libs/other"]\n',
    "Cargo.lock": "version = 4\n",
    "README.md": "shown by a member\n",
    "app/Cargo.toml": package("app", '[dependencies]\nnear = { path = "../libs/near" }\n'),
    "app/src/main.rs": "",
    "libs/near/Cargo.toml": package("near", "[build-dependencies]\nshared.workspace = true\n"),
    "libs/near/src/lib.rs": "",
    "libs/other/Cargo.toml": package("other"),
    "libs/other/src/lib.rs": "",
    "shared/Cargo.toml": package("shared"),
    "shared/src/lib.rs": "",
}


def test_members_by_name_and_their_path_dependencies(tmp_path: Path) -> None:
    lay(tmp_path, MEMBERS)
    (tmp_path / "Cargo.toml").write_text(
        MEMBERS["Cargo.toml"] + '[workspace.dependencies]\nshared = { path = "shared" }\n'
    )
    found = cargo_workspaces.of(load(tmp_path / "app"))
    near = {"libs/near/Cargo.toml", "libs/near/src/lib.rs"}
    shared = {"shared/Cargo.toml", "shared/src/lib.rs"}
    own = {"app/Cargo.toml", "app/src/main.rs"}
    assert paths(found) == {"Cargo.lock", "README.md", *own, *near, *shared}
    assert found.manifest == "app/Cargo.toml"
    workspace = written(found)["workspace"]
    assert isinstance(workspace, dict)
    assert workspace["members"] == ["app", "libs/near", "shared"]
    assert "default-members" not in workspace


def test_a_package_alone_is_taken_as_it_is(tmp_path: Path) -> None:
    lay(tmp_path, {"Cargo.toml": package("x"), "Cargo.lock": "", "src/main.rs": ""})
    found = cargo_workspaces.of(load(tmp_path))
    assert paths(found) == {"Cargo.toml", "Cargo.lock", "src/main.rs"}
    assert found.written == ()


def test_a_member_does_not_bring_the_package_of_the_workspaces_folder(tmp_path: Path) -> None:
    root = package("root", '[dependencies]\ngone = { path = "gone" }\n[workspace]\n')
    root += 'members = ["app"]\n[profile.small]\ninherits = "release"\n'
    files = {"Cargo.toml": root, "Cargo.lock": "", "src/lib.rs": "", "gone/Cargo.toml": ""}
    lay(tmp_path, {**files, "app/Cargo.toml": package("app"), "app/src/main.rs": ""})
    found = cargo_workspaces.of(load(tmp_path / "app"))
    assert paths(found) == {"Cargo.lock", "app/Cargo.toml", "app/src/main.rs"}
    table = written(found)
    assert table.keys() == {"workspace", "profile"}
    assert table["workspace"] == {"members": ["app"], "resolver": "2"}


def test_a_root_package_keeps_its_own_files_and_not_its_members(tmp_path: Path) -> None:
    root = package("root", '[workspace]\nmembers = ["other"]\n')
    files = {"Cargo.toml": root, "Cargo.lock": "", "src/main.rs": ""}
    lay(tmp_path, {**files, "other/Cargo.toml": package("other"), "other/src/lib.rs": ""})
    found = cargo_workspaces.of(load(tmp_path))
    assert paths(found) == {"Cargo.toml", "Cargo.lock", "src/main.rs"}
    assert written(found)["workspace"] == {"members": []}


def test_a_dependency_outside_is_laid_out_where_it_is_looked_for(tmp_path: Path) -> None:
    app = package("app", '[target."cfg(unix)".dependencies]\nlib = { path = "../lib" }\n')
    lay(tmp_path / "app", {"Cargo.toml": app, "Cargo.lock": "", "src/main.rs": ""})
    lay(tmp_path / "lib", {"Cargo.toml": package("lib"), "src/lib.rs": ""})
    lay(tmp_path / "unrelated", {"Cargo.toml": package("unrelated")})
    found = cargo_workspaces.of(load(tmp_path / "app"))
    assert found.manifest == "app/Cargo.toml"
    assert {"lib/Cargo.toml", "lib/src/lib.rs", "app/src/main.rs"} < paths(found)
    assert not any(path.startswith("unrelated") for path in paths(found))
    assert "lib/Cargo.toml" in {
        one.path for one in cargo_workspaces.whole(tmp_path / "app").files.files
    }


def test_a_package_that_the_workspace_above_excludes_is_taken_alone(tmp_path: Path) -> None:
    lay(tmp_path, {"Cargo.toml": '[workspace]\nmembers = []\nexclude = ["tools"]\n'})
    near = '[dependencies]\nnear = { path = "../near" }\n'
    lay(tmp_path, {"tools/app/Cargo.toml": package("app", near), "tools/app/src/main.rs": ""})
    lay(tmp_path, {"tools/app/Cargo.lock": "", "tools/near/Cargo.toml": package("near")})
    found = cargo_workspaces.of(load(tmp_path / "tools/app"))
    near_too = {"near/Cargo.toml"}
    assert paths(found) == {"app/Cargo.lock", "app/Cargo.toml", "app/src/main.rs", *near_too}
    assert found.written == ()


def test_what_another_member_says_is_in_no_services_key(tmp_path: Path) -> None:
    lay(tmp_path, MEMBERS | {"libs/near/Cargo.toml": package("near")})
    one = load(tmp_path / "app")
    before, crates = cargo_workspaces.of(one), cargo_workspaces.whole(tmp_path)
    lay(tmp_path, {"libs/other/src/lib.rs": "// more\n"})
    assert cargo_workspaces.of(one) == before
    assert cargo_workspaces.whole(tmp_path).files.files == crates.files.files
    lay(tmp_path, {"libs/near/src/lib.rs": "// more\n"})
    assert cargo_workspaces.of(one) != before


def test_every_source_of_the_lock_comes_from_one_folder(tmp_path: Path) -> None:
    sources = (
        f"registry+https://example.com/rust/{crate_sources.PUBLIC.replace('-', '.')}-index",
        "registry+https://example.com/index",
        "sparse+https://example.com/sparse/",
        "git+https://example.com/a?branch=main#0123456789abcdef0123456789abcdef01234567",
    )
    packages = "".join(f'[[package]]\nname = "a"\nsource = "{source}"\n' for source in sources)
    lay(tmp_path, {"Cargo.toml": package("x"), "Cargo.lock": packages, "src/main.rs": ""})
    said = tomllib.loads(cargo_workspaces.of(load(tmp_path)).sources)["source"]
    assert said["vendored"] == {"directory": "{folder}"}
    assert said["crates-io"] == {"replace-with": "vendored"}
    replaced = {"replace-with": "vendored"}
    assert said[sources[1]] == {"registry": "https://example.com/index"} | replaced
    assert said[sources[2]] == {"registry": sources[2]} | replaced
    git = said["git+https://example.com/a?branch=main"]
    assert git == {"git": "https://example.com/a", "branch": "main"} | replaced


def test_a_project_without_a_lock_is_told_where_to_make_one(tmp_path: Path) -> None:
    lay(tmp_path, {"Cargo.toml": package("x")})
    with pytest.raises(engine_errors.BadDeclaration, match="run `cargo generate-lockfile` in"):
        cargo_workspaces.of(load(tmp_path))


def test_a_folder_that_is_no_project_is_told_of_source(tmp_path: Path) -> None:
    with pytest.raises(engine_errors.BadDeclaration, match="`source` says where the project lies"):
        cargo_workspaces.of(load(tmp_path))


def test_members_may_be_named_by_whole_paths_and_lie_beside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    manifest = f'[workspace]\nmembers = ["{root}/app", "../beside", "./lib*/"]\n'
    lay(root, {"Cargo.toml": manifest, "Cargo.lock": "", "app/Cargo.toml": package("app")})
    lay(root, {"library/Cargo.toml": package("library")})
    beside = package("beside", 'workspace = "../root"\n')
    lay(tmp_path / "beside", {"Cargo.toml": beside, "src/main.rs": ""})
    assert cargo_workspaces.members(root) == {root / "app", root / "library", tmp_path / "beside"}
    found = cargo_workspaces.of(load(tmp_path / "root/app"))
    assert "root/app/Cargo.toml" in paths(cargo_workspaces.whole(root))
    assert written(found)["workspace"] == {"members": ["app"], "resolver": "1"}


@pytest.mark.parametrize(
    "more",
    [
        "[package.metadata]\nmuslin = {}\n",
        'metadata = "a text"\n',
        "metadata = [1, 2]\n",
        'metadata = { a = { b = [1979-05-27, nan, "\\u0000"] } }\n',
        "[dev_dependencies]\nold = '1'\n",
        "description = { workspace = true }\nversion.workspace = true\n",
        "[dependencies]\nold = { version = '1', features = [] }\n",
    ],
)
def test_what_other_tools_keep_in_a_manifest_is_theirs(tmp_path: Path, more: str) -> None:
    lay(tmp_path, {"Cargo.toml": package("x", more), "Cargo.lock": "", "src/main.rs": ""})
    assert not service_places.declares(tmp_path)
    assert cargo_workspaces.of(load(tmp_path)).manifest == "Cargo.toml"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("Cargo.toml", "workspace = []", "workspace: it should be a table, not []"),
        ("Cargo.toml", "[workspace]\nmembers = 'app'", "workspace.members: it should be a list"),
        (
            "Cargo.toml",
            "[workspace]\nmembers = [1]",
            "workspace.members.0: Input should be a valid",
        ),
        ("Cargo.toml", "[workspace.dependencies]\na = 1", "workspace.dependencies.a: it should be"),
        ("Cargo.toml", "[workspace]\n[patch]\na = 1", "patch.a: it should be a table, not 1"),
        ("Cargo.toml", "[workspace", "not TOML: "),
        ("app/Cargo.toml", "package = 5", "package: it should be a table, not 5"),
        ("app/Cargo.toml", "[package]\nname = 5", "package.name: Input should be a valid string"),
        ("app/Cargo.toml", package("app").replace('"2021"', "2021"), "package.edition: it should"),
        (
            "app/Cargo.toml",
            package("app", "[dependencies]\na = []"),
            "dependencies.a: it should be",
        ),
        (
            "app/Cargo.toml",
            package("app", "[target.x.dependencies]\na = { path = 'gone' }"),
            "target.x.dependencies.a.path: there is no ",
        ),
        ("app/Cargo.toml", package("app", "[dependencies]\na.path = '/'"), "dependencies.a.path: "),
        ("Cargo.lock", "package = 3", "package: it should be a list, not 3"),
        (
            "Cargo.lock",
            "[[package]]\nsource = 3",
            "package.0.source: Input should be a valid string",
        ),
        (
            "Cargo.lock",
            "[[package]]\nsource = 'git+x://['",
            "package.source: 'x://[' is no address",
        ),
        (".cargo/config.toml", "source = 3", "source: it should be a table, not 3"),
        (".cargo/config.toml", "[source]\na = 3", "source.a: it should be a table, not 3"),
        (".cargo/config.toml", "[source.a]\ndirectory = 3", "source.a.directory: Input should"),
    ],
)
def test_a_file_of_cargos_with_a_fault_is_named_with_its_key(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    lay(tmp_path, {"Cargo.toml": '[workspace]\nmembers = ["app"]\n', "Cargo.lock": ""})
    lay(tmp_path, {"app/Cargo.toml": package("app"), "app/src/main.rs": ""})
    one = load(tmp_path / "app")
    lay(tmp_path, {name: text})
    read = (
        cargo_workspaces.of if name == "Cargo.lock" else lambda _: cargo_workspaces.whole(tmp_path)
    )
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        read(one)
    assert caught.value.path == tmp_path / name
    (said,) = caught.value.faults
    assert said.startswith(fault), said


def test_a_dependency_of_tests_alone_may_be_absent_from_a_project_beside(tmp_path: Path) -> None:
    lay(tmp_path / "app", {"Cargo.toml": package("app", '[dependencies]\nl.path = "../l"\n')})
    lay(tmp_path / "app", {"Cargo.lock": "", "src/main.rs": ""})
    lay(tmp_path / "l", {"Cargo.toml": package("l", '[dev-dependencies]\nt.path = "../t"\n')})
    assert "l/Cargo.toml" in paths(cargo_workspaces.of(load(tmp_path / "app")))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lay(tmp_path, {"Cargo.toml": package("x"), "Cargo.lock": "", "src/main.rs": ""})
    (tmp_path / "src/odd").symlink_to("/proc/self/mem")  # a file that nobody can read, root neither
    with pytest.raises(
        model_errors.UnreadableSource, match="src/odd is among what is built and cannot"
    ):
        cargo_workspaces.of(load(tmp_path))
