"""The session verify on files of the host's own compiler."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from muslin.cli import errors
from muslin.cli.context import Context
from muslin.engine.console import Report
from tests import opened

PROJECT = Path(__file__).resolve().parents[2]
OTHERS = {"x86_64": "aarch64", "aarch64": "x86_64"}
MACHINE = platform.machine()
BEYOND = {"x86_64": "vzeroupper", "aarch64": ".inst 0x04a00000"}
"""An instruction that the baseline lacks."""


class Run(Context):
    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__(PROJECT, Report(self.stream))

    def verify(self, folder: Path, *words: str) -> str:
        opened.session(self, "verify", words, folder)
        return self.stream.getvalue()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    if MACHINE not in OTHERS:
        pytest.skip(f"there is no target for {MACHINE}, which the host's compiler is for")
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    return Run()


def compiled(folder: Path, text: str, *options: str) -> None:
    (folder / "x.c").write_text(text)
    subprocess.run(["gcc", "-O1", *options, "-c", "x.c", "-o", "x.o"], cwd=folder, check=True)
    subprocess.run(["ar", "rc", "libx.a", "x.o"], cwd=folder, check=True)


def test_what_fits(run: Run, tmp_path: Path) -> None:
    compiled(tmp_path, "int f(int a) { return a + 1; }")
    said = run.verify(tmp_path, MACHINE, "--file", "libx.a")
    assert "libx.a: 1 ELF file(s), " in said
    assert " 0 finding(s), 0 allowed" in said


def test_what_needs_more(run: Run, tmp_path: Path) -> None:
    compiled(tmp_path, f'void f(void) {{ __asm__("{BEYOND[MACHINE]}"); }}')
    with pytest.raises(errors.DoesNotFit, match=r"libx\.a does not fit .*: 1 finding"):
        run.verify(tmp_path, "--file=libx.a", MACHINE)
    assert "refused: libx.a(x.o): f at 0x" in run.stream.getvalue()


def test_what_is_for_another_machine(run: Run, tmp_path: Path) -> None:
    compiled(tmp_path, "int f;")
    with pytest.raises(errors.DoesNotFit):
        run.verify(tmp_path, "--file", "x.o", OTHERS[MACHINE])
    assert "refused: x.o: is for EM_" in run.stream.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"#!/bin/sh\n", "is neither an ELF file nor an archive"),
        (b"\x7fELF", "is not a sound ELF file"),
        (b"!<arch>\nbroken", "breaks off or is no archive at byte 8"),
        (b"!<thin>\n", "is a thin archive"),
    ],
)
def test_what_cannot_be_looked_into(run: Run, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(errors.NotAudited, match=why):
        run.verify(tmp_path, "--file", "x", "armv6")


@pytest.mark.parametrize(
    "name", [b"/", b"/SYM64/", b"//", b"__.SYMDEF", b"__.SYMDEF/", b"", b"lib.rmeta/"]
)
def test_an_object_is_looked_at_whatever_its_name(run: Run, tmp_path: Path, name: bytes) -> None:
    """Linkers take it by the archive's index."""
    compiled(tmp_path, f'void f(void) {{ __asm__("{BEYOND[MACHINE]}"); }}')
    whole = (tmp_path / "libx.a").read_bytes()
    assert whole.count(b"x.o/".ljust(16)) == 1
    (tmp_path / "libx.a").write_bytes(whole.replace(b"x.o/".ljust(16), name.ljust(16)))
    with pytest.raises(errors.DoesNotFit, match="1 finding"):
        run.verify(tmp_path, "--file=libx.a", MACHINE)


@pytest.mark.parametrize("name", ["/\u00b2", "#1/\u00b9"])
def test_a_name_with_a_number_that_is_none(run: Run, tmp_path: Path, name: str) -> None:
    compiled(tmp_path, "int f(int a) { return a + 1; }")
    whole = (tmp_path / "libx.a").read_bytes()
    called = name.encode("latin-1").ljust(16)
    (tmp_path / "libx.a").write_bytes(whole.replace(b"x.o/".ljust(16), called))
    assert "0 finding(s)" in run.verify(tmp_path, "--file=libx.a", MACHINE)


def audited(folder: Path, **more: object) -> subprocess.CompletedProcess[str]:
    """The audit as a stage runs it, on what lies in `folder`."""
    rules = {
        "subject": "demo",
        "target": MACHINE,
        "baseline": {"x86_64": "x86-64", "aarch64": "armv8.0"}[MACHINE],
        "machine": f"EM_{MACHINE.upper()}",
        "bits": 64,
        "little-endian": True,
        "patterns": ["*.a"],
        "ran": ["on nothing"],
        "contains": [
            {"component": "zlib", "version": "1.3.1-1", "fixes": ["CVE-2026-0001"]},
            {"component": "musl", "version": "1.2.5-1", "fixes": []},
        ],
        "shipped": "",
        "allowed": [],
        **more,
    }
    (folder / "rules.json").write_text(json.dumps(rules))
    words = (sys.executable, "-m", "muslin.audit", "rules.json", ".", ".")
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("run")
def test_the_reports_of_what_fits(tmp_path: Path) -> None:
    compiled(tmp_path, "int f(int a) { return a + 1; }")
    assert audited(tmp_path).returncode == 0
    text = (tmp_path / "report.txt").read_text()
    assert text.startswith(f"demo for {MACHINE}: fits ")
    assert "ran: on nothing\n" in text
    table = json.loads((tmp_path / "report.json").read_text())
    assert (table["fits"], table["files"][0]["elf_files"], table["files"][0]["refused"]) == (
        True,
        1,
        [],
    )


@pytest.mark.usefixtures("run")
def test_what_does_not_fit_gets_no_report(tmp_path: Path) -> None:
    compiled(tmp_path, f'void f(void) {{ __asm__("{BEYOND[MACHINE]}"); }}')
    done = audited(tmp_path)
    assert done.returncode == 3
    assert f"demo does not fit {MACHINE}" in done.stdout
    assert "  refused: libx.a(x.o): f at 0x" in done.stdout
    assert "say so in muslin/audit/allowed.toml: docs" in done.stdout
    assert "say so in [[allowed]] of service.toml: docs" in audited(tmp_path, shipped="x.o").stdout
    assert not list(tmp_path.glob("report.*"))


@pytest.mark.usefixtures("run")
def test_what_is_allowed_is_reported_with_its_reason(tmp_path: Path) -> None:
    compiled(tmp_path, f'void f(void) {{ __asm__("{BEYOND[MACHINE]}"); }}')
    needs = {"x86_64": "AVX or later", "aarch64": "SVE"}[MACHINE]
    baseline = {"x86_64": "x86-64", "aarch64": "armv8.0"}[MACHINE]
    entry = {"baselines": [baseline], "file": "libx.a", "members": ["x.o"], "symbols": ["f"],
             "needs": [needs], "reason": "somebody looks"}  # fmt: skip
    assert audited(tmp_path, allowed=[entry]).returncode == 0
    assert "; somebody looks\n" in (tmp_path / "report.txt").read_text()
    for change in ({"members": ["y.o"]}, {"symbols": ["g"]}, {"needs": ["SHA"]}, {"file": "y.a"}):
        assert audited(tmp_path, allowed=[{**entry, **change}]).returncode == 3, change


@pytest.mark.usefixtures("run")
def test_nothing_to_look_at_is_refused(tmp_path: Path) -> None:
    compiled(tmp_path, "int f(int a) { return a + 1; }")
    done = audited(tmp_path, patterns=["*.a", "*.so"])
    assert done.returncode == 3
    assert "nothing in it matches *.so" in done.stdout
    (tmp_path / "empty.a").touch()
    done = audited(tmp_path)
    assert done.returncode == 3
    assert "demo cannot be verified: empty.a" in done.stdout
    (tmp_path / "empty.a").write_bytes(b"!<arch>\n")  # as musl's libpthread.a
    assert audited(tmp_path).returncode == 0
    done = audited(tmp_path, patterns=["empty.a"])
    assert done.returncode == 3
    assert "no ELF file is in it" in done.stdout


@pytest.mark.usefixtures("run")
def test_what_a_linker_makes_code_of_is_not_seen(tmp_path: Path) -> None:
    compiled(tmp_path, "int f(int a) { return a + 1; }", "-flto")
    done = audited(tmp_path)
    assert done.returncode == 3
    assert "without -flto:\ndocs/verify.md" in done.stdout
    assert "allowed.toml" not in done.stdout


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(errors.NoSuchFile, match=r"there is no .* starts in the directory where"):
        run.verify(tmp_path, "--file", "nowhere", "armv6")


@pytest.mark.parametrize("words", [("--file", "x"), ("--file", "x", "armv6", "armv7")])
def test_what_is_not_enough_to_go_by(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(errors.NothingToVerify, match="wants a file and one target"):
        run.verify(tmp_path, *words)
