"""Which directory a run is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.models import errors, project

PACKAGE = '[package]\nname = "tool"\nversion = "1.0.0"\n'


def made(root: Path, **files: str) -> Path:
    """A directory with these files; `__` in a name is a slash, `_` a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "key", "table"),
    [
        ({"muslin_toml": 'targets = ["armv6"]\n'}, "", {"targets": ["armv6"]}),
        (
            {"pyproject_toml": '[tool.muslin]\ntargets = ["armv6"]\n'},
            "tool.muslin",
            {"targets": ["armv6"]},
        ),
        (
            {"Cargo_toml": '[workspace]\n[workspace.metadata.muslin]\ntargets = ["armv6"]\n'},
            "workspace.metadata.muslin",
            {"targets": ["armv6"]},
        ),
        ({"Cargo_toml": f"{PACKAGE}[package.metadata.muslin]\nneeds = []\n"}, "", {}),
    ],
)
def test_the_nearest_directory_with_settings(
    tmp_path: Path, files: dict[str, str], key: str, table: dict[str, object]
) -> None:
    made(tmp_path, **files)
    inner = made(tmp_path / "inner" / "crate", Cargo_toml=PACKAGE) / "src"
    inner.mkdir()
    found = project.find(inner)
    assert (found.root, found.key, found.table) == (tmp_path, key, table)


@pytest.mark.parametrize("name", project.BARE)
def test_the_nearest_project_where_nothing_has_settings(tmp_path: Path, name: str) -> None:
    made(tmp_path, pyproject_toml="[project]\n", Cargo_toml="[workspace]\n")
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "inner" / name).write_text("[workspace]\n" if name == "Cargo.toml" else "")
    assert project.find(tmp_path / "inner" / "deep").root == tmp_path / "inner"


def test_nothing_anywhere(tmp_path: Path) -> None:
    with pytest.raises(errors.NoProject, match=r"there is no Cargo\.toml"):
        project.find(tmp_path)
