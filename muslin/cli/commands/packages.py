"""Make Debian packages of every service, and an archive of them for apt, in dist/."""

from __future__ import annotations

import argparse
from pathlib import Path

from muslin.cli.build import build
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.up_to_date import Found
from muslin.dist.apt_signature import Key
from muslin.engine import inputs


def parser() -> Parser:
    options = Parser(
        "packages", __doc__, examples=("armv6", "armv6 aarch64 --service hello-http --key apt.key")
    )
    options.add_selection()
    options.add_keep_going()
    options.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="OpenPGP secret key that signs the archive; unsigned without it",
    )
    return options


def run(context: Context, options: argparse.Namespace, call: Call) -> Found | None:
    """Build, verify and pack; raises `UnusableKey` before that."""
    key = Key(inputs.file(call.caller / options.key)) if options.key else None
    selection = context.selected(options)
    return build(context, selection, "packages", keep_going=options.keep_going, key=key)
