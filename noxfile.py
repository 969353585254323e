# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "backports.zstd>=1; python_version < '3.14'",
#     "capstone>=5.0.6",
#     "filelock>=3.16",
#     "nox>=2026.8.10",
#     "platformdirs>=4.3",
#     "pydantic>=2.10,<3",
#     "pyelftools>=0.31",
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import nox

PROJECT = Path(__file__).resolve().parent
sys.path.insert(0, str(PROJECT))  # nox leaves the noxfile's folder out

if TYPE_CHECKING:
    from muslin.cli.pipeline import Pipeline

TARGETS = [path.stem for path in (PROJECT / "toolchains").glob("*.toml")]

nox.needs_version = ">=2026.8.10"
nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True


@contextmanager
def pipeline(session: nox.Session) -> Iterator[Pipeline]:
    """The pipeline, with whatever a person can meet said in its own words."""
    from muslin import errors  # declarations are read by the session, not by `nox -l`
    from muslin.cli.pipeline import Pipeline
    from muslin.engine.console import Report
    from muslin.engine.redaction import hidden

    try:
        yield Pipeline(PROJECT, Report())
    except errors.PipelineError as error:
        session.error(hidden(str(error)).rstrip("."))  # nox adds one


def talk() -> ModuleType:
    """The sessions that build nothing."""
    from muslin.cli import sessions  # as above

    return sessions


@nox.session(venv_backend="none")
def doctor(session: nox.Session) -> None:
    """0. Say what this machine has, what it lacks and how to get it."""
    with pipeline(session) as run:
        talk().examine(run)


@nox.session(venv_backend="none")
def fetch(session: nox.Session) -> None:
    """1. Download and verify every source; targets as arguments."""
    with pipeline(session) as run:
        run.fetch(session.posargs)


GOALS = {
    "toolchain": "2. GCC, musl and binutils; targets as arguments.",
    "openssl": "3. OpenSSL, static; targets as arguments.",
    "rust-std": "4. Rust's std for the target's processor; targets as arguments.",
    "services": "5. Every service, static; targets as arguments.",
    "verify": "6. Hold every binary to its processor, or one: `-- --file path/to/program armv6`.",
    "package": "7. Programs, images and sums into dist/; targets as arguments.",
    "build-all": "All of it, doctor to dist/; targets as arguments, the default ones without.",
    "boot": "Every service started on emulated Raspberry Pis; targets as arguments.",
    "sdk": "Toolchain, C libraries and Rust by hand, in dist/toolchains; targets as arguments.",
}
"""The sessions that build up to a goal, and their help."""


def building(goal: str) -> Callable[[nox.Session], None]:
    """What a session does that builds up to a goal."""

    def build(session: nox.Session) -> None:
        from muslin.cli.up_to_date import Unchanged  # quick; the pipeline is read if it must be

        known = Unchanged(PROJECT, goal, session.posargs)
        if known.repeated():
            return
        with pipeline(session) as run:
            found = talk().build(run, goal, session.posargs, Path(session.invoked_from))
            if found is not None:
                known.keep(found)

    build.__doc__ = GOALS[goal]
    return build


for name in GOALS:
    nox.session(venv_backend="none", name=name)(building(name))


@nox.session(venv_backend="none")
def check(session: nox.Session) -> None:
    """What any program needs at least, or whether it fits: `-- PATH... --boards pi-zero,pi-3`."""
    from muslin.cli.commands import check as programs  # nothing of the pipeline

    if code := programs.run(session.posargs, Path(session.invoked_from)):
        sys.exit(code)  # nox ends with 1 whatever a session reports


@nox.session(venv_backend="none")
def cargo(session: nox.Session) -> None:
    """Cargo for one target in the folder nox was called from: `-- armv6 build --release`."""
    with pipeline(session) as run:
        from muslin.cli.commands import cargo as by_hand  # as in `pipeline`

        program, arguments, environment = by_hand.cargo(run, session.posargs)
        session.chdir(session.invoked_from)
        session.run(program, *arguments, env=environment, external=True)


@nox.session(venv_backend="none")
def plan(session: nox.Session) -> None:
    """Show every stage, whether it is in the cache, and its key; builds nothing."""
    with pipeline(session) as run:
        talk().plan(run, session.posargs)


@nox.session(venv_backend="none")
def update(session: nox.Session) -> None:
    """Move every pin, or the named ones, to the newest of its series; a new name gets a pin."""
    with pipeline(session) as run:
        talk().update(run, session.posargs)


@nox.session(venv_backend="none")
def advisories(session: nox.Session) -> None:
    """Security fixes that the pins lack, by the archive's changelogs; `-- --json --offline`."""
    with pipeline(session) as run:
        talk().advise(run, session.posargs)


@nox.session(venv_backend="none")
def reproduce(session: nox.Session) -> None:
    """Build stages again elsewhere and compare: `-- armv6 --stages gcc-armv6 --jobs 8 --load`."""
    with pipeline(session) as run:
        from muslin.cli.commands import reproduce as second  # as in `pipeline`

        second.run(run, session.posargs)


@nox.session(venv_backend="none", name="import")
def import_(session: nox.Session) -> None:
    """A target file from a config.mak of musl-cross-make: `-- path/to/config.mak NAME`."""
    with pipeline(session) as run:
        talk().import_(run, session.posargs, Path(session.invoked_from))


@nox.session(venv_backend="none")
def ci(session: nox.Session) -> None:
    """Files by which a forge builds it all: `-- github` or `-- gitlab`; targets may follow."""
    with pipeline(session) as run:
        talk().write_ci(run, session.posargs)


@nox.session(venv_backend="none")
def gc(session: nox.Session) -> None:
    """Shrink the cache: `-- 10GB`, `-- --dry-run 10GB`; `-- --verify` reads every file."""
    with pipeline(session) as run:
        talk().collect(run, session.posargs)


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
