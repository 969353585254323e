"""Write a target file from a config.mak of musl-cross-make."""

from __future__ import annotations

import argparse

from muslin.cli import config_mak, errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.formats import documents
from muslin.invocation import spelled
from muslin.models import declaration
from muslin.models.target import Target


def parser() -> Parser:
    options = Parser("import", __doc__, examples=("path/to/config.mak", "config.mak mine"))
    options.add_argument("file", nargs="?", default="config.mak", metavar="FILE")
    options.add_argument("name", nargs="?", default="", metavar="NAME", help="of the target")
    return options


def run(context: Context, options: argparse.Namespace, called: Call) -> None:
    """Turn the file into a target file, with an account of every line.

    Raises `NotImported`, `TargetThere`, `BadDeclaration` for a name that no target can have.
    """
    path = called.caller / options.file
    if not path.is_file():
        raise errors.NotImported(path, "there is no such file")
    made = config_mak.imported(path, context.targets)
    context.report.table("", (path.name, "what became of it"), made.account)
    name = options.name or config_mak.name_for(made.triple)
    file = context.settings.project / "toolchains" / f"{name}.toml"
    declaration.parse(file, documents.toml_of(file, made.text), Target, name=name)
    if name in context.targets:
        raise errors.TargetThere(name, "name", made.text)
    for target in context.targets.values():
        if made.triple == target.triple:
            raise errors.TargetThere(target.name, "triple", made.text)
    file.parent.mkdir(exist_ok=True)
    file.write_text(made.text, encoding="utf-8")
    context.report.say(
        f"toolchains/{name}.toml is written; kernel, machine, bits, rust, qemu, openssl and image "
        f"are those of {made.model}: look at them. It has no `baseline`: until it has one of "
        "muslin/audit/baseline.py no instruction is verified. "
        f"Then {spelled('plan', name)}"
    )
