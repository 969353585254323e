"""Call a session by its name with the words of its command line."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muslin import invocation
from muslin.cli.call import Call, Program
from muslin.cli.run_report import environment

if TYPE_CHECKING:  # a run with nothing to do imports nothing of it
    from muslin.cli.context import Context
    from muslin.errors import PipelineError

COMMANDS = Path(__file__).with_name("commands")
REMEMBERED = (
    *("toolchain", "openssl", "rust-std", "services"),
    *("verify", "package", "packages", "build-all", "boot", "sdk"),
)
"""Sessions that build: if nothing has changed since the last run, they say so at once."""


FILLING = ("verify", "package", "build-all", "boot", "sdk")
"""Sessions that fill `dist/`."""
NOTHING: Mapping[str, Path] = MappingProxyType({})
STANDALONE = "check"
"""It needs nothing of the pipeline, and has options and exit codes of its own."""


FAILED, WRONG_USE = 1, 2
"""Exit codes."""


class SessionFailed(Exception):
    """A session failed; the text is for the person who called it."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code
        """`FAILED`, or `WRONG_USE` for a word that no session takes."""


def sessions() -> Mapping[str, str]:
    """The help of each session by its name: those with a number first, then by name."""
    found = {
        _name(path): ast.get_docstring(ast.parse(path.read_bytes())) or ""
        for path in COMMANDS.glob("[!_]*.py")
    }
    order = sorted(found, key=lambda name: (found[name] if found[name][0].isdigit() else "~", name))
    return MappingProxyType({name: found[name] for name in order})


def parser(name: str) -> argparse.ArgumentParser:
    """The options of a session."""
    if name == STANDALONE:
        from muslin.check import arguments  # noqa: PLC0415  # as below

        return arguments.parser(invocation.prefix(name))
    made: argparse.ArgumentParser = _command(name).parser()
    return made


def call(called: Call) -> Program | int:
    """Run a session; the program that it ends in, or its exit code. Raises `SessionFailed`."""
    if called.name == STANDALONE:
        from muslin.cli.commands import check  # noqa: PLC0415  # the pipeline is not imported

        return check.run(called.words, called.caller)
    from muslin.cli.up_to_date import Unchanged  # noqa: PLC0415  # the quick answer comes first

    known = None
    if called.name in REMEMBERED:
        known = Unchanged(called.project, called.name, called.words)
        if known.repeated():
            _leave_reports(called)
            return 0
    return _run(called, known.keep if known else None)


def _run(called: Call, keep: Callable[..., None] | None) -> Program | int:
    from muslin.cli import errors  # noqa: PLC0415
    from muslin.cli.context import Context  # noqa: PLC0415
    from muslin.cli.options import HelpRequested  # noqa: PLC0415
    from muslin.engine.console import Report  # noqa: PLC0415
    from muslin.engine.redaction import hidden  # noqa: PLC0415
    from muslin.engine.workflow_commands import inert  # noqa: PLC0415
    from muslin.errors import PipelineError  # noqa: PLC0415  # as above

    module = _command(called.name)
    report, context = Report(), None
    try:
        options = module.parser().read(called.words)
        if called.apart:
            report.divert()
        report.level = getattr(options, "level", report.level)
        context = Context(called.project, report)
        result = module.run(context, options, called)
    except HelpRequested as request:
        report.data(str(request))
        return 0
    except PipelineError as error:
        _leave_reports(called, error, _folders(context))
        code = WRONG_USE if isinstance(error, errors.OF_USE) else FAILED
        raise SessionFailed(inert(hidden(str(error)).rstrip(".")), code) from error
    if isinstance(result, Program):
        return result
    if result is not None and keep is not None:
        keep(result)
    _leave_reports(called)
    return 0


def _folders(context: Context | None) -> dict[str, Path]:
    """Where the services of a project are, by name."""
    if context is None:
        return {}
    return {name: place.folder for name, place in context.declared.items()}


def _leave_reports(
    called: Call, error: PipelineError | None = None, services: Mapping[str, Path] = NOTHING
) -> None:
    """What a forge reads, if the run is on one; a forge that cannot be told changes no outcome."""
    if not environment.wanted(called.words, os.environ):
        return
    from muslin.cli.run_report import forge  # noqa: PLC0415  # seldom
    from muslin.engine.console import Report  # noqa: PLC0415  # likewise

    report = Report()
    outcome = forge.Outcome(
        session=called.name,
        dist=called.project / "dist",
        fills=called.name in FILLING,
        error=error,
    )
    try:
        forge.leave(outcome, services, os.environ, report.data)
    except OSError as fault:
        report.note(f"reports for the forge could not be written: {fault}")


def _name(path: Path) -> str:
    return path.stem.rstrip("_").replace("_", "-")


def _command(name: str) -> Any:  # noqa: ANN401  # a module of commands/
    module = name.replace("-", "_")
    if not (COMMANDS / f"{module}.py").exists():
        module = f"{module}_"
    return importlib.import_module(f"muslin.cli.commands.{module}")
