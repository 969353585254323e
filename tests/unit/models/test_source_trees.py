"""A project's own files: what counts as one, and links and folders without an end."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.filesystem import removal, walk
from muslin.models import cache_folder, settings, source_trees
from tests.e2e.bench import PROJECT


def names(root: Path) -> list[str]:
    return [file.path for file in source_trees.of_project(root).files]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with one file; it goes, however deep a test has made it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "main.c").write_text("int main;")
    yield root
    removal.remove_tree(root)


def deepen(root: Path, count: int) -> None:
    """Folders in folders, deeper than a path can say."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(count):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_what_is_no_file_is_no_source(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)  # a socket's path is short
    os.mkfifo(project / "fifo")
    (project / "zero").symlink_to("/dev/zero")
    (project / "self").symlink_to("self")
    (project / "nowhere").symlink_to("missing")
    (project / "linked").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert names(project) == ["main.c"]
        assert list(source_trees.everything(project)) == [Path("main.c")]


def test_a_fifo_that_is_named_is_an_error(project: Path) -> None:
    os.mkfifo(project / "fifo")
    with pytest.raises(errors.NotAFile, match="project/fifo is a FIFO and no file"):
        source_trees.named(project, ["fifo"])


def test_seven_folders_linked_to_each_other(project: Path) -> None:
    everyone = [f"folder{number}" for number in range(7)]
    for one in everyone:
        (project / one).mkdir()
        for other in everyone:
            if other != one:
                (project / one / other).symlink_to(f"../{other}")
    with pytest.raises(errors.LinkedInCircles) as caught:
        names(project)
    message = str(caught.value)
    assert f"below {project}" in message
    assert f"    {project}/folder0/folder1 -> ../folder1\n" in message
    assert len(message.splitlines()) == walk.LINKS + 3


def test_two_folders_linked_to_each_other_are_in_each_other(project: Path) -> None:
    for one, other in ("ab", "ba"):
        (project / one).mkdir()
        (project / one / "text").write_text(one)
        (project / one / other).symlink_to(f"../{other}")
    assert names(project) == ["a/b/text", "a/text", "b/a/text", "b/text", "main.c"]


@pytest.mark.parametrize(
    "look", [source_trees.of_project, lambda root: source_trees.named(root, ["."])]
)
def test_folders_without_an_end(project: Path, look: Callable[[Path], object]) -> None:
    deepen(project, 2500)
    with pytest.raises(errors.TooDeep, match="project has a folder that lies too deep: d/d"):
        look(project)


def test_folders_are_as_deep_as_they_may_be(project: Path) -> None:
    deepen(project, walk.DEEPEST)
    Path(project, *["d"] * walk.DEEPEST, "text").touch()
    assert len(names(project)) == 2


def test_a_large_file_is_not_read_into_memory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data").touch()
    os.truncate(project / "data", 10_000_000)
    monkeypatch.setattr(Path, "read_bytes", None)
    assert names(project) == ["data", "main.c"]


def test_links_to_themselves_among_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "cache"))
    checkout = tmp_path / "checkout"
    shutil.copytree(PROJECT / "services" / "hello-c", checkout / "services" / "hello-c")
    table = '[tool.muslin]\ntargets = ["armv6"]\nservices = ["services/*"]\nsources = "debian"\n'
    (checkout / "pyproject.toml").write_text(table)
    before = settings.load(checkout).services
    for name, target in (("self", "self"), ("one", "other"), ("other", "one")):
        (checkout / "services" / name).symlink_to(target)
    assert settings.load(checkout).services == before
    named = table.replace('"services/*"', '"services/self"')
    (checkout / "pyproject.toml").write_text(named)
    with pytest.raises(errors.BadDeclaration, match="services/self is no directory"):
        settings.load(checkout)


def test_patterns_read_no_more_than_the_folders_they_begin_with(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dist/toolchains` leads into the store, which has 30 000 files."""
    for name in ("code/deep", "dist"):
        (project / name).mkdir(parents=True)
    (project / "code/deep/one.py").touch()
    (project / "dist/store").symlink_to(project / "code")
    roots: list[Path] = []
    levels = walk.levels

    def noted(root: Path, *, follow: bool = False) -> Iterator[walk.Level]:
        roots.append(root)
        return levels(root, follow=follow)

    monkeypatch.setattr(walk, "levels", noted)
    found = source_trees.tree(project, ("code/*.py", "code/deep/*.py"))
    assert [file.path for file in found.files] == ["code/deep/one.py"]
    assert roots == [project / "code"]


def test_what_was_built_of_a_project_is_no_source_of_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.c").write_text("int main;")
    before = source_trees.of_project(tmp_path)
    (tmp_path / "dist" / "armv6").mkdir(parents=True)
    (tmp_path / "dist" / "armv6" / "report.txt").write_text("report")
    assert source_trees.of_project(tmp_path) != before, "a folder of the project's own"
    for name in ("manifest.json", "SHA256SUMS"):
        (tmp_path / "dist" / name).write_text("{}")
    assert source_trees.of_project(tmp_path) == before
