"""The options of a session: the words behind `--` on its command line, read by argparse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from muslin.cli import errors as cli_errors
from muslin.invocation import prefix, spelled
from muslin.models import errors as model_errors

HELP = {"-h", "--help"}


class HelpRequested(Exception):
    """The user asked for the help of a session; its text is the help."""


class Parser(argparse.ArgumentParser):
    """The options of one session. `summary` is its help, `examples` are words behind it."""

    takes_level = True
    """Whether it has `-q` and `-v`."""

    def __init__(self, session: str, summary: str, *, examples: Sequence[str] = ()) -> None:
        lines = [f"  {spelled(session, words)}" for words in examples]
        super().__init__(
            prog=prefix(session),
            description=summary,
            epilog="\n".join(["examples:", *lines]) if lines else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.session, self.examples = session, tuple(examples)
        if self.takes_level:
            self._add_level()

    def _add_level(self) -> None:
        amount = self.add_mutually_exclusive_group()
        for letter, level, meaning in (
            ("q", "quiet", "say results, notes and failures alone"),
            ("v", "verbose", "name the log of each stage that begins"),
        ):
            amount.add_argument(
                f"-{letter}",
                f"--{level}",
                action="store_const",
                const=level,
                dest="level",
                default="normal",
                help=meaning,
            )

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

    def add_selection(self, *, crates: bool = True) -> None:
        """Take targets and what else a build or plan is about; `Context.select` reads it, or
        `crates.selected` where published programs can be named too."""
        self.add_targets()
        self.add_services()
        if crates:
            self.add_argument(
                "--crate",
                action="append",
                default=[],
                metavar="NAME[@VERSION]",
                help="a program of the crates registry instead of services; may be repeated",
            )
        self.add_argument("--sources", default="", metavar="SET", help="upstream or debian")
        self.add_argument(
            "--driver", default="", metavar="NAME", help="builtin, musl-cross-make or zig"
        )

    def add_services(self) -> None:
        """Take names of services, in `options.service`."""
        self.add_argument(
            "--service",
            type=lambda text: text.split(","),
            default=[],
            metavar="NAME[,NAME]",
            help="only these services",
        )

    def add_sarif(self) -> None:
        """Take `--sarif`, which `muslin.cli.run_report` looks for."""
        self.add_argument(
            "--sarif",
            action="store_true",
            help="write dist/muslin.sarif, as in CI, if it fills dist/",
        )

    def add_keep_going(self) -> None:
        """Take `--keep-going`, in `options.keep_going`."""
        self.add_argument(
            "--keep-going", action="store_true", help="build what can be built where a stage fails"
        )
