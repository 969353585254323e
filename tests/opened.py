"""The pipeline of a project, opened as a session opens it."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from pathlib import Path

from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.engine.console import Report

PROJECT = Path(__file__).resolve().parents[1]


def pipeline(
    project: Path = PROJECT,
    *,
    report: Report | None = None,
    targets: Sequence[str] = (),
    driver: str = "",
) -> Pipeline:
    """The pipeline of some targets, the default ones without; silent without a report."""
    context = Context(project, report or Report(io.StringIO()))
    return Pipeline(context, context.select(targets, driver=driver))


def session(context: Context, name: str, words: Sequence[str] = (), caller: Path = PROJECT) -> None:
    """Run a session as `muslin.cli.main` does, but for its messages."""
    module = importlib.import_module(f"muslin.cli.commands.{name}")
    called = Call(name=name, words=words, project=context.settings.project, caller=caller)
    module.run(context, module.parser().read(words), called)
