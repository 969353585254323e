"""Compare files with their signatures: `--key FILE.pub dist`, or one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.dist import errors as dist_errors
from muslin.dist import signatures
from muslin.dist.signatures import Finding
from muslin.engine.remote.errors import SigningMissing


def parser() -> Parser:
    options = Parser(
        "verify-dist",
        __doc__,
        examples=("--key store.pem.pub dist", "--key store.pem.pub dist/armv6/hello-c"),
    )
    options.add_argument("--key", required=True, metavar="FILE", help="the signer's public key")
    options.add_argument("path", metavar="PATH", help="a directory as dist/ is, or a file of one")
    return options


def run(context: Context, options: argparse.Namespace, called: Call) -> None:
    """Look at every file. Raises `NotAsSigned`, `NothingSigned`, `NoSuchFile`."""
    try:
        from muslin.engine.remote import signing  # noqa: PLC0415  # an optional library
    except ModuleNotFoundError as error:
        raise SigningMissing from error
    key = signing.public(called.caller / Path(options.key).expanduser())
    trusted = {key.id: key}
    path = called.caller / Path(options.path).expanduser()
    if path.is_dir():
        found = list(signatures.findings(path, trusted))
    elif path.is_file():
        found = [Finding(path=path.name, fault=signatures.fault(path, trusted))]
    else:
        raise errors.NoSuchFile(path)
    if not found:
        raise dist_errors.NothingSigned(path)
    if faults := [f"{one.path}: {one.fault}" for one in found if one.fault]:
        raise dist_errors.NotAsSigned(path, faults)
    context.report.say(f"{len(found)} file(s) are as {key.id} has signed them")
