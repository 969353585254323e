"""0. Say what this machine has, what it lacks and how to get it."""

from __future__ import annotations

import argparse

from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.engine import host
from muslin.engine.host import Finding
from muslin.engine.process import host_root
from muslin.engine.process.errors import NoWayIn
from muslin.invocation import spelled


def parser() -> Parser:
    return Parser("doctor", __doc__)


def run(context: Context, _options: argparse.Namespace, _: Call) -> None:
    """Show the findings; raises `HostProgramMissing` in the end."""
    found = [*host.findings(context.settings.cache), _way_in(context)]
    rows = [(finding.subject, finding.state, finding.detail) for finding in found]
    context.report.table("", ("what", "state", "where"), rows)
    host.insist(native=context.settings.host == "native")
    context.report.say(f"this machine can build; next: {spelled('build-all', 'armv6')}")


def _way_in(context: Context) -> Finding:
    """How the host root would be entered, and what would be better."""
    ways = list(host_root.ways(context.runner.works))
    if not ways:
        return Finding(subject="host root", state="missing", detail=str(NoWayIn()).splitlines()[0])
    detail = f"entered by {ways[0]}; MUSLIN_HOST=root builds in it"
    if ways == ["chroot"]:
        detail += ". With user namespaces or bubblewrap, builds would have no network"
    return Finding(subject="host root", state="found", detail=detail)
