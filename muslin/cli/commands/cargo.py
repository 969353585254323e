"""Call cargo for one target in the caller's directory: `armv6 build --release`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from muslin.cli import errors
from muslin.cli.call import Call, Program
from muslin.cli.context import Context
from muslin.cli.options import HELP, HelpRequested, Parser
from muslin.cli.pipeline import Pipeline
from recipes import sdk

COMPILER = (
    "it is a compiler of its own, and reads the std of its own release alone: call your own cargo"
)
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "clippy": f"{COMPILER}, without a target",
        "miri": COMPILER,
    }
)
"""Subcommands that cannot work with another std than theirs, and why."""
ROOT = "--root"


class _Words(Parser):
    """A target; all words behind it are cargo's own, `--help` among them."""

    takes_level = False

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        if HELP & {*words[:1]}:
            raise HelpRequested(self.format_help())
        return argparse.Namespace(target=words[0] if words else "", words=list(words[1:]))


def parser() -> Parser:
    options = _Words("cargo", __doc__, examples=("armv6 build --release",))
    options.add_argument("target", metavar="TARGET")
    options.add_argument("words", nargs="*", metavar="WORD", help="what cargo is called with")
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> Program:
    """The cargo of a target, built if it is not there.

    Raises `NoTarget` without a target, `CargoCannot` for what would not do what it seems to.
    """
    if not options.target:
        raise errors.NoTarget("cargo", context.targets)
    (target,) = context.targets_of([options.target])
    _insist(options.words, target.name)
    pipeline = Pipeline(context, context.select([target.name]))
    with context.at_work():
        builder = pipeline.builder(shares=True)
        (stage,) = pipeline.settled(builder, lambda: [pipeline.catalog().images.sdk(target)])
        with ThreadPoolExecutor(context.settings.jobs, thread_name_prefix="stage") as executor:
            entry = builder.build([stage], executor)[stage.name]
    rust = entry.tree / "rust" / "bin"
    environment = dict(sdk.environment(target, str(entry.tree)))
    environment |= {"RUSTC": str(rust / "rustc"), "RUSTDOC": str(rust / "rustdoc")}
    return Program(argv=(str(rust / "cargo"), *options.words), environment=environment)


def _insist(asked: Sequence[str], target: str) -> None:
    command = next((word for word in asked if not word.startswith(("-", "+"))), "")
    if command in REFUSED:
        raise errors.CargoCannot(command, REFUSED[command])
    rooted = any(word == ROOT or word.startswith(f"{ROOT}=") for word in asked)
    if command == "install" and not rooted:
        why = f"it would put a program for {target} among this machine's own; say `{ROOT} FOLDER`"
        raise errors.CargoCannot(command, why)
