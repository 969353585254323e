"""What is true of every program that is built, whatever built it."""

from __future__ import annotations

from recipes.engine.stage import Check, Does, Elf, Free, Run, Serves, Strip
from recipes.service import Service
from recipes.target import Target


def emulated(target: Target, program: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a program on the emulated baseline processor."""
    emulator = f"${{tool.qemu}}/bin/{target.qemu.program}"
    return (emulator, "-cpu", target.qemu.cpu, program, *arguments)


def stripped(target: Target) -> tuple[Strip, ...]:
    """The step that strips what was installed."""
    strip = f"{target.triple}-strip"
    return (Strip(program=strip, root="${out}/bin", options=("-s",), kind="programs"),)


def checks(service: Service, target: Target) -> tuple[Check, ...]:
    """Static, for the right machine, no build path inside, and it does what it says."""
    program = f"${{out}}/bin/{service.binary}"
    return (
        Elf(patterns=(f"bin/{service.binary}",), machine=target.machine, static=True),
        Free(texts=("${cache}",)),
        *(
            Does(run=Run(argv=emulated(target, program, *run.arguments)), expect=run.expect)
            for run in service.run
        ),
        *(
            Serves(
                run=Run(argv=emulated(target, program)),
                scheme=serve.scheme,
                path=serve.path,
                expect=serve.expect,
            )
            for serve in service.serve
        ),
    )
