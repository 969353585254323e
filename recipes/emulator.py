"""Run a program of the target on the emulated baseline processor."""

from __future__ import annotations

from muslin.models.target import Target


def emulated(target: Target, program: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a program on the emulated baseline processor."""
    emulator = f"${{judge.qemu}}/bin/{target.qemu.program}"
    return (emulator, "-cpu", target.qemu.cpu, program, *arguments)


def processor(target: Target) -> str:
    """The emulator and its processor, in words for a report."""
    return f"{target.qemu.program} -cpu {target.qemu.cpu}"
