"""Computers that programs are for: what their processors have, and which of them run a program."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("computers.toml")


@dataclass(frozen=True, kw_only=True)
class Computer:
    """A computer and the processor in it."""

    name: str
    names: tuple[str, ...]
    """What else it is called."""
    title: str
    family: str
    has: Mapping[str, frozenset[str]]
    """By the machine of an ELF file, what instructions may need beyond the least of its kind."""

    def runs(self, machine: str, needs: Iterable[str]) -> bool:
        """Whether its processor has all that a program needs."""
        return machine in self.has and self.has[machine].issuperset(needs)


@functools.cache
def _document() -> dict[str, Any]:
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


@functools.cache
def known() -> tuple[Computer, ...]:
    """Every computer, a family's in the order of their abilities."""
    processors = {
        name: {machine: frozenset(has) for machine, has in table.items()}
        for name, table in _document()["processors"].items()
    }
    return tuple(
        Computer(
            name=row["name"],
            names=tuple(row.get("names", ())),
            title=row["title"],
            family=row["family"],
            has=processors[row["processor"]],
        )
        for row in _document()["computers"]
    )


def named(name: str) -> Computer | None:
    """A computer by one of its names, whatever its case and its dashes."""
    word = _plain(name)
    for computer in known():
        if word in map(_plain, (computer.name, *computer.names, computer.title)):
            return computer
    return None


def baseline_of_platform(platform: str) -> str:
    """The baseline for a platform of container images; empty if there is none."""
    return str(_document()["platforms"].get(platform, ""))


def summary(needs: Iterable[str]) -> list[str]:
    """Needs without those that others imply, as an engineer would list them."""
    every, implied = set(needs), set[str]()
    left = list(every)
    while left:
        for word in _document()["implied"].get(left.pop(), ()):
            if word not in implied:
                implied.add(word)
                left.append(word)
    shown = sorted(every - implied)
    if "VFPv3" in every and not {"d16-d31", "NEON", "VFPv4", "ARMv8"} & every:
        shown = ["VFPv3-D16" if word == "VFPv3" else word for word in shown]
    return shown


def fitting(machine: str, needs: Iterable[str]) -> str:
    """The computers that have all of it, in a sentence; empty if none has."""
    wanted = frozenset(needs)
    return "; ".join(
        part
        for family, every in groupby(known(), key=lambda one: one.family)
        if (part := _of_family(family, list(every), machine, wanted))
    )


def _of_family(family: str, every: list[Computer], machine: str, needs: frozenset[str]) -> str:
    runs = [computer.runs(machine, needs) for computer in every]
    if not any(runs):
        return ""
    first = runs.index(True)
    if all(runs[first:]):
        if len(every) == 1:
            return every[0].title
        if first == 0:
            return f"every {family}"
        later = " and later" if first < len(every) - 1 else ""
        return f"{every[first].title}{later}"
    return ", ".join(one.title for one, fits in zip(every, runs, strict=True) if fits)


def names() -> Iterator[str]:
    """All that `--boards` takes."""
    for computer in known():
        yield from (computer.name, *computer.names)


def _plain(name: str) -> str:
    word = name.lower().replace("raspberry", "").replace("rpi", "pi")
    return word.replace("-", "").replace("_", "").replace(" ", "")
