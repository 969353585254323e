"""Write the builder image: Muslin and all that it needs of a host, for any container engine."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.cli.selection import Selection
from muslin.dist import artifacts, publish
from muslin.engine.formats.oci_layout import Layout
from muslin.engine.stage import Stage
from muslin.models import errors
from recipes import builder_image


def parser() -> Parser:
    options = Parser("builder", __doc__, examples=("", "amd64"))
    options.add_argument(
        "architectures",
        nargs="*",
        metavar="ARCHITECTURE",
        help="amd64 or arm64; both by default, and an image that holds both",
    )
    return options


def run(context: Context, options: argparse.Namespace, _: Call) -> None:
    """Make the image of each architecture, and without names the joint one.

    Raises `Unknown` for another architecture.
    """
    known = builder_image.VARIANTS
    for name in options.architectures:
        if name not in known:
            raise errors.Unknown("architecture of the builder image", name, known)
    names = tuple(options.architectures) or tuple(known)
    wanted = tuple(artifacts.of_builder(names, joint=not options.architectures))
    publish.insist_on_writable(context.settings.dist, [one.destination for one in wanted])
    pipeline = Pipeline(context, _selection(context))
    output = context.output()
    with context.at_work(), output.may_be_old():
        builder = pipeline.builder()
        stages = pipeline.settled(builder, lambda: _stages(pipeline, names, options.architectures))
        with ThreadPoolExecutor(context.settings.jobs, thread_name_prefix="stage") as executor:
            entries = builder.build(stages, executor)
        with output.mine():
            output.publish(wanted, entries, source_set=pipeline.pins.name)
    for name in names:
        packages, wheels = _parts(pipeline, name)
        context.report.say(f"{name}: {packages} packages of Debian 12, {wheels} wheels, Muslin")
    for artifact in wanted:
        if artifact.destination.endswith(".tar"):
            path = context.settings.dist / artifact.destination
            with path.open("rb") as file:
                digest = Layout(path, file).top().digest
            context.report.say(f"dist/{artifact.destination}: {digest}")


def _stages(pipeline: Pipeline, names: tuple[str, ...], only: list[str]) -> list[Stage]:
    images = pipeline.catalog().builder_images
    return [*map(images.image, names), *(() if only else (images.index(),))]


def _parts(pipeline: Pipeline, architecture: str) -> tuple[int, int]:
    """How many packages and wheels an image has."""
    stage = pipeline.catalog().builder_images.image(architecture)
    wheels = sum(source.name.endswith(".whl") for _, source in stage.sources)
    return len(stage.sources) - wheels, wheels


def _selection(context: Context) -> Selection:
    """The image is of Muslin alone, whatever the project's services are."""
    settings = context.settings
    return Selection(targets=(), services={}, sources=settings.sources, driver=settings.driver)
