"""What the words behind `--crate` mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.models import errors, published
from muslin.models.published import Release, Request


@pytest.mark.parametrize(
    ("text", "requirement", "exact"),
    [
        ("ripgrep", "*", ""),
        ("ripgrep@15", "15.*", ""),
        ("ripgrep@15.1", "15.1.*", ""),
        ("ripgrep@15.1.0", "=15.1.0", "15.1.0"),
        ("ripgrep@1.0.0-rc.1", "=1.0.0-rc.1", "1.0.0-rc.1"),
        ("ripgrep@^15.1", "^15.1", ""),
        ("ripgrep@>=14, <16", ">=14, <16", ""),
    ],
)
def test_a_request(text: str, requirement: str, exact: str) -> None:
    assert published.parse(text) == Request(name="ripgrep", requirement=requirement, exact=exact)


@pytest.mark.parametrize(
    "text", ["", "@15", "ripgrep@", "rip grep", "../x", 'a@1"', "a@1\n2", "a@x/y"]
)
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(errors.BadCrate, match="--crate"):
        published.parse(text)


LOCK = """
[[package]]
name = "muslin-question"
version = "0.0.0"
dependencies = ["{dependency}"]
[[package]]
name = "tool"
version = "2.0.0"
source = "x"
checksum = "of 2"
"""
OLD = '[[package]]\nname = "tool"\nversion = "1.0.0"\nsource = "x"\nchecksum = "1"\n'


@pytest.mark.parametrize(("dependency", "more"), [("tool", ""), ("tool 2.0.0", OLD)])
def test_the_release_that_cargo_chose(tmp_path: Path, dependency: str, more: str) -> None:
    """A tool may depend on an old release of itself."""
    (tmp_path / "Cargo.lock").write_text(LOCK.format(dependency=dependency) + more)
    found = published.chosen(tmp_path / "Cargo.lock", published.parse("tool"))
    assert found == Release(name="tool", version="2.0.0", sha256="of 2")
