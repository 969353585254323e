"""The line of a key that a fault of a declaration names."""

from __future__ import annotations

import pytest

from muslin.cli.run_report import toml_lines

TEXT = """\
# a service
binary = "demo"

[build]
kind = "cargo"

[[serve]]
path = "/"

[[serve]]
path = 3 # a number
[tool.muslin]
targets = ["armv9"]
"""


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("binary: it should be a string, not 3", 2),
        ("build.kind: there is no such kind", 5),
        ("build.folder: it is missing", 4),
        ("serve.0.path: x", 8),
        ("serve.1.path: x", 11),
        ("serve.1: x", 10),
        ("tool.muslin.targets: there is no target 'armv9'", 13),
        ("ports: it is missing", 0),
        ("Invalid value (at line 7, column 3)", 7),
        ("line 4 is not UTF-8 (invalid start byte): save the file in that encoding", 4),
    ],
)
def test_lines(fault: str, line: int) -> None:
    assert toml_lines.line_of(TEXT, fault) == line
