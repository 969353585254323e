"""Security fixes that the pins lack, as the archive's changelogs say."""

from __future__ import annotations

import datetime
import time

from muslin.cli.pipeline import Pipeline
from muslin.dist import vex
from muslin.dist.artifacts import BILLS
from muslin.dist.output import Output
from muslin.engine.process import errors as process_errors
from muslin.errors import PipelineError
from muslin.graph.goals import Goal
from muslin.invocation import spelled
from muslin.models import declaration
from muslin.models.pin_files import PinSet
from muslin.sources import advisories, changelog_index
from muslin.sources import errors as source_errors
from muslin.sources.changelog_index import Pinned
from muslin.sources.upstream import UpstreamPins


def lacking(pipeline: Pipeline, *, offline: bool = False) -> advisories.Found:
    """The fixes that the pins lack. The archive is asked, unless it is to be `offline`.

    Raises `ArchiveUnreachable`, `ArchiveUnusable`, `NotInArchive`, `NoAdvisories`, `NotAsked`.
    """
    context = pipeline.context
    archive, cache = context.archive, context.settings.cache
    known, pinned = changelog_index.load(cache), _pinned(pipeline)
    if not offline:
        with context.report.busy("archive"):
            known = changelog_index.ask(pinned, archive, before=known, now=time.time())
        changelog_index.save(cache, known)
    if known is None:
        raise source_errors.NotAsked([package.component for package in pinned])
    rules = advisories.policy(context.pins)
    today = datetime.datetime.now(datetime.UTC).date()
    return advisories.Found(
        asked=known.asked,
        pinned=pinned,
        lacking=advisories.lacking(
            pinned, known, rules.accepted, is_newer=archive.is_newer, today=today
        ),
        ended=advisories.ended(pinned, rules.support, today=today),
        beyond=advisories.beyond(pinned, known, is_newer=archive.is_newer),
    )


def warn(pipeline: Pipeline, goal: Goal) -> advisories.Found | None:
    """Say which fixes what was shipped lacks. The archive is asked at most once a day, and what it
    said before serves where it cannot be reached; nothing is returned where it said nothing."""
    report, cache, now = pipeline.context.report, pipeline.context.settings.cache, time.time()
    try:
        known, pinned = changelog_index.load(cache), _pinned(pipeline)
        fresh = changelog_index.is_fresh(known, pinned, now)
        if not fresh and not changelog_index.failed_lately(cache, now):
            try:
                lacking(pipeline)
            except process_errors.Interrupted:
                raise
            except (PipelineError, OSError) as error:
                changelog_index.remember_failure(cache)
                why = str(error).splitlines()[0]
                report.note(f"security fixes were not looked for today: {why}")
        found = lacking(pipeline, offline=True)
    except source_errors.NotAsked:
        return None
    shipped = found.among(_shipped(pipeline, goal))
    for line in (shipped.summary, shipped.accepted):
        if line:
            report.note(f"{line}; {spelled('advisories')}")
    return found


def write_vex(pipeline: Pipeline, output: Output, found: advisories.Found) -> None:
    """Write beside each bill in `dist/` whether what was found concerns its program."""
    declared = {
        name: {component.name for component in components} | {"rust"}
        if pipeline.selection.services[name].build == "cargo"
        else {component.name for component in components}
        for name, components in pipeline.contents().items()
    }
    located = advisories.policy(pipeline.context.pins).located
    with output.mine():
        written = vex.write(output.folder, found, located, declared)
    if written:
        pipeline.context.report.say(
            f"whether known vulnerabilities concern it: {len(written)} "
            f"OpenVEX documents in dist/{BILLS}/"
        )


def _pinned(pipeline: Pipeline) -> list[Pinned]:
    """What is built, in the terms of Debian's packages."""
    pins = pipeline.pins
    if not isinstance(pins, UpstreamPins):
        return changelog_index.pinned(pins)
    debian = declaration.read(pipeline.context.pins / "debian.toml", PinSet)
    components = map(pins.component, pins.upstream.pins)
    versions = {component.name: (component.version, component.fixes) for component in components}
    return changelog_index.released(versions, debian.pins, debian.suite)


def _shipped(pipeline: Pipeline, goal: Goal) -> set[str]:
    """The components in what a session fills `dist/` with."""
    parts = (
        [pipeline.catalog().verifications.components_of_sdk()]
        if goal == "sdk"
        else pipeline.contents().values()
    )
    return {"rust", *(component.name for components in parts for component in components)}
