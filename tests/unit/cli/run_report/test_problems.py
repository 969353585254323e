"""A run's failure as problems: the file and line at fault, and every finding of the audit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muslin.audit.finding import Finding, Place
from muslin.check.problem import DOES_NOT_FIT, NOT_SEEN
from muslin.cli import errors as cli_errors
from muslin.cli.run_report import problems
from muslin.cli.run_report.problems import Project
from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.errors import PipelineError

WORD = st.text(st.sampled_from("abcdefxyz_.0123456789$"), min_size=1, max_size=12)
SYMBOL = WORD.filter(lambda word: not word.startswith("."))
PLACES = st.builds(Place, file=WORD, member=st.one_of(st.just(""), WORD))
INSTRUCTION = st.sampled_from(["vld1.8 {d0}, [r1]!", "movbe eax, dword ptr [rdi]", "sdiv r0, r1"])
FINDINGS = st.builds(
    Finding,
    place=PLACES,
    what=st.sampled_from(["NEON", "AVX or later", "MOVBE", "integer division"]),
    section=st.just(".text"),
    symbol=SYMBOL,
    address=st.integers(0, 1 << 48),
    instruction=INSTRUCTION,
    count=st.integers(1, 1000),
)
LOG = """\
$ python -m muslin.audit old
refused: demo: old at 0x10: sdiv r0, r1: needs integer division

$ python -m muslin.audit rules.json /cache/x /cache/y
demo for armv6: does not fit armv6-vfpv2
refused: demo: memcpy at 0x1f0: vld1.8 {d0}, [r1]!: needs NEON, and 2 more there
refused: demo: Tag_CPU_arch is v7
not seen: demo: stripped

demo does not fit armv6 (armv6-vfpv2). First:
  refused: demo: memcpy at 0x1f0: vld1.8 {d0}, [r1]!: needs NEON, and 2 more there
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "services" / "demo").mkdir(parents=True)
    (tmp_path / "services" / "demo" / "service.toml").write_text('binary = "demo"\nports = "x"\n')
    return Project(root=tmp_path, services={"demo": tmp_path / "services" / "demo"})


@given(FINDINGS)
def test_what_the_audit_writes_is_read_back(finding: Finding) -> None:
    assert problems.read_finding(f"refused: {finding}") == finding


def test_a_claim_is_no_finding_about_code() -> None:
    claim = Finding(place=Place(file="demo"), what="Tag_CPU_arch is v7")
    assert problems.read_finding(f"refused: {claim}") is None


def test_every_finding_of_a_verification_is_a_problem(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    error = process_errors.SaidNo("verify-demo-armv6", ["demo does not fit"], log)
    error.stage = "verify-demo-armv6"
    code, claim, unseen = problems.of(error, project)
    assert code.finding is not None
    assert (code.finding.symbol, code.finding.count) == ("memcpy", 3)
    assert (code.kind, claim.kind, unseen.kind) == (DOES_NOT_FIT, DOES_NOT_FIT, NOT_SEEN)
    assert claim.text == "demo: Tag_CPU_arch is v7"
    assert {one.path for one in (code, claim, unseen)} == {"services/demo/service.toml"}
    log.unlink()
    (rest,) = problems.of(error, project)
    assert "demo does not fit" in rest.text


def test_a_declaration_is_named_with_its_line(project: Project) -> None:
    path = project.services["demo"] / "service.toml"
    (fault,) = problems.of(engine_errors.BadDeclaration(path, ["ports: a list"]), project)
    assert (fault.path, fault.line, fault.text) == (
        "services/demo/service.toml",
        2,
        "ports: a list",
    )


def test_a_file_outside_of_the_repository_is_not_named(project: Project) -> None:
    error = engine_errors.BadDeclaration(Path("/etc/passwd"), ["x: y"])
    (fault,) = problems.of(error, project)
    assert (fault.path, fault.line) == ("", 0)


def test_each_stage_that_failed_is_a_problem(project: Project) -> None:
    first, second = PipelineError("one of https://me:secret@host/"), PipelineError("two")
    first.stage, second.stage = "image-demo-armv6", "gcc-armv6"
    both = cli_errors.SeveralFailed([(first, []), (second, ["x"])])
    one, two = problems.of(both, project)
    assert (one.path, two.path) == ("services/demo/service.toml", "")
    assert "secret" not in one.text
