"""One service first, in minutes: by clang out of a wheel instead of a GCC from source."""

from __future__ import annotations

import argparse
from dataclasses import replace

from muslin import invocation
from muslin.cli import errors
from muslin.cli.build import build
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.cli.selection import Selection
from muslin.graph import libraries
from muslin.models.service import Service

DRIVER = "zig"


def parser() -> Parser:
    options = Parser("quickstart", __doc__, examples=("armv6", "armv6 --service hello-tls"))
    options.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="names or triples of targets; the first of [tool.muslin] by default",
    )
    options.add_argument(
        "--service",
        default="",
        metavar="NAME",
        help="the service to build; the one that requires least by default",
    )
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Build, verify and pack one service.

    Raises `NoServices` in a project without one, and as `build`.
    """
    names = options.targets or [context.defaults[0].name]
    chosen = [options.service] if options.service else []
    selection = context.select(names, services=chosen, driver=DRIVER)
    if not selection.services:
        raise errors.NoServices(context.settings.project)
    service = min(selection.services.values(), key=_effort)
    selection = replace(selection, services={service.name: service})
    build(context, selection, "package")
    _tell(context, selection, service)


def _effort(service: Service) -> tuple[bool, int, str]:
    """What a service requires beside a C compiler: Rust's std, then libraries."""
    return (
        service.build == "cargo",
        len(libraries.with_their_needs(service.libraries)),
        service.name,
    )


def _tell(context: Context, selection: Selection, service: Service) -> None:
    """Say what the service was made with, and the way to the same from source."""
    runtime = Pipeline(context, selection).catalog().toolchains.runtime
    made = " and ".join(f"{component.name} {component.version}" for component in runtime)
    names = " ".join(target.name for target in selection.targets)
    command = invocation.spelled("build-all", f"{names} --service {service.name} --driver builtin")
    context.report.say(f"{service.name} was made with {made}; the compiler is a prebuilt one")
    context.report.say(f"the same with a GCC built from source: {command}")
