"""Problems in the formats of forges: what their schemas allow, and what no text can break."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from muslin.audit.finding import Finding, Place
from muslin.check import problem_formats
from muslin.check.problem import DOES_NOT_FIT, Problem
from tests import sarif

HOSTILE = "a:b,c%\r\n::set-output name=x::y"
FINDING = Finding(
    place=Place(file="demo"),
    what="NEON",
    section=".text",
    symbol="memcpy",
    address=0x1F0,
    instruction="vld1.8 {d0}, [r1]!",
    count=3,
)
PROBLEMS = [
    Problem(kind="declaration", path="service.toml", line=3, text="build: it is missing"),
    Problem(kind=DOES_NOT_FIT, path="a", program="demo", text=str(FINDING), finding=FINDING),
    Problem(kind="failed", path=HOSTILE, text=HOSTILE),
    Problem(kind="failed", path="", text="no network"),
]


def test_sarif_is_what_the_schema_allows() -> None:
    audited = {"dist/armv6/demo": "ab" * 32}
    log = sarif.valid(problem_formats.sarif(PROBLEMS, tool="muslin", audited=audited))
    (run,) = log["runs"]
    first, second, *_ = run["results"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "service.toml"},
        "region": {"startLine": 3},
    }
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "demo::memcpy"
    assert second["properties"]["instruction"] == "vld1.8 {d0}, [r1]!"
    assert {one["ruleId"] for one in run["results"]} <= {
        one["id"] for one in run["tool"]["driver"]["rules"]
    }
    assert run["artifacts"][0]["hashes"] == {"sha-256": "ab" * 32}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"version": "2.0.0"},
        {"runs": [{"results": []}]},
        {"runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "error"}]}]},
    ],
)
def test_the_schema_finds_a_mistake(spoilt: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        sarif.valid({**problem_formats.sarif([], tool="muslin"), **spoilt})


def test_annotations_name_file_and_line_and_no_text_is_a_command() -> None:
    first, _, third, last = problem_formats.github(PROBLEMS)
    assert first == "::error file=service.toml,line=3,title=declaration::build: it is missing"
    assert third.startswith("::error file=a%3Ab%2Cc%25%0D%0A%3A%3Aset-output name=x%3A%3Ay,title=")
    assert "\n" not in third
    assert last == "::error title=failed::no network"


def test_code_quality_has_what_gitlab_requires() -> None:
    rows = problem_formats.code_quality([*PROBLEMS, PROBLEMS[0]])
    assert len(rows) == len(PROBLEMS), "a fingerprint stands there once"
    assert rows[0]["location"] == {"path": "service.toml", "lines": {"begin": 3}}
    for row in rows:
        assert set(row) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not row["location"]["path"].startswith(("./", "/"))
        assert row["location"]["lines"]["begin"] >= 1
