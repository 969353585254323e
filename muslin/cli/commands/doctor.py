"""0. Say what this machine has, what it lacks and how to get it."""

from __future__ import annotations

import argparse

from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine import host


def parser() -> Parser:
    return Parser("doctor", __doc__)


def run(context: Context, _options: argparse.Namespace, _: Call) -> None:
    """Show the findings; raises `HostProgramMissing` in the end."""
    found = host.findings(context.settings.cache)
    rows = [(finding.subject, finding.state, finding.detail) for finding in found]
    context.report.table("", ("what", "state", "where"), rows)
    host.insist()
