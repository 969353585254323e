"""6. Hold every binary to its processor, or one: `--file path/to/program armv6`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from muslin.audit import verdict
from muslin.audit.finding import Refused
from muslin.check import image_programs
from muslin.cli import crates, errors
from muslin.cli.build import build
from muslin.cli.call import Call
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.pipeline import Pipeline
from muslin.cli.up_to_date import Found
from muslin.dist import publish, reports
from muslin.engine.filesystem.content import file_digest
from muslin.graph import goals
from muslin.graph.verifications import allowed_code
from muslin.invocation import spelled
from muslin.models.target import Target


def parser() -> Parser:
    options = Parser("verify", __doc__, examples=("armv6", "--file dist/armv6/hello-http armv6"))
    options.add_selection()
    options.add_keep_going()
    options.add_sarif()
    options.add_argument(
        "--file", default="", metavar="PATH", help="any program, object, archive or image instead"
    )
    return options


def run(context: Context, options: argparse.Namespace, called: Call) -> Found | None:
    """Verify the services and what they are linked with, or one file of anybody's.

    Raises `NotAudited` for what cannot be looked into, `DoesNotFit` with what was found.
    """
    if not options.file:
        selection = crates.selected(context, options)
        return build(context, selection, "verify", keep_going=options.keep_going)
    if len(options.targets) != 1:
        raise errors.NothingToVerify(context.targets)
    (target,) = context.targets_of(options.targets)
    path = called.caller / options.file
    if not path.exists():
        raise errors.NoSuchFile(path)
    verify_file(context, path, target)
    return None


def verify_file(context: Context, path: Path, target: Target) -> None:
    """Hold a program, object, archive or image to a target's baseline; raises as `run`."""
    refused, unseen = 0, 0
    try:
        with tempfile.TemporaryDirectory() as aside:
            for name, file in _programs(path, target, Path(aside)):
                if _is_known(context, name, file, target):
                    continue
                found = verdict.of(
                    file,
                    name,
                    held_to=target.processor,
                    baseline=target.baseline,
                    entries=allowed_code(),
                )
                for line in found.lines():
                    context.report.say(line)
                refused, unseen = refused + len(found.refused), unseen + len(found.unseen)
    except (Refused, OSError) as error:
        raise errors.NotAudited(path, str(error)) from error
    except MemoryError as error:
        raise errors.NotAudited(path, "it wants more memory than there is") from error
    if unseen:
        raise errors.NotAudited(path, f"{unseen} file(s) in it could not be looked at")
    if refused:
        raise errors.DoesNotFit(path, target.name, refused)


def _is_known(context: Context, name: str, file: Path, target: Target) -> bool:
    """Whether a report in `dist/` is about this file, and of today's rules; said either way."""
    report = reports.verified(context.settings.dist, target.name).get(file_digest(file))
    if report is None:
        return False
    if _is_current(context, target, report):
        context.report.say(f"{name}: verified before it was stripped, {report}")
        return True
    context.report.note(
        f"{report} is of other rules, or not listed in dist/manifest.json; "
        f"`{spelled('verify')}` makes it anew"
    )
    return False


def _is_current(context: Context, target: Target, report: str) -> bool:
    """Whether a report in `dist/` is what the verification would say today: of the same binary,
    the same rules and the same list of what is allowed."""
    listed = publish.listed(context.settings.dist)
    keys = {f"dist/{artefact.path}": artefact.stage_key for artefact in listed}
    pipeline = Pipeline(context, context.select([target.name]))
    of, catalog = pipeline.builder().keys.of, pipeline.catalog()
    return keys.get(report) in {of(stage) for stage in goals.proofs(catalog, [target]).values()}


def _programs(path: Path, target: Target, aside: Path) -> Iterator[tuple[str, Path]]:
    if image_programs.is_one(path):
        yield from image_programs.programs(path, target.image, aside)
    else:
        yield path.name, path
