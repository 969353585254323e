"""Sign what dist/ lists: `--key FILE` writes NAME.sigstore.json beside each file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from muslin import installation
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.dist import errors as dist_errors
from muslin.dist import signatures
from muslin.engine.remote.errors import PASSPHRASE_VARIABLE, SigningMissing


def parser() -> Parser:
    options = Parser("sign-dist", __doc__, examples=("--key ~/store.pem",))
    options.add_argument(
        "--key", required=True, metavar="FILE", help="a private key that the session `key` made"
    )
    return options


def run(context: Context, options: argparse.Namespace, called: Call) -> None:
    """Write the bundles. Raises `NothingSigned`, and what is wrong with the key."""
    try:
        from muslin.engine.remote import signing  # noqa: PLC0415  # an optional library
    except ModuleNotFoundError as error:
        raise SigningMissing from error
    path = called.caller / Path(options.key).expanduser()
    key = signing.private(path, os.environ.get(PASSPHRASE_VARIABLE, ""))
    signed = signatures.sign(context.settings.dist, key, installation.version())
    if not signed:
        raise dist_errors.NothingSigned(context.settings.dist)
    context.report.say(f"{len(signed)} files in dist/ are signed by {key.public.id}")
