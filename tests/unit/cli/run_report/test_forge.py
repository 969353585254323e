"""What a run leaves for GitHub and GitLab, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from muslin.cli.run_report import environment, forge, summary
from muslin.cli.run_report.forge import Outcome
from muslin.engine import errors as engine_errors
from tests import sarif

DIGEST = "ab" * 32


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A program with its report, an image, and the list of both."""
    made = tmp_path / "dist"
    rows = []
    for path, target, digest in (
        ("armv6/demo", "armv6", DIGEST),
        ("armv6/other", "armv6", "cd" * 32),
        ("images/demo-armv6.tar", "armv6", "ef" * 32),
        ("images/demo.oci.tar", "", "01" * 32),
        ("reports/armv6/demo.json", "armv6", "23" * 32),
    ):
        file = made / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
        rows.append(
            {
                "path": path,
                "sha256": digest,
                "bytes": 1200,
                "target": target,
                "stage_key": "k",
                "source_set": "debian",
                "contains": [],
            }
        )
    (made / "manifest.json").write_text(json.dumps({"artefacts": rows}))
    report = {
        "subject": "demo",
        "fits": True,
        "baseline": "armv6-vfpv2",
        "shipped": DIGEST,
        "ran": ["on arm1176: demo --version, printed 'a|b'"],
    }
    (made / "reports/armv6/demo.json").write_text(json.dumps(report))
    return made


def left(outcome: Outcome, variables: dict[str, str]) -> list[str]:
    said: list[str] = []
    forge.leave(outcome, {}, variables, said.append)
    return said


def log(dist: Path) -> dict[str, Any]:
    (run,) = sarif.valid(json.loads((dist / forge.SARIF).read_text()))["runs"]
    return {**run}


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        ([], {}, False),
        ([], {"GITHUB_ACTIONS": "false", "CI": "true"}, False),
        ([], {"GITHUB_ACTIONS": "true"}, True),
        ([], {"GITLAB_CI": "true"}, True),
        (["armv6", "--sarif"], {}, True),
    ],
)
def test_who_wants_reports(words: list[str], variables: dict[str, str], expected: bool) -> None:
    assert environment.wanted(words, variables) is expected


def test_the_summary_has_every_artefact(dist: Path) -> None:
    program, other, image, joint = summary.of_dist(dist).splitlines()[4:]
    assert program == (
        r"| demo | armv6 | `armv6/demo` | 1.2 kB | every instruction (armv6-vfpv2) | "
        rf"on arm1176: demo --version, printed 'a\|b' | `{DIGEST}` |"
    )
    assert other.startswith("| other | armv6 | `armv6/other` | 1.2 kB |  |  |")
    assert image.startswith("| demo | armv6 | `images/demo-armv6.tar` |")
    assert joint.startswith("| demo | all | `images/demo.oci.tar` |")


def test_on_github(dist: Path, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(file),
        "GITHUB_WORKSPACE": str(tmp_path.parent),
    }
    done = Outcome(session="build-all", dist=dist, fills=True)
    assert left(done, variables) == []
    assert "`armv6/demo`" in file.read_text()
    assert log(dist)["results"] == []
    (artifact,) = log(dist)["artifacts"]
    assert artifact["location"]["uri"] == f"{tmp_path.name}/dist/armv6/demo"
    assert not (dist / forge.CODE_QUALITY).exists()


def test_a_failure_on_github(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "service.toml").write_text("\nbinary = 3\n")
    error = engine_errors.BadDeclaration(tmp_path / "service.toml", ["binary: a ```string"])
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_WORKSPACE": str(tmp_path),
    }
    failed = Outcome(session="build-all", dist=dist, fills=True, error=error)
    said = left(failed, variables)
    assert said == ["::error file=service.toml,line=2,title=declaration::binary: a ```string\n"]
    text = (tmp_path / "summary.md").read_text()
    assert text.count("````") == 2, "the message ends where its fence ends"
    assert "`armv6/demo`" not in text, "it is of an earlier run"
    assert [one["ruleId"] for one in log(dist)["results"]] == ["declaration"]
    assert "artifacts" not in log(dist)


def test_on_gitlab(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "service.toml").write_text("\nbinary = 3\n")
    error = engine_errors.BadDeclaration(tmp_path / "service.toml", ["binary: a string"])
    failed = Outcome(session="build-all", dist=dist, fills=True, error=error)
    assert left(failed, {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(tmp_path)}) == []
    (row,) = json.loads((dist / forge.CODE_QUALITY).read_text())
    assert row["location"] == {"path": "service.toml", "lines": {"begin": 2}}


def test_other_sessions_leave_annotations_alone(dist: Path, tmp_path: Path) -> None:
    failed = Outcome(
        session="plan",
        dist=dist,
        fills=False,
        error=engine_errors.BadDeclaration(tmp_path / "x", ["y"]),
    )
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    assert left(failed, variables) == ["::error title=declaration::y\n"]
    assert not (tmp_path / "summary.md").exists()
    assert not (dist / forge.SARIF).exists()
