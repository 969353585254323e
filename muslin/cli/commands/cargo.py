"""cargo for a target in a folder of the user's own, with all that the session `sdk` makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from muslin import errors
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


def cargo(pipeline: Pipeline, words: Sequence[str]) -> tuple[str, list[str], dict[str, str]]:
    """Program, arguments and environment of a cargo for one target, built if it is not there.

    Raises `NoTarget` without a target, `CargoCannot` for what would not do what it seems to.
    """
    if not words:
        raise errors.NoTarget("cargo", pipeline.targets)
    (one,) = pipeline.chosen(words[:1])
    asked = list(words[1:])
    _insist(asked, one.name)
    with pipeline.at_work():
        builder = pipeline.builder()
        (stage,) = pipeline.settled(builder, lambda: [pipeline.catalog().sdk(one)])
        with ThreadPoolExecutor(pipeline.settings.jobs, thread_name_prefix="stage") as executor:
            entry = builder.build([stage], executor)[stage.name]
    rust = entry.tree / "rust" / "bin"
    environment = dict(sdk.environment(one, str(entry.tree)))
    environment |= {"RUSTC": str(rust / "rustc"), "RUSTDOC": str(rust / "rustdoc")}
    return str(rust / "cargo"), asked, environment


def _insist(asked: Sequence[str], target: str) -> None:
    command = next((word for word in asked if not word.startswith(("-", "+"))), "")
    if command in REFUSED:
        raise errors.CargoCannot(command, REFUSED[command])
    rooted = any(word == ROOT or word.startswith(f"{ROOT}=") for word in asked)
    if command == "install" and not rooted:
        why = f"it would put a program for {target} among this machine's own; say `{ROOT} FOLDER`"
        raise errors.CargoCannot(command, why)
