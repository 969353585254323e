"""What a package is where its declaration says little, and what no declaration may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.models import package_defaults, service
from muslin.models.packaging import Packaging
from muslin.models.service import Service

DECLARED = """\
summary = "s"
build = "{build}"
binary = "demo"
{more}
[image]
entrypoint = ["/demo"]
{image}
"""


def declared(
    folder: Path, *, build: str = "make", more: str = "", image: str = "", cargo: str = ""
) -> Service:
    root = folder / "my_demo"
    (root / "src").mkdir(parents=True, exist_ok=True)
    for name in ("Makefile", "page.html", "src/main.rs"):
        (root / name).touch()
    if cargo:
        (root / "Cargo.toml").write_text(cargo)
        (root / "Cargo.lock").write_text("version = 4\n")
    text = DECLARED.format(build=build, more=more, image=image)
    (root / "service.toml").write_text(text)
    return service.load((root,))["my_demo"]


def resolved(folder: Path, **said: str) -> Packaging:
    return package_defaults.resolved(declared(folder, **said))


def test_nothing_is_said(tmp_path: Path) -> None:
    found = resolved(tmp_path)
    assert (found.package, found.full_version, found.unit) == ("my-demo", "0-1", False)
    assert found.maintainer == package_defaults.NOBODY
    assert (found.user, found.date) == ("_my-demo", "Sat, 01 Jan 2000 12:00:00 +0000")
    assert resolved(tmp_path, image="port = 80").unit


CARGO = """\
[package]
name = "demo"
version = "1.2.3-rc.1+b7"
license = "MIT OR Apache-2.0"
repository = "https://example.org/demo"
authors = ["No Address", "Ada <ada@example.org>"]
"""
INHERITED = """\
[package]
name = "demo"
version.workspace = true
license.workspace = true
authors.workspace = true
[workspace.package]
version = "4.5.6"
license = "0BSD"
authors = ["Bob <bob@example.org>"]
"""


def test_cargo_says_the_rest(tmp_path: Path) -> None:
    found = resolved(tmp_path, build="cargo", cargo=CARGO)
    assert found.full_version == "1.2.3~rc.1+b7-1"
    assert (found.license, found.homepage) == ("MIT OR Apache-2.0", "https://example.org/demo")
    assert found.maintainer == "Ada <ada@example.org>"
    found = resolved(tmp_path, build="cargo", cargo=INHERITED)
    assert (found.full_version, found.license) == ("4.5.6-1", "0BSD")
    assert found.maintainer == "Bob <bob@example.org>"


def test_what_is_declared_wins(tmp_path: Path) -> None:
    more = '[package]\nversion = "9"\nmaintainer = "C <c@example.org>"\nlicense = "ISC"\n'
    found = resolved(tmp_path, build="cargo", cargo=CARGO, more=more)
    assert (found.version, found.maintainer, found.license) == ("9", "C <c@example.org>", "ISC")
    label = 'labels = { "org.opencontainers.image.licenses" = "Zlib" }'
    assert resolved(tmp_path, build="cargo", cargo=CARGO, image=label).license == "Zlib"


def test_texts_of_others_that_no_field_can_hold_are_left_out(tmp_path: Path) -> None:
    cargo = CARGO.replace("MIT OR Apache-2.0", "MIT\\nDepends: evil").replace(
        "https://example.org/demo", "https://example.org/\\nX: y"
    )
    cargo = cargo.replace("Ada <", "Ada\\n <")
    found = resolved(tmp_path, build="cargo", cargo=cargo)
    assert (found.license, found.homepage) == ("", "")
    assert found.maintainer == package_defaults.NOBODY


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('version = "v1"', "package.version"),
        ('version = "1\\nX: y"', "package.version"),
        ('maintainer = "Ada"', "package.maintainer"),
        ('maintainer = "A\\nX: y <a@example.org>"', "package.maintainer"),
        ('released = "2026-02-30"', "package.released: it should be a day"),
        ('released = "1984-01-01"', "package.released: it should be after 1984"),
        ('package = "Demo"', "package.package"),
        ('depends = ["a, b"]', "package.depends"),
        ('copyright = "2026\\nLicense: x"', "package.copyright"),
        ('files = { "/tmp/x" = "page.html" }', "it should be a path in /etc"),
        ('files = { "/usr/../x" = "page.html" }', "it should be a path in /etc"),
        ('files = { "/usr/share/x" = "../x" }', "it should be a path below the project"),
        ("unite = true", "there is no such key (did you mean unit?)"),
    ],
)
def test_what_no_field_can_hold_is_refused(tmp_path: Path, said: str, words: str) -> None:
    with pytest.raises(errors.BadDeclaration) as caught:
        declared(tmp_path, more=f"[package]\n{said}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("more", "image", "words"),
    [
        ("", 'files = { "/share/x" = "page.html" }', "the image has /share/x, which has no place"),
        ('package.files = { "/usr/share/x" = "none" }', "", "there is no file or folder"),
        ('package.files = { "/usr/bin/demo" = "page.html" }', "", "the package has /usr/bin/demo"),
    ],
)
def test_a_package_that_cannot_be_is_no_fault_of_the_service(
    tmp_path: Path, more: str, image: str, words: str
) -> None:
    one = declared(tmp_path, more=more, image=image)
    with pytest.raises(errors.BadDeclaration) as caught:
        package_defaults.resolved(one)
    assert words in str(caught.value)


def test_files_of_the_image_go_along_where_they_have_a_place(tmp_path: Path) -> None:
    found = resolved(tmp_path, image='files = { "/usr/share/x" = "page.html" }')
    assert found.files == {"/usr/share/x": "page.html"}
