"""The options of a session: the words behind `--` on its command line, read by argparse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from muslin.cli import errors as cli_errors
from muslin.models import errors as model_errors

HELP = {"-h", "--help"}
NOX = "nox -s {session} --"
"""How a session is called through Nox; `muslin` has a spelling of its own."""


class HelpRequested(Exception):
    """The user asked for the help of a session; its text is the help."""


class Parser(argparse.ArgumentParser):
    """The options of one session. `summary` is its help, `examples` are words behind `--`."""

    spelled = NOX
    """How a person calls a session, for help and messages."""

    def __init__(self, session: str, summary: str, *, examples: Sequence[str] = ()) -> None:
        called = self.spelled.format(session=session)
        lines = [
            f"  {called} {words}" if words else f"  {called}".removesuffix(" --")
            for words in examples
        ]
        super().__init__(
            prog=called,
            description=summary,
            epilog="\n".join(["examples:", *lines]) if lines else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.session, self.examples = session, tuple(examples)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words; names and options may stand in any order.

        Raises `Unknown` for an option that the session does not have, `WrongUse` for one without
        its value, `HelpRequested`.
        """
        if HELP & {*words}:
            raise HelpRequested(self.format_help())
        options, rest = self.parse_known_intermixed_args(words)
        if rest:
            known = [name for action in self._actions for name in action.option_strings]
            raise model_errors.Unknown(f"option of {self.session}", rest[0], known)
        return options

    def error(self, message: str) -> NoReturn:
        raise cli_errors.WrongUse(self.session, message)

    def add_targets(self) -> None:
        """Take names of targets, in `options.targets`."""
        self.add_argument(
            "targets",
            nargs="*",
            metavar="TARGET",
            help="names or triples of targets; `targets` of [tool.muslin] by default",
        )

    def add_selection(self) -> None:
        """Take targets and what else a build or plan is about; `Context.select` reads it."""
        self.add_targets()
        self.add_argument(
            "--service",
            type=lambda text: text.split(","),
            default=[],
            metavar="NAME[,NAME]",
            help="only these services",
        )
        self.add_argument("--sources", default="", metavar="SET", help="upstream or debian")
        self.add_argument(
            "--driver", default="", metavar="NAME", help="builtin, musl-cross-make or zig"
        )

    def add_keep_going(self) -> None:
        """Take `--keep-going`, in `options.keep_going`."""
        self.add_argument(
            "--keep-going", action="store_true", help="build what can be built where a stage fails"
        )
