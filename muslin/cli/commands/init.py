"""Write a service.toml with what is inferred of this project, to be changed."""

from __future__ import annotations

import argparse

import tomli_w

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.filesystem import atomic
from muslin.models import cargo_program, service_places


def parser() -> Parser:
    return Parser("init", __doc__, examples=("",))


def run(context: Context, _options: argparse.Namespace, _: Call) -> None:
    """Write the file beside each package with a program that declares nothing.

    Raises `NothingToInfer` where there is none.
    """
    found = {name: place for name, place in context.declared.items() if place.program}
    if not found:
        raise errors.NothingToInfer(context.settings.project)
    folders = [place.folder for place in found.values()]
    for name, place in found.items():
        folder = place.folder
        table = cargo_program.defaults(folder, program=place.program)
        file = folder / service_places.FILE
        if folders.count(folder) > 1:  # a service.toml is about one program
            file = folder / "services" / name / service_places.FILE
            file.parent.mkdir(parents=True, exist_ok=True)
            table = {"source": "../..", **table}
            context.report.note(f'{file}: the project needs `services = ["services/*"]`')
        atomic.write(file, tomli_w.dumps({name: table[name] for name in table if table[name]}))
        context.report.say(f"{file} is written; docs/services.md lists all keys")
    context.report.say(
        "a service that declares itself is called like its directory; `plan` shows what it is"
    )
