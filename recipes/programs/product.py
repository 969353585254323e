"""Strip and check the program of a service, whatever built it."""

from __future__ import annotations

from muslin.engine.process.limits import MEGABYTE
from muslin.engine.vocabulary import (
    Check,
    CommandOutput,
    Copy,
    Elf,
    ForbiddenText,
    Run,
    Serves,
    Strip,
    escaped,
)
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.emulator import emulated, processor

UNSTRIPPED = "unstripped"
"""Folder of a program before it was stripped."""


def witnessed(service: Service, target: Target) -> tuple[str, ...]:
    """What the checks see of the program, in words for a report."""
    where = f"on {processor(target)}"
    if not (service.run or service.serve):
        return ("nothing: its declaration has neither [[run]] nor [[serve]]",)
    return (
        *(
            f"{where}: {' '.join((service.binary, *run.arguments))}, printed {run.expect!r}"
            + (f", ended with code {run.code}" if run.code else "")
            for run in service.run
        ),
        *(
            f"{where}: {service.binary}, answered {serve.scheme} {serve.path} with {serve.expect!r}"
            for serve in service.serve
        ),
    )


def stripped(target: Target, service: Service) -> tuple[Copy | Strip, ...]:
    """The steps that strip what was installed and keep it as it was in `UNSTRIPPED`, because the
    symbols say what of it is code."""
    program, strip = f"bin/{service.binary}", f"{target.triple}-strip"
    return (
        Copy(source=f"${{out}}/{program}", to=f"${{out}}/{UNSTRIPPED}/{service.binary}"),
        Strip(program=strip, root="${out}/bin", options=("-s",), kind="programs"),
    )


# Long: a list of checks, in the order in which they run.
def checks(service: Service, target: Target) -> tuple[Check, ...]:
    """Static, for the right machine, no build path inside, and it does what it says."""
    program = f"${{out}}/bin/{service.binary}"
    kept = f"${{out}}/{UNSTRIPPED}/{service.binary}"
    audit = f"--file {kept} {target.name}"
    return (
        Elf(patterns=(f"bin/{service.binary}",), machine=target.machine, static=True),
        ForbiddenText(root="${out}/bin", texts=("${cache}",)),
        *(
            CommandOutput(
                run=Run(
                    argv=emulated(target, program, *map(escaped, run.arguments)),
                    env=tuple(
                        (name, escaped(text)) for name, text in sorted(run.environment.items())
                    ),
                    input=escaped(run.input),
                    errors_too=True,
                    seconds=run.seconds or 0.0,
                    printed=(run.megabytes or 0) * MEGABYTE,
                ),
                expect=escaped(run.expect),
                code=run.code,
                upon_sigill=audit,
            )
            for run in service.run
        ),
        *(
            Serves(
                run=Run(
                    argv=emulated(target, program),
                    seconds=serve.seconds or 0.0,
                    printed=(serve.megabytes or 0) * MEGABYTE,
                ),
                scheme=serve.scheme,
                path=serve.path,
                expect=serve.expect,
                upon_sigill=audit,
            )
            for serve in service.serve
        ),
    )


def environment(service: Service) -> tuple[tuple[str, str], ...]:
    """What a service's declaration adds to the environment of its build."""
    return tuple((name, escaped(text)) for name, text in sorted(service.environment.items()))
