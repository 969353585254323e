"""The command `muslin`: each session is a verb of the same name and the same code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from muslin import installation, invocation
from muslin.cli import main as sessions
from muslin.cli.call import Call, Program
from muslin.engine.similar_names import similar
from muslin.invocation import Spelling

USAGE = """\
usage: muslin SESSION [OPTIONS] [TARGET ...]
       muslin SESSION --help
       muslin completion bash|zsh|fish
       muslin --version

Static musl binaries and images for every Raspberry Pi, and for servers. A session is about the
project in this directory or the nearest one above: a cargo package, or what has a muslin.toml.

sessions:
{sessions}

examples:
  muslin build-all armv6       this project's program for a Pi 1 or Zero, verified, in an image
  muslin build-all armv6 --crate ripgrep@15       the same of a program of the crates registry
  muslin plan                  what that would build, and how long it would take
  muslin check PATH            whether a program fits a processor
"""
ASKED, COMPLETION = "_ARGCOMPLETE", "completion"
"""The variable by which a shell asks for completions, and the word that prints its script."""
ANYWHERE = ("check", "doctor", "gc", "key", "verify-dist")
"""Sessions that are about no project."""


def main(words: Sequence[str] = ()) -> int:
    """Run a session; the exit code is 0, 1 for a failure, 2 for wrong use."""
    if os.environ.get(ASKED):
        from muslin.cli import completion  # noqa: PLC0415  # seldom

        completion.answer(os.environ.get("COMP_LINE", "").split())
    name, *rest = [*(words or sys.argv[1:])] or ["--help"]
    if name == "help" and rest:
        name, rest = rest[0], ["--help"]
    if name in {"-h", "--help", "help"}:
        sys.stdout.write(_usage())
        return 0
    if name in {"-V", "--version"}:
        sys.stdout.write(f"muslin {_version()}\n")
        return 0
    if name == COMPLETION:
        return _complete(rest)
    if name not in sessions.sessions():
        near = similar(name, sessions.sessions())
        hint = f" Did you mean {near[0]}?" if near else ""
        text = f"there is no session {name!r}.{hint} `muslin --help` lists them"
        return _fail(text, sessions.WRONG_USE)
    return _run(name, rest[1:] if rest[:1] == ["--"] else rest)


def _run(name: str, words: list[str]) -> int:
    from muslin.errors import PipelineError  # noqa: PLC0415  # the help comes first

    invocation.use(Spelling.COMMAND)
    here = Path.cwd()
    try:
        root = here if name in ANYWHERE else _root(here, words)
        outcome = sessions.call(Call(name=name, words=words, project=root, caller=here, apart=True))
    except sessions.SessionFailed as error:
        return _fail(str(error), error.code)
    except PipelineError as error:
        return _fail(str(error), sessions.FAILED)
    if isinstance(outcome, Program):
        os.execvpe(outcome.argv[0], outcome.argv, {**os.environ, **outcome.environment})  # noqa: S606  # as Nox does
    return outcome


def _root(here: Path, words: Sequence[str]) -> Path:
    """The project's; a published program needs none, and has its `dist/` in this directory."""
    from muslin.models import errors, project  # noqa: PLC0415  # as above

    try:
        return project.find(here).root
    except errors.NoProject:
        if any(word.partition("=")[0] == "--crate" for word in words):
            return here
        raise


def _complete(words: list[str]) -> int:
    from muslin.cli import completion  # noqa: PLC0415  # seldom
    from muslin.models.errors import Unknown  # noqa: PLC0415

    try:
        sys.stdout.write(completion.script(words[0] if words else ""))
    except Unknown as error:
        return _fail(str(error), sessions.WRONG_USE)
    return 0


def _usage() -> str:
    rows = sessions.sessions().items()
    lines = (f"  {name:<14} {summary.splitlines()[0]}" for name, summary in rows if summary)
    return USAGE.format(sessions="\n".join(lines))


def _version() -> str:
    try:
        return metadata.version("muslin")
    except metadata.PackageNotFoundError:
        return f"(checkout in {installation.ROOT})"


def _red(text: str) -> str:
    """Text in colour on a terminal, unless `NO_COLOR` is set (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain or not sys.stderr.isatty() else f"\033[1;31m{text}\033[0m"


def _fail(text: str, code: int) -> int:
    sys.stderr.write(f"{_red('muslin:')} {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
