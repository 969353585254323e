"""Completions of the command `muslin` for bash, zsh and fish, by argcomplete.

The shell calls `muslin` with the line as it is; the answer goes to a descriptor of its own. Names
of targets and services are those of the project in the current directory.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import argcomplete
from argcomplete import shell_integration

from muslin import installation
from muslin.cli import main
from muslin.errors import PipelineError
from muslin.models import errors as model_errors

SESSION = "completion"
SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """What a shell reads once; raises `Unknown` for another shell."""
    if shell not in SHELLS:
        raise model_errors.Unknown("shell", shell, SHELLS)
    return shell_integration.shellcode(["muslin"], shell=shell)


def answer(words: Iterable[str]) -> None:
    """Complete the line that the shell has, and end the process."""
    argcomplete.autocomplete(_parser(frozenset(words)), always_complete_options="long")


def _parser(words: frozenset[str]) -> argparse.ArgumentParser:
    """Every session, with the options of those that the line names: to read all takes longer."""
    whole = argparse.ArgumentParser(prog="muslin", allow_abbrev=False)
    whole.add_argument("--version", action="store_true")
    sessions = whole.add_subparsers(dest="session")
    for name, summary in main.sessions().items():
        own = [main.parser(name)] if name in words else []
        made = sessions.add_parser(
            name, help=summary.splitlines()[0], parents=own, conflict_handler="resolve"
        )
        for action in made._actions:
            if (complete := COMPLETED.get(action.dest)) is not None:
                action.completer = complete  # type: ignore[attr-defined]  # argcomplete's way
    shells = sessions.add_parser(SESSION, help="Print a script that completes the command.")
    shells.add_argument("shell", choices=SHELLS)
    return whole


def _targets(**_: Any) -> list[str]:  # noqa: ANN401  # argcomplete gives more than is wanted
    return _declared("toolchains")


def _boards(**_: Any) -> list[str]:  # noqa: ANN401  # likewise
    from muslin.check import computers  # noqa: PLC0415  # its table is read on import

    return [name for one in computers.known() for name in (one.name, *one.names)]


def _services(**_: Any) -> list[str]:  # noqa: ANN401  # likewise
    from muslin.models import service_places, settings  # noqa: PLC0415  # as above

    try:
        return sorted(service_places.named(settings.load(_project()).services))
    except (PipelineError, OSError):  # whoever completes a line wants no message in it
        return []


def _declared(kind: str) -> list[str]:
    folders = installation.overlay(_project(), kind)
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


def _project() -> Path:
    from muslin.models import project  # noqa: PLC0415  # as above

    here = Path.cwd()
    try:
        return project.find(here).root
    except (PipelineError, OSError):
        return here


COMPLETED: Mapping[str, Callable[..., list[str]]] = MappingProxyType(
    {
        "targets": _targets,
        "target": _targets,
        "service": _services,
        "boards": _boards,
        "forge": lambda **_: ["github", "gitlab"],
        "sources": lambda **_: ["debian", "upstream"],
        "driver": lambda **_: ["builtin", "musl-cross-make"],
    }
)
"""What completes an argument, by its name."""
