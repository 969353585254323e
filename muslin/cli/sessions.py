"""What a session makes of its words; those that build nothing say it and write it here."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from muslin import errors
from muslin.audit import verdict
from muslin.audit.finding import Refused
from muslin.check import image_programs
from muslin.cli import options as arguments
from muslin.cli.commands import ci, config_mak, gc
from muslin.cli.commands import plan as plans
from muslin.cli.pipeline import CHOICES, Goal, Pipeline
from muslin.cli.up_to_date import Found
from muslin.dist import publish, reports
from muslin.engine import host
from muslin.engine.builder import Builder
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import documents
from muslin.engine.scheduler import Planned, State
from muslin.graph.catalog import allowed_code
from muslin.models import declaration
from muslin.models.pins import PinSet
from muslin.models.target import Target
from muslin.sources import relock, relock_upstream, upstream

GOALS: Mapping[str, Goal] = MappingProxyType(
    {"build-all": "package", **{goal: goal for goal in get_args(Goal)}}
)
"""By session."""


def build(run: Pipeline, session: str, words: Sequence[str], folder: Path) -> Found | None:
    """Build up to the goal that a session is called after; `folder` is where the caller stands.
    Where there was nothing to build, what was found."""
    if session == "verify" and any(word.startswith("--file") for word in words):
        verify(run, words, folder)
        return None
    return run.run(GOALS[session], words, session)


def plan(run: Pipeline, words: Sequence[str]) -> None:
    """Show every stage, whether it is found or to be built, and what that will take."""
    valued = ("--why", *CHOICES)
    names, options = arguments.split("plan", words, flags=("--graph", "--json"), valued=valued)
    run.choose(options)
    if {"--graph", "--json"} & options.keys():
        run.report.divert()
    builder = run.builder()
    targets = run.chosen(names)
    with run.store.in_use():
        if "--why" in options:
            _explain(run, builder, options["--why"], targets)
            return
        planned = _planned(run, builder, targets)
    if "--json" in options:
        run.report.data(json.dumps(plans.as_data(planned), indent=1) + "\n")
        return
    if "--graph" in options:
        run.report.data(plans.as_dot(planned, builder.keys.of))
        return
    run.report.table("", plans.HEAD, plans.rows(planned.values()))
    run.report.say(plans.total(planned.values(), run.settings.jobs))
    for line in run.pins.notes:
        run.report.note(line)


def _planned(run: Pipeline, builder: Builder, targets: tuple[Target, ...]) -> dict[str, Planned]:
    """Every stage of the targets, those too that a run would not look at, dependencies first; of
    other targets, whose images a joint one holds too, nothing but what is to be done."""
    indexes, names = run.joint(builder, targets), {"", *(one.name for one in targets)}
    planned = builder.plan([*run.goals("package", targets), *indexes])
    every = dict[str, Planned]()
    for one in run.everything(targets, indexes):
        key = builder.keys.of(one.stage)
        known = planned.get(key)
        if one.stage.target not in names and (known is None or known.state == "found"):
            continue
        if known is None:
            state: State = "found" if builder.has(one.stage) else "not needed"
            known = replace(one, key=key, state=state)
        every[key] = known
    return every


def _explain(run: Pipeline, builder: Builder, name: str, targets: tuple[Target, ...]) -> None:
    every = run.everything(targets, run.joint(builder, targets, quiet=True))
    stages = {one.stage.name: one.stage for one in every}
    if name not in stages:
        raise errors.Unknown("stage", name, stages)
    stage, last = stages[name], run.history.last(name)
    if builder.has(stage):
        run.report.say(f"{name} is found: it is in the cache as it is wanted, checks passed")
        return
    if run.store.find(builder.keys.of(stage)) is not None:
        run.report.say(f"{name} is in the cache as it is wanted; new checks of it are to run")
        return
    if last is None:
        run.report.say(f"{name}: this cache knows of no earlier build")
        return
    aliases = {alias: need.name for alias, need in stage.needs}
    lines = plans.differences(last, builder.keys.document(stage), aliases)
    if not lines:
        run.report.say(f"{name}: nothing differs from its last build; it has left the cache")
        return
    run.report.say(f"{name} differs from its last build in {len(lines)} field(s):")
    for line in lines:
        run.report.say(f"  {line}")


def update(run: Pipeline, words: Sequence[str]) -> None:
    """Move the repository's pins, or the named ones, to what the archive has now; with
    `--sources upstream` those of that set."""
    names, options = arguments.split("update", words, flags=(), valued=("--sources",))
    folder = run.settings.project / "recipes" / "pins"
    sets = ("debian", upstream.NAME)
    if (chosen := options.get("--sources", sets[0])) not in sets:
        raise errors.Unknown("source set", chosen, sets)
    if chosen == upstream.NAME:
        _update_upstream(run, folder / "upstream.toml", names or relock_upstream.AS_RELEASED)
        return
    with run.at_work(), run.report.busy("archive", run.apt.log):
        new = relock.relock(
            folder,
            run.apt,
            run.report.note,
            host=run.apt.host,
            obtain=run.fetcher.fetch,
            names=names,
        )
    for name in new:
        run.report.say(f"{name} has a pin now; write its licence where it says NOASSERTION")
    run.report.say("done; `git diff recipes/pins` shows what moved")


def _update_upstream(run: Pipeline, path: Path, names: Sequence[str]) -> None:
    debian = declaration.read(path.with_name("debian.toml"), PinSet)
    with run.at_work(), run.report.busy("archive", run.apt.log):
        lines = relock_upstream.moved(path, debian, run.apt, names=names)
    for line in lines:
        run.report.say(line)
    if any("->" in line for line in lines):
        run.report.say("find a second record of each digest: tests/data/records.toml wants it")


def advise(run: Pipeline, words: Sequence[str]) -> None:
    """Show every fix of the archive that the pins lack, and series without support.

    Raises `FixesLacking` where something is open and the policy is `fail`; `ArchiveUnreachable`,
    or `NotAsked` with `--offline` in a cache that knows nothing.
    """
    _, options = arguments.split("advisories", words, flags=("--json", "--offline"))
    if "--json" in options:
        run.report.divert()
    with run.at_work():
        found = run.lacking_fixes(offline="--offline" in options)
    if "--json" in options:
        run.report.data(json.dumps(found.as_data(), indent=1) + "\n")
    else:
        for line in found.lines():
            run.report.say(line)
    if found.summary and run.settings.advisories == "fail":
        raise errors.FixesLacking(found.summary)


def import_(run: Pipeline, words: Sequence[str], folder: Path) -> None:
    """Turn a `config.mak` of musl-cross-make into a target file; `folder` is where the caller
    stands.

    Raises `NotImported`, `TargetThere`, `BadDeclaration` for a name that no target can have.
    """
    names, _ = arguments.split("import", words, flags=())
    path = folder / (names[0] if names else "config.mak")
    if not path.is_file():
        raise errors.NotImported(path, "there is no such file")
    made = config_mak.imported(path, run.targets)
    run.report.table("", (path.name, "what became of it"), made.account)
    name = names[1] if len(names) > 1 else config_mak.name_for(made.triple)
    file = run.settings.project / "toolchains" / f"{name}.toml"
    declaration.parse(file, documents.toml_of(file, made.text), Target, name=name)
    if name in run.targets:
        raise errors.TargetThere(name, "name", made.text)
    for one in run.targets.values():
        if made.triple == one.triple:
            raise errors.TargetThere(one.name, "triple", made.text)
    file.write_text(made.text, encoding="utf-8")
    run.report.say(
        f"toolchains/{name}.toml is written; kernel, machine, rust, qemu, openssl and image are "
        f"those of {made.model}: look at them. It has no `baseline`: until it has one of "
        "muslin/audit/baseline.py no instruction is verified. "
        f"Then nox -s plan -- {name}"
    )


def write_ci(run: Pipeline, words: Sequence[str]) -> None:
    """Write the files by which a forge builds the targets."""
    names, _ = arguments.split("ci", words, flags=())
    targets = run.chosen(names[1:])
    longest = max(longest_job(run, (one,)) for one in targets)
    forge = names[0] if names else ""
    for path, text in ci.files(forge, [one.name for one in targets], longest).items():
        file = run.settings.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        run.report.say(f"{path} is written")


def longest_job(run: Pipeline, targets: tuple[Target, ...]) -> int:
    """Minutes that a job which builds these from nothing may take."""
    return ci.minutes(one.stage for one in run.everything(targets))


def examine(run: Pipeline) -> None:
    """Say what this machine has and lacks; raises `HostProgramMissing` in the end."""
    rows = [(one.subject, one.state, one.detail) for one in host.findings(run.settings.cache)]
    run.report.table("", ("what", "state", "where"), rows)
    host.insist()


def collect(run: Pipeline, words: Sequence[str]) -> None:
    """Shrink the store to a size, or verify every file in it."""
    gc.collect(run.store, run.report, words)


def verify(run: Pipeline, words: Sequence[str], folder: Path) -> None:
    """Hold anybody's program, object, archive or image to a target's baseline; `folder` is where
    the caller stands.

    Raises `NotAudited` for what cannot be looked into, `DoesNotFit` with what was found.
    """
    names, options = arguments.split("verify", words, flags=(), valued=("--file",))
    if "--file" not in options or len(names) != 1:
        raise errors.NothingToVerify(run.targets)
    (target,) = run.chosen(names)
    path = _there(folder / options["--file"])
    known = reports.verified(run.settings.dist, target.name)
    refused, unseen = 0, 0
    try:
        with tempfile.TemporaryDirectory() as aside:
            for name, file in _looked_into(path, target, Path(aside)):
                report = known.get(file_digest(file))
                if report is not None and _is_of_now(run, target, report):
                    run.report.say(f"{name}: verified before it was stripped, {report}")
                    continue
                if report is not None:
                    run.report.note(
                        f"{report} is of other rules, or not listed in dist/manifest.json; "
                        "`nox -s verify` makes it anew"
                    )
                found = verdict.of(
                    file,
                    name,
                    held_to=target.processor,
                    baseline=target.baseline,
                    entries=allowed_code(),
                )
                for line in found.lines():
                    run.report.say(line)
                refused, unseen = refused + len(found.refused), unseen + len(found.unseen)
    except (Refused, OSError) as error:
        raise errors.NotAudited(path, str(error)) from error
    except MemoryError as error:
        raise errors.NotAudited(path, "it wants more memory than there is") from error
    if unseen:
        raise errors.NotAudited(path, f"{unseen} file(s) in it could not be looked at")
    if refused:
        raise errors.DoesNotFit(path, target.name, refused)


def _there(path: Path) -> Path:
    if not path.exists():
        raise errors.NoSuchFile(path)
    return path


def _is_of_now(run: Pipeline, target: Target, report: str) -> bool:
    """Whether a report in `dist/` is what the verification would say today: of the same binary,
    the same rules and the same list of what is allowed."""
    keys = {f"dist/{one.path}": one.stage_key for one in publish.listed(run.settings.dist)}
    of = run.builder().keys.of
    now = {of(stage) for stage in run.proofs(run.catalog(), [target]).values()}
    return keys.get(report) in now


def _looked_into(path: Path, target: Target, aside: Path) -> Iterator[tuple[str, Path]]:
    if image_programs.is_one(path):
        yield from image_programs.programs(path, target.image, aside)
    else:
        yield path.name, path
