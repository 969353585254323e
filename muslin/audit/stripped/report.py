"""What is said of a stripped program: findings, what may be one, and how much of it was seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile

from muslin.audit.baseline import Baseline
from muslin.audit.finding import Finding, Place
from muslin.audit.memory import Memory
from muslin.audit.shown import shown
from muslin.audit.stripped import needs
from muslin.audit.stripped.area import POOL, Area
from muslin.audit.stripped.gaps import Range
from muslin.audit.stripped.needs import Need
from muslin.audit.stripped.plausible import decoder
from muslin.audit.stripped.step import all_of, any_of
from muslin.audit.stripped.survey import Survey

ENOUGH = 0.99
"""The part of the executable bytes that has to be reached or explained."""
PACKERS = ((b"UPX!", "UPX"),)
HEAD = 4096
"""Bytes at the start of a file in which a packer's name is looked for."""


ANY = bytes(0xFF if value else 0 for value in range(256))
IS_POOL = bytes(0xFF if value == POOL else 0 for value in range(256))
SET = re.compile(b"[^\0]")


@dataclass
class Group:
    """Instructions of one function with one need."""

    address: int
    size: int
    kind: str
    count: int = 0
    certain: bool = False


@dataclass
class Report:
    """What is said of one program."""

    findings: list[Finding] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    code_bytes: int = 0


def of(elf: ELFFile, content: bytes, place: Place, baseline: Baseline) -> Report:
    """Walk through a linked file that has lost its symbols."""
    memory = Memory(elf, content)
    survey = Survey(elf, memory, baseline)
    survey.run()
    report = Report(code_bytes=sum(one.end - one.start for one in survey.ranges))
    for origin, to in survey.reach.outside:
        if to & ~1:  # 0: a weak symbol, undefined
            what = f"a branch at {origin:#x}" if origin >= 0 else "a table of the file"
            report.findings.append(
                Finding(place=place, what=f"{what} leads to {to:#x}, where no code is loaded")
            )
    found = {area.start: list(needs.beyond(area, baseline)) for area in survey.areas.all}
    if clashes := survey.reach.marks.clashes:
        report.unseen.append(
            f"{place}: code at {clashes[0]:#x} is reached in both states, or in the middle of an "
            "instruction"
        )
    groups = _groups(survey, found)
    certain = {need for (_, need), group in groups.items() if group.certain}
    report.findings += _findings(survey, place, groups, baseline)
    report.unseen += _possible(survey, groups, baseline, certain)
    for name in (name for mark, name in PACKERS if mark in content[:HEAD]):
        report.unseen.append(f"{place} is packed by {name}: what it unpacks was not looked at")
    coverage = _Coverage(survey, found, certain)
    for one in survey.ranges:
        coverage.add(one)
    report.notes.append(f"{place}: {coverage}")
    if not report.code_bytes:
        report.unseen.append(f"{place} has no code where its headers say that code is")
    elif coverage.share < ENOUGH:
        report.unseen.append(
            f"{place} is stripped, and only {coverage.share:.1%} of its code is reached or "
            "explained"
        )
    return report


def _groups(survey: Survey, found: dict[int, list[Need]]) -> dict[tuple[int, str], Group]:
    """By function and need."""
    levels, groups = _Levels(survey), dict[tuple[int, str], Group]()
    for area in survey.areas.all:
        for address, size, kind, need in found[area.start]:
            key = (survey.function(address), need)
            group = groups.get(key)
            sure = levels.is_certain(area, address, key[0])
            if group is None or (sure and not group.certain):
                count = group.count if group else 0
                group = groups[key] = Group(address, size, kind, count, certain=sure)
            group.count += 1
    return groups


class _Levels:
    """Which instructions are certainly run."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._doubtful = {survey.function(key) for key in survey.reach.contradictions}
        for area in survey.areas.all:
            contested = all_of(bytes(area.seen).translate(ANY), bytes(area.data).translate(IS_POOL))
            for match in SET.finditer(contested):
                self._doubtful.add(survey.function(area.start + match.start() * area.unit))
        self._decodes = dict[int, bool]()

    def is_certain(self, area: Area, address: int, function: int) -> bool:
        """Whether sure leads get there, or probable ones do and nothing in the function speaks
        against its being code."""
        index = (address - area.start) // area.unit
        if area.sure[index]:
            return True
        if not area.probable[index] or function in self._doubtful:
            return False
        if function not in self._decodes:
            self._decodes[function] = self._all_decodes(area, function)
        return self._decodes[function]

    def _all_decodes(self, area: Area, function: int) -> bool:
        """Whether a disassembler knows every instruction of a function that was followed."""
        first = (function - area.start) // area.unit
        end = (self._survey.next_function(function) - area.start) // area.unit
        text = {1: area.texts[0], 2: area.texts[-1]}
        at, last = first, min(end, len(area.probable))
        while at < last:
            state = area.probable[at]
            if state not in text:
                at += 1
                continue
            stop = at
            same = (state,) if state == 1 and area.unit > 1 else (state, 4)
            while stop < last and area.probable[stop] in same:
                stop += 1
            code = text[state].content[at * area.unit : stop * area.unit]
            behind = 0
            for begin, size, _, _ in decoder(
                "x86" if area.unit == 1 else text[state].kind
            ).disasm_lite(code, 0):
                behind = begin + size
            if behind < len(code):
                return False
            if text[state].kind == "a" and not _looks_like_arm(code):
                return False
            at = stop
        return True


def _looks_like_arm(code: bytes) -> bool:
    """Whether half of the words have the condition that is always met."""
    tops = code[3::4]
    return 2 * sum(top >= 0xE0 for top in tops) >= len(tops)


def _findings(
    survey: Survey, place: Place, groups: dict[tuple[int, str], Group], baseline: Baseline
) -> Iterator[Finding]:
    for (function, need), group in groups.items():
        if group.certain:
            yield Finding(
                place=place,
                what=need,
                section=_section(survey, group.address),
                symbol=survey.name(function),
                address=group.address,
                instruction=_shown(survey, group, baseline),
                count=group.count,
            )


def _possible(
    survey: Survey,
    groups: dict[tuple[int, str], Group],
    baseline: Baseline,
    certain: set[str],
) -> Iterator[str]:
    """One line for each need of code that no sure lead gets to."""
    found = dict[str, list[Group]]()
    for (_, need), group in groups.items():
        if not group.certain and need not in certain:
            found.setdefault(need, []).append(group)
    for need, some in found.items():
        first = some[0]
        more = f", and in {len(some) - 1} more places" if len(some) > 1 else ""
        yield (
            f"possibly {need}: {_shown(survey, first, baseline)} at {first.address:#x}{more}, "
            "which nothing surely leads to"
        )


def _shown(survey: Survey, group: Group, baseline: Baseline) -> str:
    return shown(survey.memory.bytes_at(group.address, group.size), group.kind, baseline)


def _section(survey: Survey, address: int) -> str:
    found = (one.name for one in survey.ranges if one.start <= address < one.end)
    return next(found, "no section")


class _Coverage:
    """How much of the executable bytes is reached, at which level, and what the rest is."""

    def __init__(self, survey: Survey, found: dict[int, list[Need]], certain: set[str]) -> None:
        self._survey = survey
        self.counts = dict.fromkeys(("sure", "probable", "data", "fitting", "padding", "rest"), 0)
        self._fitting = dict[int, bytearray]()
        for area in survey.areas.all:
            fitting = self._fitting[area.start] = bytearray(area.seen)
            for address, _, _, need in found[area.start]:
                if need not in certain:
                    fitting[(address - area.start) // area.unit] = 0

    def add(self, one: Range) -> None:
        """Count the bytes of a range, each by the first that explains it."""
        area, unit = one.area, one.area.unit
        first, last = (one.start - area.start) // unit, (one.end - area.start) // unit
        padding = self._survey.gaps.padding.get(area.start, bytearray(len(area.seen)))
        streams = (area.sure, area.probable, area.data, self._fitting[area.start], padding)
        kinds = [bytes(stream) for stream in streams]
        known, length = bytes(last - first), last - first
        for name, kind in zip(self.counts, kinds, strict=False):
            before = known.count(0)
            known = any_of(known, kind[first:last])
            self.counts[name] += (before - known.count(0)) * unit
        self.counts["rest"] += known.count(0) * unit if length else 0

    @property
    def share(self) -> float:
        """What is reached or explained, of all."""
        total = sum(self.counts.values())
        return (total - self.counts["rest"]) / total if total else 1.0

    def __str__(self) -> str:
        total = sum(self.counts.values()) or 1
        parts = {name: f"{count / total:.1%}" for name, count in self.counts.items()}
        return (
            f"stripped; of {total} bytes of code {parts['sure']} surely reached, "
            f"{parts['probable']} probably, {parts['data']} constants and tables, "
            f"{parts['padding']} padding, {parts['fitting']} unreached code that fits, "
            f"{parts['rest']} unknown"
        )
