"""One check from its words to its result."""

from __future__ import annotations

import json
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from muslin.audit.finding import Refused
from muslin.check import assessment, problem_formats, programs, requirement
from muslin.check.assessment import Assessment, Options
from muslin.check.programs import Program, Unreadable
from muslin.check.requirement import Requirement
from muslin.check.result import Result

Say = Callable[[str], None]


def requirements(words: Namespace) -> list[Requirement]:
    """What the words hold programs to, each once. Raises `UnknownName`."""
    kinds = (
        (requirement.of_target, words.target),
        (requirement.of_baseline, words.baseline),
        (requirement.of_computer, words.boards),
    )
    found = (resolve(name) for resolve, names in kinds for name in names or ())
    return list({one.name: one for one in found}.values())


def check(paths: Sequence[Path], held_to: Sequence[Requirement], options: Options) -> Result:
    """Look at every program in some files and folders."""
    assessments: list[Assessment] = []
    unreadable: list[Unreadable] = []
    for path in paths:
        with tempfile.TemporaryDirectory(prefix="check-") as aside:
            for found in _found(path, Path(aside)):
                if isinstance(found, Unreadable):
                    unreadable.append(found)
                    continue
                try:
                    assessments += _assessed(found, held_to, options)
                except Refused as fault:
                    reason = str(fault).removeprefix(f"{found.name} ")
                    unreadable.append(Unreadable(name=found.name, reason=reason))
                except MemoryError:
                    reason = "there is not enough memory to look at it"
                    unreadable.append(Unreadable(name=found.name, reason=reason))
    return Result(assessments=tuple(assessments), unreadable=tuple(unreadable))


def _found(path: Path, aside: Path) -> Iterator[Program | Unreadable]:
    if not path.exists():
        yield Unreadable(name=str(path), reason="no such file or folder")
        return
    yield from programs.of(path, aside)


def _assessed(
    program: Program, held_to: Sequence[Requirement], options: Options
) -> list[Assessment]:
    """A program of an image is held to its platforms where the words name nothing."""
    if held_to or not program.platforms:
        return assessment.of(program, held_to, options)
    platforms = [requirement.of_platform(platform) for platform in program.platforms]
    found = [wanted for wanted in platforms if wanted is not None]
    if len(found) < len(platforms):
        text = f"no rules are written for {', '.join(map(str, program.platforms))}"
        return [assessment.without_rules(program, text, options)]
    return assessment.of(program, found, options)


def show(result: Result, words: Namespace, say: Say, note: Say) -> None:
    """Print a result in the form that the words ask for; notes go elsewhere."""
    if words.json:
        say(json.dumps(result.table(), indent=1))
    elif words.sarif:
        log = problem_formats.sarif(result.problems(), tool="muslin-check")
        say(json.dumps(log, indent=1))
    elif words.gitlab:
        say(json.dumps(problem_formats.code_quality(result.problems()), indent=1))
    else:
        for line in problem_formats.github(result.problems()) if words.github else result.lines():
            say(line)
    count = len({one.program for one in result.assessments})
    note(f"{count} program(s) looked at, exit code {result.exit_code}")
