"""Push the verified images of dist/ to a registry: `ghcr.io/me/app:1.0`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from muslin.cli import errors
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.dist.registry import errors as registry_errors
from muslin.dist.registry import push, reference
from muslin.dist.verified_images import Shelf
from muslin.graph import joint_images


def parser() -> Parser:
    options = Parser(
        "push",
        __doc__,
        examples=(
            "ghcr.io/me/app:1.0 --service app",
            "ghcr.io/me/ --tag 1.0,latest",
            "localhost:5000/app armv6 --service app",
        ),
    )
    options.add_argument(
        "destination",
        nargs="?",  # or argparse says that targets are required too
        default="",
        metavar="REGISTRY/NAME[:TAG]",
        help="where to; NAME/ with a slash at its end gives each service NAME/SERVICE",
    )
    options.add_targets()
    options.add_services()
    options.add_argument(
        "--tag",
        type=lambda text: text.split(","),
        default=[],
        metavar="TAG[,TAG]",
        help="further tags; `latest` by default",
    )
    options.add_argument(
        "--mount-from",
        type=lambda text: text.split(","),
        default=[],
        metavar="NAME[,NAME]",
        help="repositories of the registry that may have some of it already",
    )
    options.add_argument(
        "--plain-http",
        action="store_true",
        help="a registry without TLS that is not on loopback; credentials are sent in plain text",
    )
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Push the joint images of the selected services, their tags last.

    The digests go to standard output, all else to standard error. Raises what `Shelf` and `Push`
    raise, `OneNameForSeveral`, `NoServices`, `WrongUse`.
    """
    report = context.report
    report.divert()
    if not options.destination:
        raise errors.WrongUse("push", "where to push is missing, such as ghcr.io/me/app:1.0")
    destination = reference.parse(
        options.destination, tags=options.tag, plain_http=options.plain_http
    )
    selection = context.select(options.targets, services=options.service)
    services = list(selection.services)
    if not services:
        raise errors.NoServices(context.settings.project)
    if len(services) > 1 and not destination.is_prefix:
        raise registry_errors.OneNameForSeveral(options.destination, services)
    targets, notes = joint_images.one_per_platform(selection.targets, defaults=context.defaults)
    for note in notes:
        report.note(note)
    output = context.output()
    with context.at_work(), ExitStack() as files:
        with output.mine():  # files stay open, so a later run replaces them beside us
            shelf = Shelf(output.folder, context.store, report.note)
            images = [files.enter_context(shelf.opened(one, targets)) for one in services]
        pushing = push.opened(
            destination,
            runner=context.runner,
            report=report,
            mount_from=options.mount_from,
            plain_http=options.plain_http,
        )
        with pushing as pushed:
            names = pushed.images(images)
    report.data("".join(f"{name}\n" for name in names))
