"""Make a pair of keys that signs what is shared: `FILE`, and the public half in `FILE.pub`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine.remote import errors as remote_errors
from muslin.engine.remote.errors import PASSPHRASE_VARIABLE


def parser() -> Parser:
    options = Parser("key", __doc__, examples=("~/store.pem", "ci.pem --passphrase-file phrase"))
    options.add_argument("file", metavar="FILE", help="a new file for the private key")
    options.add_argument(
        "--passphrase-file",
        default="",
        metavar="PATH",
        help=f"encrypt it with this file's first line, or {PASSPHRASE_VARIABLE}'s text",
    )
    return options


def run(context: Context, options: argparse.Namespace, called: Call) -> None:
    """Write both files. Raises `KeyExists`, `KeyUnreadable`, `SigningMissing`, `NoSuchFile`."""
    try:
        from muslin.engine.remote import signing  # noqa: PLC0415  # an optional library
    except ModuleNotFoundError as error:
        raise remote_errors.SigningMissing from error
    path = Path(os.path.normpath(called.caller / Path(options.file).expanduser()))
    key = signing.generate(path, _passphrase(options.passphrase_file, called.caller))
    context.report.say(f"{path}: the private key, for those who fill a store; keep it secret")
    context.report.say(f"{path}{signing.SUFFIX}: the public key, for `trusted`; key id {key.id}")


def _passphrase(file: str, caller: Path) -> str:
    if not file:
        return os.environ.get(PASSPHRASE_VARIABLE, "")
    path = caller / Path(file).expanduser()
    if not path.is_file():
        raise errors.NoSuchFile(path)
    first, *_ = path.read_text(encoding="utf-8").splitlines() or [""]
    if not first:
        raise remote_errors.KeyUnreadable(path, "its first line, the passphrase, is empty")
    return first
