"""The noxfile: its own dependencies, and sessions whose first line is their help."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from muslin.cli import main

PROJECT = Path(__file__).resolve().parents[3]
TEXT = (PROJECT / "noxfile.py").read_text()
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_the_scripts_dependencies_are_the_projects() -> None:
    # The reference expression of the specification of inline script metadata.
    pattern = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
    (block,) = re.finditer(pattern, TEXT)
    assert block["type"] == "script"
    lines = block["content"].splitlines()
    said = tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
    assert said["dependencies"] == METADATA["project"]["dependencies"]
    assert said["requires-python"] == METADATA["project"]["requires-python"]


def test_nox_itself_is_asked_for_once() -> None:
    (version,) = re.findall(r'nox\.needs_version = "(.+)"', TEXT)
    assert f"nox{version}" in METADATA["project"]["dependencies"]


def helps() -> dict[str, str | None]:
    """What `nox -l` says of each session."""
    return dict(main.sessions()) | {
        node.name: ast.get_docstring(node)
        for node in ast.parse(TEXT).body
        if isinstance(node, ast.FunctionDef)
        and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def test_every_session_says_what_it_does() -> None:
    assert len(helps()) >= 24
    for name, help_ in helps().items():
        assert help_, name
        assert help_.splitlines()[0].endswith((".", "`")), name


def test_a_target_without_the_dashes_is_told_of_them() -> None:
    argv = [sys.executable, "-m", "nox", "-f", str(PROJECT / "noxfile.py"), "-s", "plan", "armv6"]
    environment = {**os.environ, "NOX_SCRIPT_MODE": "none"}  # by the libraries that are here
    run = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "targets are arguments: `nox -s build-all -- armv6`" in run.stderr


def test_the_noxfile_is_sessions_only() -> None:
    assert len(TEXT.splitlines()) < 130  # the rest is in muslin/cli/commands/


def test_the_readmes_line_names_the_same_requirements() -> None:
    (line,) = re.findall(
        r"^pipx inject nox (.+)$", (PROJECT / "README.md").read_text(), re.MULTILINE
    )
    needed = {re.split(r"[><=;\s]", said)[0] for said in METADATA["project"]["dependencies"]}
    assert set(line.split()) == needed - {"nox"}
