"""`python -m muslin.check PATH...`: what programs need, or whether they fit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from muslin.check import arguments

WRONG_USE = 2


def main(words: Sequence[str], folder: Path, called: str = arguments.PROGRAM) -> int:
    """Check what the words name, as seen from a folder, and return the exit code."""
    try:
        chosen = arguments.parser(called).parse_args(words)
    except SystemExit as asked:  # argparse has printed its help, or what is wrong
        return int(asked.code or 0)
    from muslin.check import command, requirement  # the disassembler takes a while to load
    from muslin.check.assessment import Options

    try:
        held_to = command.requirements(chosen)
    except requirement.UnknownName as error:
        _note(f"check: {error}")
        return WRONG_USE
    options = Options(accept_unseen=chosen.accept_unseen, allow_dynamic=chosen.allow_dynamic)
    result = command.check([folder / path for path in chosen.paths], held_to, options)
    command.show(result, chosen, _say, _note)
    return result.exit_code


def _say(text: str) -> None:
    sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:], Path())
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
