# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "argcomplete>=3.5",
#     "backports.zstd>=1; python_version < '3.14'",
#     "capstone>=5.0.6",
#     "filelock>=3.16",
#     "nox>=2026.8.10",
#     "platformdirs>=4.3",
#     "pydantic>=2.10,<3",
#     "pyelftools>=0.31",
#     "pysequoia>=0.1.35",
#     "python-debian>=1.0",
#     "requests>=2.32",
#     "tomli-w>=1.1",
#     "tqdm>=4.66",
#     "urllib3>=2.2",
# ]
# ///
"""Muslin's sessions. `nox -l` lists them; targets are arguments: `nox -s build-all -- armv6`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import nox

if sys.version_info < (3, 11):  # noqa: UP036  # whoever has an older one shall read why
    sys.exit(f"Muslin requires Python 3.11 or newer; Nox runs in {sys.executable}, {sys.version}")
PROJECT = Path(__file__).resolve().parent
sys.path.insert(0, str(PROJECT))  # nox leaves the noxfile's folder out

from muslin.cli import nox_sessions  # noqa: E402  # found there

TARGETS = [path.stem for path in (PROJECT / "toolchains").glob("*.toml")]

nox.needs_version = ">=2026.8.10"
nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True


nox_sessions.define(PROJECT)


def prepare(session: nox.Session, *groups: str) -> None:
    """Install what the project needs, and these groups of what its development needs."""
    project = nox.project.load_toml(PROJECT / "pyproject.toml")
    session.install(*project["project"]["dependencies"])
    session.install(*nox.project.dependency_groups(project, *groups))


@nox.session
def tests(session: nox.Session) -> None:
    """The project's own tests; arguments go to pytest."""
    prepare(session, "test")
    # A file's tests stay together: those of one file build stages of one name.
    session.run("pytest", "--numprocesses=auto", "--dist=loadfile", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documents as a site in site/html/; fails on dead links."""
    project = nox.project.load_toml(PROJECT / "pyproject.toml")
    session.install(*nox.project.dependency_groups(project, "docs"))
    session.run("python", "-m", "documents", "site/pages")
    session.run("zensical", "build", "--strict")


@nox.session
def fuzz(session: nox.Session) -> None:
    """A hundred thousand damaged files through the audit, or as many as the argument says."""
    prepare(session, "test")
    files = session.posargs or ["100000"]
    session.run("pytest", "-s", "tests/e2e/test_fuzz.py", "--files", *files)


@nox.session
def mutants(session: nox.Session) -> None:
    """Small faults put into the code, which tests must notice: `-- audit --sample 50 --seed 1`."""
    prepare(session, "test", "mutants")
    session.run("python", "-m", "mutants", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Comparisons with other tools into docs/performance.md; wants build-all and sdk first."""
    prepare(session, "test")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and which module may import which."""
    prepare(session, "test", "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports")


if "--" not in sys.argv and (named := sorted({*TARGETS} & {*sys.argv})):  # nox says less of it
    said = "targets are arguments: `nox -s build-all -- %s`"
    logging.getLogger("nox").warning(said, " ".join(named))
