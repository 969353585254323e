"""Stages of a plan as a table, JSON or a graph, and why one of them is rebuilt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from muslin.engine.cache.history import Build
from muslin.engine.console import duration
from muslin.engine.formats.canonical_json import Document
from muslin.engine.key import flat
from muslin.engine.scheduler import Planned, State, ways
from muslin.engine.stage import Stage

DOING: Mapping[State, str] = MappingProxyType({"build": "to build", "check": "to check"})
HEAD = ("stage", "state", "CPU time", "key", "what")


def rows(planned: Iterable[Planned]) -> list[tuple[str, ...]]:
    """The plan for people, a row for each stage."""
    return [
        (
            one.stage.name,
            one.state,
            duration(one.cpu_seconds) if one.state == "build" else "",
            one.key[:12],
            one.stage.summary,
        )
        for one in planned
    ]


def total(planned: Iterable[Planned], jobs: int) -> str:
    """The plan in a line."""
    every = list(planned)
    states = Counter(one.state for one in every)
    said = [f"{states[one]} {words}" for one, words in DOING.items() if states[one]]
    seconds = sum(one.cpu_seconds for one in every)
    took = f"; about {duration(seconds / jobs)} on {jobs} cores, if they are idle"
    rest = took if seconds else ""
    return f"{len(every)} stage{'s' * (len(every) > 1)}: {', '.join(said) or 'nothing to do'}{rest}"


def as_data(planned: Mapping[str, Planned]) -> dict[str, Any]:
    """The plan for machines; `after` names what must be there first."""
    return {
        "stages": [
            {
                "name": one.stage.name,
                "target": one.stage.target,
                "state": one.state,
                "key": one.key,
                "after": [planned[key].stage.name for key in one.after if key in planned],
                "cpu_seconds": round(one.cpu_seconds, 1),
                "summary": one.stage.summary,
            }
            for one in planned.values()
        ]
    }


LOOKS: Mapping[State, str] = MappingProxyType(
    {
        "found": 'style=filled fillcolor="gray90"',
        "check": 'style=filled fillcolor="lightyellow"',
        "build": 'style="filled,bold" fillcolor="lightblue"',
        "not needed": "style=dashed",
    }
)
"""How a stage is drawn."""


def as_dot(planned: Mapping[str, Planned], key_of: Callable[[Stage], str]) -> str:
    """The graph for Graphviz, a box for each target; the longest way to come is drawn bold."""
    way = list(_longest(planned))
    bold = set(pairwise(way))
    targets = dict.fromkeys(one.stage.target for one in planned.values())
    lines = ["digraph muslin {", "  rankdir=LR; node [shape=box fontname=sans];"]
    for target in targets:
        lines += [f'  subgraph "cluster_{target}" {{ label="{target or "for all"}";']
        for key, one in planned.items():
            if one.stage.target == target:
                took = f"\\n{duration(one.cpu_seconds)}" if one.state == "build" else ""
                lines.append(
                    f'    "{key[:12]}" [label="{one.stage.name}{took}" {LOOKS[one.state]}];'
                )
        lines.append("  }")
    for key, one in planned.items():
        parts = (*one.stage.needs, *one.stage.judges, *one.stage.tools)
        for other in dict.fromkeys(key_of(stage) for _, stage in parts):
            if other not in planned:
                continue  # of a target that this plan is not about
            look = " [penwidth=3]" if (other, key) in bold else ""
            lines.append(f'  "{other[:12]}" -> "{key[:12]}"{look};')
    return "\n".join((*lines, "}\n"))


def _longest(planned: Mapping[str, Planned]) -> Iterator[str]:
    """Keys of the stages on the longest way of those to build."""
    left = ways(planned)
    ready = {key for key, one in planned.items() if one.state == "build"}
    while ready:
        key = max(ready, key=lambda one: left[one])
        yield key
        ready = {other for other, one in planned.items() if key in one.after}


def differences(last: Build, now: Document, aliases: dict[str, str]) -> list[str]:
    """One line for each field; `aliases` are the names of the stages that are needed.

    A step that was added or removed is one line, and so is each changed field of a step that
    stands where it stood.
    """
    before = {name: value for name, value in last.document.items() if name != "steps"}
    after = {name: value for name, value in now.items() if name != "steps"}
    lines = [
        _changed(name, old, new, aliases)
        for name, old, new in _pairs(flat(before), flat(after))
        if old != new
    ]
    return [*lines, *_steps(last.document.get("steps", []), now["steps"])]


def _pairs(
    before: dict[str, str], after: dict[str, str]
) -> Iterator[tuple[str, str | None, str | None]]:
    for name in dict.fromkeys((*before, *after)):
        yield name, before.get(name), after.get(name)


def _changed(name: str, old: str | None, new: str | None, aliases: dict[str, str]) -> str:
    kind, _, alias = name.partition(".")
    if kind == "needs" and old and new:
        stage = aliases.get(alias, alias)
        return f"{name}: {stage} is another one; `--why {stage}` says why"
    return f"{name}: {_shown(old)} -> {_shown(new)}"


def _shown(value: str | None) -> str:
    return "(not there)" if value is None else json.dumps(value, ensure_ascii=False)


def _steps(before: list[Any], after: list[Any]) -> Iterator[str]:
    # Compared by type first, so that an edited step is an edited one and not another.
    old, new = ([json.dumps(step, sort_keys=True) for step in steps] for steps in (before, after))
    for what, i, end_i, j, end_j in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        both = min(end_i - i, end_j - j)
        for left, right in zip(before[i : i + both], after[j : j + both], strict=True):
            yield from _step(left, right)
        yield from (f"steps: without {_brief(step)}" for step in before[i + both : end_i])
        yield from (f"steps: and {_brief(step)}" for step in after[j + both : end_j])


def _step(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before["type"] != after["type"]:
        yield f"steps: {_brief(after)} in place of {_brief(before)}"
        return
    for name, old, new in _pairs(flat(before), flat(after)):
        if old != new:
            yield f"steps: {_brief(after)}: {name}: {_shown(old)} -> {_shown(new)}"


def _brief(step: dict[str, Any]) -> str:
    subject = step.get("argv", [""])[0] or step.get("path") or step.get("archive") or step.get("to")
    return f"{step['type']} {subject}" if subject else step["type"]
