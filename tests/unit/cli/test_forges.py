"""The files for forges: what their published schemas allow, and what the repository holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from muslin.cli import errors as cli_errors
from muslin.cli import forges
from muslin.cli.commands import ci
from muslin.engine.stage import Stage
from muslin.models import errors as model_errors
from tests import opened

PROJECT = Path(__file__).resolve().parents[3]
SCHEMAS = {
    ".github/workflows/build.yml": "vendor.github-workflows",
    ".github/workflows/upstream.yml": "vendor.github-workflows",
    ".github/workflows/advisories.yml": "vendor.github-workflows",
    ".github/workflows/mutants.yml": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
}


def checked(path: Path, schema: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    more = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    return subprocess.run([*argv, *more, str(path)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("path", "schema"), SCHEMAS.items())
def test_the_schemas_of_the_forges_allow_them(path: str, schema: str) -> None:
    done = checked(PROJECT / path, schema)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("path", "schema"), SCHEMAS.items())
def test_the_schemas_find_a_mistake(path: str, schema: str, tmp_path: Path) -> None:
    text = (PROJECT / path).read_text()
    wrong = tmp_path / Path(path).name
    wrong.write_text(text.replace("runs-on:", "run-on:").replace("parallel:", "parallel: 0.5 #"))
    assert checked(wrong, schema).returncode != 0


def test_the_files_of_the_repository_are_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To write them: `nox -s ci -- github` and `nox -s ci -- gitlab`."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path))
    pipeline = opened.pipeline()
    names = [one.name for one in pipeline.context.defaults]
    minutes = max(ci.longest_job(pipeline.context, target) for target in pipeline.context.defaults)
    for forge in forges.FORGES:
        for path, text in forges.files(forge, names, minutes).items():
            assert (PROJECT / path).read_text() == text, f"{path}: `nox -s ci -- {forge}`"


def test_limits_come_from_the_guesses() -> None:
    stages = [Stage(name=name, steps=(), runs_on="host", guess=1600.0) for name in "ab"]
    assert (forges.minutes([]), forges.minutes(stages)) == (30, 90)


def test_what_cannot_be_written() -> None:
    with pytest.raises(model_errors.Unknown, match=r"forge 'gitea'"):
        forges.files("gitea", ["armv6"], 30)
    with pytest.raises(
        cli_errors.TooManyCaches, match="4 caches in a job, and there are 5 targets"
    ):
        forges.files("gitlab", list("abcde"), 30)
