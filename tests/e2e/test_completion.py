"""Completions in the shells themselves: each reads what `muslin completion` prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BASH = """\
eval "$(muslin completion bash)"
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9
_python_argcomplete muslin
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """\
autoload -Uz compinit
compinit -D
eval "$(muslin completion zsh)"
_describe() { print -l -- "${(@P)2}" }
BUFFER=$LINE CURSOR=${#LINE}
words=(${=LINE})
_python_argcomplete
"""
FISH = """\
muslin completion fish | source
complete -C "$LINE"
"""
SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-c", BASH],
    "zsh": ["zsh", "-f", "-c", ZSH],
    "fish": ["fish", "--no-config", "-c", FISH],
}
Complete = Callable[[str], set[str]]


@pytest.fixture(params=SHELLS)
def complete(request: pytest.FixtureRequest, tmp_path: Path) -> Complete:
    """What a shell offers for a line, in a cargo project."""
    if shutil.which(request.param) is None:
        pytest.skip(f"this machine has no {request.param}")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "muslin"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m muslin "$@"\n')
    command.chmod(0o755)
    project = tmp_path / "greet"
    (project / "src").mkdir(parents=True)
    (project / "src/main.rs").write_text("fn main() {}\n")
    (project / "Cargo.toml").write_text('[package]\nname = "greet"\nversion = "1.0.0"\n')
    (project / "toolchains").mkdir()
    (project / "toolchains/armlet.toml").write_text("")

    def offered(line: str) -> set[str]:
        done = subprocess.run(
            SHELLS[request.param],
            cwd=project,
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "PYTHONPATH": str(PROJECT),
                "MUSLIN_CACHE": str(tmp_path / "cache"),
                "LINE": line,
            },
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = [line.replace("\t", ":").split(":")[0].strip() for line in done.stdout.splitlines()]
        return {*lines} - {""}

    return offered


def test_what_a_shell_offers(complete: Complete) -> None:
    assert complete("muslin build") == {"build-all", "builder"}
    assert complete("muslin build-all arm") == {"armv5", "armv6", "armv7", "armlet"}
    assert complete("muslin build-all armv6 --serv") == {"--service"}
    assert complete("muslin build-all --service gr") == {"greet"}
    assert "pi-zero" in complete("muslin check --boards pi-z")
    assert complete("muslin completion f") == {"fish"}
    assert complete("muslin nonsense x") == set()
