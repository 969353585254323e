"""The table `[image]`: what is refused, and what follows from what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.models import service
from muslin.models.image import Image

PLAIN = """\
summary = "s"
build = "make"
binary = "app"
[image]
entrypoint = ["/bin/app"]
"""
FAULTS = {
    'user = "nobody"': "image.user: String should match pattern",
    "user = 1000": "image.user: Input should be a valid string",
    'user = "1:2:3"': "image.user: String should match pattern",
    'workdir = "data"': "image.workdir: String should match pattern",
    'workdir = "/proc/x"': "image.workdir: it should be a path in the image",
    'workdir = "/bin/app"': "/bin/app cannot be a directory: /bin/app is a file of the image",
    'volumes = ["/bin/app/x"]': "/bin/app/x cannot be a directory: /bin/app is a file",
    'volumes = ["/tmp"]': ": /tmp is in the image for everybody",
    'volumes = ["/tmp/x"]': ": /tmp is in the image for everybody",
    'volumes = ["/a", "/a"]': "volumes: each directory once",
    'files = { "/a" = "file" }\nvolumes = ["/a"]': "/a cannot be a directory: /a in `files`",
    'files = { "/a" = "file" }\nworkdir = "/a/b"': "/a/b cannot be a directory: /a in `files` is a",
    'files = { "/a" = "folder" }\nworkdir = "/a/inner"': "/folder/inner is a file",
    'modes = { "/a" = "0600" }': "image.modes: `files` puts no /a into the image",
    'files = { "/a" = "folder" }\nmodes = { "/a/other" = "0600" }': "`files` puts no /a/other",
    'files = { "/a" = "file" }\nmodes = { "/a" = "4755" }': "image.modes./a: String should match",
    'files = { "/a" = "file" }\nmodes = { "/a" = "rw" }': "image.modes./a: String should match",
    "healthcheck = {}": "image.healthcheck.arguments: it is missing",
    "healthcheck = { arguments = [] }": "image.healthcheck.arguments: ",
    'healthcheck = { arguments = ["-h"], interval = 0 }': "image.healthcheck.interval: ",
    'healthcheck = { arguments = ["-h"], retries = 0 }': "image.healthcheck.retries: ",
    'healthcheck = { command = ["/bin/sh"] }': "image.healthcheck.command: there is no such key",
    'workdri = "/a"': "image.workdri: there is no such key (did you mean workdir?)",
}


def load(folder: Path, text: str) -> Image:
    place = folder / "app"
    (place / "folder").mkdir(parents=True)
    (place / "service.toml").write_text(PLAIN + text)
    for name in ("Makefile", "file", "folder/inner"):
        (place / name).touch()
    return service.load([place])["app"].image


@pytest.mark.parametrize("text", FAULTS)
def test_what_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(errors.BadDeclaration) as caught:
        load(tmp_path, text)
    assert FAULTS[text] in str(caught.value)


def test_a_folder_of_the_project_can_be_a_volume(tmp_path: Path) -> None:
    image = load(tmp_path, 'files = { "/a" = "folder" }\nvolumes = ["/a", "/a/b"]\nworkdir = "/a"')
    assert image.folders == ("/a", "/a/b")


@pytest.mark.parametrize(
    ("text", "owner"),
    [("", (65532, 65532)), ('user = "0"', (0, 0)), ('user = "7:8"', (7, 8))],
)
def test_the_owner(tmp_path: Path, text: str, owner: tuple[int, int]) -> None:
    assert load(tmp_path, text).owner == owner
