"""Write a service.toml with what is inferred of this project, to be changed."""

from __future__ import annotations

import argparse

import tomli_w

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.filesystem import atomic
from muslin.models import cargo_program, service


def parser() -> Parser:
    return Parser("init", __doc__, examples=("",))


def run(context: Context, _options: argparse.Namespace, _: Call) -> None:
    """Write the file beside each package with a program that declares nothing.

    Raises `NothingToInfer` where there is none.
    """
    found = [folder for folder in context.declared.values() if not service.declares(folder)]
    if not found:
        raise errors.NothingToInfer(context.settings.project)
    for folder in found:
        file = folder / service.FILE
        table = cargo_program.defaults(folder, whole=True)
        atomic.write(file, tomli_w.dumps({name: table[name] for name in table if table[name]}))
        context.report.say(f"{file} is written; docs/services.md lists all keys")
    context.report.say(
        "a service that declares itself is called like its directory; `plan` shows what it is"
    )
