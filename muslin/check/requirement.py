"""What programs are held to: a baseline, a target of `toolchains/`, or a computer."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from muslin import installation
from muslin.audit import baseline
from muslin.audit.baseline import BASELINES, Baseline
from muslin.check import computers
from muslin.check.computers import Computer
from muslin.check.platforms import Platform

TOOLCHAINS = installation.declarations("toolchains")


class UnknownName(Exception):  # what a person wrote
    """A name of no target, baseline or computer, with the names that are known."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else f": use {', '.join(names)}"
        super().__init__(f"unknown {kind} {name!r}{hint}")


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A processor or several, of which a program's own machine decides."""

    name: str
    baselines: Mapping[str, Baseline]
    """By the machine of the ELF header; none is for programs of other machines."""
    allowed_for: str = ""
    """The baseline whose list of allowed code counts; without one code that is allowed for any
    baseline is allowed."""

    def for_machine(self, machine: str) -> Baseline:
        """What a program of a machine is held to; one of another machine is refused by it."""
        return self.baselines.get(machine) or next(iter(self.baselines.values()))


def of_baseline(name: str) -> Requirement:
    """A baseline by its name. Raises `UnknownName`."""
    if name not in BASELINES:
        raise UnknownName("baseline", name, BASELINES)
    held_to = BASELINES[name]
    return Requirement(name=name, baselines={held_to.machine: held_to}, allowed_for=name)


def of_target(name: str) -> Requirement:
    """A target by its name. Raises `UnknownName`."""
    targets = {path.stem: path for path in TOOLCHAINS.glob("*.toml")}
    if name not in targets:
        raise UnknownName("target", name, targets)
    declared = tomllib.loads(targets[name].read_text(encoding="utf-8"))
    return replace(of_baseline(declared["baseline"]), name=name)


def of_computer(name: str) -> Requirement:
    """A computer by one of its names. Raises `UnknownName`."""
    computer = computers.named(name)
    if computer is None:
        raise UnknownName("board", name, computers.names())
    baselines = {machine: _processor(computer, machine) for machine in computer.has}
    return Requirement(name=computer.title, baselines=baselines)


def of_platform(platform: Platform) -> Requirement | None:
    """The baseline for a platform of container images; None where no rules are written."""
    name = computers.baseline_of_platform(str(platform))
    return replace(of_baseline(name), name=f"{platform} ({name})") if name else None


def least(machine: str, *, bits: int, little_endian: bool) -> Baseline:
    """The least processor of a machine: every need beyond it is a finding."""
    if machine == "EM_ARM":
        return baseline.for_arm(hard_float=None)
    for held_to in BASELINES.values():
        alike = (held_to.machine, held_to.bits, held_to.little_endian)
        if alike == (machine, bits, little_endian) and not held_to.has:
            return held_to
    return Baseline(machine=machine, bits=32 if bits == 32 else 64, little_endian=little_endian)


def _processor(computer: Computer, machine: str) -> Baseline:
    has = computer.has[machine]
    if machine == "EM_ARM":
        return baseline.for_arm(*has, hard_float=None)
    bits = 32 if machine == "EM_386" else 64
    return replace(least(machine, bits=bits, little_endian=True), has=has)
