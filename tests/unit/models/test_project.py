"""What a declaration says of its project is held to the project when it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.models import service
from muslin.models.service import Service

MAKE = 'summary = "s"\nbuild = "make"\nbinary = "x"\nimage.entrypoint = ["/x"]\n'
CMAKE = MAKE.replace('"make"', '"cmake"')
CARGO = MAKE.replace('"make"', '"cargo"')
Declare = Callable[..., tuple[str, ...]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project for make, with some files."""
    place = tmp_path / "x"
    (place / "www").mkdir(parents=True)
    for name in ("Makefile", "www/index.html", "page"):
        (place / name).touch()
    return place


def load(folder: Path, text: str) -> Service:
    (folder / "service.toml").write_text(text)
    (one,) = service.load((folder,)).values()
    return one


def faults(folder: Path, text: str) -> tuple[str, ...]:
    """What is said of a declaration."""
    with pytest.raises(errors.BadDeclaration) as caught:
        load(folder, text)
    assert caught.value.path == folder / "service.toml"
    return caught.value.faults


@pytest.mark.parametrize("source", ["/", "../../../../../../../..", "/proc", "/sys/kernel", "/dev"])
def test_a_folder_of_the_systems_is_no_project(folder: Path, source: str) -> None:
    depth = "../" * len(folder.parts) if source.startswith("..") else source
    (said,) = faults(folder, f'source = "{depth}"\n{MAKE}')
    assert said.startswith("source: ")
    assert "is no project's folder" in said


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'source = "a\\u0000b"\n{MAKE}', "source: it holds the character NUL"),
        (f'source = "{"a" * 5000}"\n{MAKE}', "source: String should have at most 1000"),
        (f'source = "{"a" * 300}"\n{MAKE}', "source: there is no folder"),
        (MAKE.replace('"x"', '"../../x"'), "binary: String should match pattern"),
        (MAKE.replace('"x"', f'"{"x" * 121}"'), "binary: String should have at most 120"),
        (MAKE.replace('"x"', '"a\\u0000"'), "binary: it holds the character NUL"),
        *((MAKE.replace('"/x"', f'"{path}"'), "image.entrypoint: the first word is the program's")
          for path in ("/proc/x", "/dev/null", "/sys/x", f"/{'x' * 256}", "/x" * 600)),
        (f'{MAKE}[make]\nprogram = "../x"', "make.program: it should be a path below the project"),
        (f'{MAKE}[make]\nprogram = "/x"', "make.program: it should be a path below the project"),
        (f'{MAKE}[make]\nprogram = "."', "make.program: it should be the path of a file"),
        (f'{CMAKE}[cmake]\nprogram = "a/../../x"', "cmake.program: it should be a path below"),
        (f'{CMAKE}[cmake]\ndirectory = "../x"', "cmake.directory: it should be a path below"),
        (f'{MAKE}[[serve]]\nscheme = "http"\npath = "/a b"\nexpect = "x"', "serve.0.path: "),
        (f'{MAKE}[image.environment]\nPORT = "1"', ""),
    ],
)  # fmt: skip
def test_what_no_build_can_put_right_is_said_at_once(folder: Path, text: str, key: str) -> None:
    if not key:
        text, key = text.replace("[image.env", "[image]\nport = 80\n[image.env"), "image: `port` "
        text = text.replace('image.entrypoint = ["/x"]\n', "").replace(
            "[image]", '[image]\nentrypoint = ["/x"]'
        )
    (said,) = faults(folder, text)
    assert said.startswith(key), said


def test_a_project_without_what_its_build_reads_is_told_at_once(folder: Path) -> None:
    (folder / "Makefile").unlink()
    (said,) = faults(folder, MAKE)
    assert said.startswith(f"build: there is no Makefile in {folder}")
    assert load(folder, f'{MAKE}[make]\narguments = ["-C", "src"]\n').name == "x"
    (said,) = faults(folder, f'{CMAKE}[cmake]\ndirectory = "build/cmake"\n')
    assert said.startswith(f"build: there is no {folder}/build/cmake/CMakeLists.txt")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"/a": "gone"}, "there is no file or folder"),
        ({"/a": "pipe"}, "there is no file or folder"),
        ({"/proc/a": "page"}, "it should be a path in the image"),
        ({"/a/../b": "page"}, "it should be a path in the image"),
        ({f"/{'a' * 256}": "page"}, "it should be a path in the image"),
        ({"/a": "../page"}, "it should be a path below the project"),
        ({"/etc/passwd": "page"}, "a path of the image, other than /etc/passwd"),
        ({"/x": "page"}, "a path of the image, other than /etc/passwd"),
        ({"/x/page": "page"}, "the image has /x already"),
        ({"/etc": "page"}, "/etc is a file, and /etc/passwd would lie below it"),
        ({"/etc": "own"}, "has a file for /etc/passwd, and so has the image"),
        ({"/a": "page", "/a/b": "page"}, "/a is a file, and /a/b would lie below it"),
        ({"/a": "www", "/a/index.html": "page"}, "has a file for /a/index.html"),
    ],
)
def test_files_that_cannot_lie_in_one_image(
    folder: Path, files: dict[str, str], words: str
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "own").mkdir()
    (folder / "own/passwd").touch()
    table = "".join(f'"{path}" = "{said}"\n' for path, said in files.items())
    said = faults(folder, f"{MAKE}[image.files]\n{table}".replace("image.entry", "[image]\nentry"))
    assert any(words in one for one in said), said
    assert all(one.startswith("image") for one in said), said


def test_files_may_lie_within_each_others_folders(folder: Path) -> None:
    table = '"/www" = "www"\n"/www/page" = "page"\n"/etc/page" = "page"\n"/tmp/page" = "page"\n'
    one = load(folder, f"{MAKE}[image.files]\n{table}".replace("image.entry", "[image]\nentry"))
    assert len(one.image.files) == 4


def test_what_cargo_would_not_find_is_said_at_once(folder: Path) -> None:
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "y"\n[features]\na = []\n[dependencies]\n'
        'b = { version = "1", optional = true }\n'
        '[[bin]]\nname = "z"\n'
    )
    (folder / "src/bin/deep").mkdir(parents=True)
    for name in ("one.rs", "deep/main.rs"):
        (folder / "src/bin" / name).touch()
    said = faults(folder, f'{CARGO}[cargo]\nprofile = "small"\nfeatures = ["a,b", "c", "d/e"]\n')
    path = folder / "Cargo.toml"
    assert said == (
        f"binary: {path} has no program 'x', but deep, one, y, z",
        f"cargo.profile: {path} has no [profile.small]",
        f"cargo.features: {path} has no feature 'c', but a, b, default",
    )
    for binary in ("y", "z", "one", "deep"):
        assert load(folder, CARGO.replace('"x"', f'"{binary}"', 1)).binary == binary


def test_a_workspace_without_a_package_is_not_what_is_built(folder: Path) -> None:
    (folder / "Cargo.toml").write_text("[workspace]\n")
    assert faults(folder, CARGO) == (
        f"source: {folder}/Cargo.toml has no [package]: name the folder of one",
    )
