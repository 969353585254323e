"""A run as a picture: what was built when, side by side with what, and the longest way through it.

The events are those that every run leaves in the cache (`muslin/engine/events.py`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from muslin.engine.console import duration

WIDTH, ROW, LEFT, TOP = 1160, 22, 20, 64
COLOURS = ("#4e79a7", "#59a14f", "#e0a030", "#b07aa1", "#76b7b2", "#9c755f", "#d37295", "#86bcb6")
SHARED = "#8a8a8a"
SHORT = 0.004
"""Of the whole: shorter stages are in the picture and have no name there."""
LETTER = 6.3  # pixels


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stage that was built in the run, times in seconds from its start."""

    name: str
    began: float
    ended: float
    cpu: float
    after: tuple[str, ...]


def last_with(runs: Path, stages: Collection[str]) -> Path | None:
    """The events of the last run that built all of these."""
    for folder in sorted(runs.iterdir(), reverse=True) if runs.exists() else ():
        events = folder / "events.jsonl"
        if {span.name for span in spans(events)}.issuperset(stages):
            return events
    return None


def spans(events: Path) -> list[Span]:
    """What was built, in the order of the starts."""
    started: dict[str, tuple[float, tuple[str, ...]]] = {}
    found: list[Span] = []
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "started":
            started[event["stage"]] = event["at"], tuple(event["after"])
        elif event["event"] == "ended" and event["outcome"] == "built":
            began, after = started[event["stage"]]
            cpu = event["cpu_seconds"]
            found.append(
                Span(name=event["stage"], began=began, ended=event["at"], cpu=cpu, after=after)
            )
    return sorted(found, key=lambda span: span.began)


def longest_way(built: Sequence[Span]) -> list[Span]:
    """From the stage that ended last, back by whatever each waited for longest."""
    by_name = {span.name: span for span in built}
    way = [max(built, key=lambda span: span.ended)]
    while before := [by_name[name] for name in way[-1].after if name in by_name]:
        way.append(max(before, key=lambda span: span.ended))
    return way[::-1]


def rows(built: Iterable[Span]) -> list[list[Span]]:
    """Spans in as few rows as there were stages at one time."""
    found: list[list[Span]] = []
    for span in built:
        free = next((row for row in found if row[-1].ended <= span.began), None)
        if free is None:
            found.append(free := [])
        free.append(span)
    return found


def jobs(events: Path) -> int:
    """How many processes the run had at a time."""
    (first, *_) = events.read_text(encoding="utf-8").splitlines()
    found: int = json.loads(first)["jobs"]
    return found


def svg(built: Sequence[Span], *, jobs: int, targets: Sequence[str]) -> str:
    """The picture. The longest way has a border; figures say how many cores a stage kept busy."""
    whole = max(span.ended for span in built)
    cpu = sum(span.cpu for span in built)
    scale = (WIDTH - 2 * LEFT) / whole
    way = {span.name for span in longest_way(built)}
    lines = rows(built)
    height = TOP + len(lines) * 2 * ROW + 60
    colours = dict(zip(targets, COLOURS, strict=False))
    said = (
        f"{len(built)} stages in {duration(whole)} on {jobs} cores; their processes had "
        f"{cpu / whole / jobs:.0%} of them. Bordered: the longest way."
    )
    body = [_text(LEFT, 20, said, size=14), *_legend(colours)]
    for index, row in enumerate(lines):
        for span in row:
            target = next((name for name in colours if span.name.endswith(f"-{name}")), "")
            style = f'fill="{colours.get(target, SHARED)}"'
            if span.name in way:
                style += ' stroke="black" stroke-width="2"'
            body += _bar(span, TOP + index * 2 * ROW, scale, style)
            if span.ended - span.began > whole * SHORT:
                body += _words(span, target, TOP + index * 2 * ROW, scale)
    body += _axis(whole, scale, height - 30)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _bar(span: Span, top: int, scale: float, style: str) -> list[str]:
    seconds = span.ended - span.began
    told = f"{span.name}: {duration(seconds)}, CPU {duration(span.cpu)}"
    x, width = LEFT + span.began * scale, max(seconds * scale, 0.5)
    return [
        f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{2 * ROW - 8}" rx="2" {style}>'
        f"<title>{escape(told)}</title></rect>"
    ]


def _words(span: Span, target: str, top: int, scale: float) -> list[str]:
    """What has room in a bar."""
    seconds, x = span.ended - span.began, LEFT + span.began * scale + 4
    name = span.name.removesuffix(f"-{target}") if target else span.name
    lines = (name, f"{span.cpu / seconds:.1f} cores")
    return [
        _text(x, top + 14 + 15 * number, words, fill="white")
        for number, words in enumerate(lines)
        if len(words) * LETTER < seconds * scale
    ]


def _legend(colours: dict[str, str]) -> list[str]:
    shapes: list[str] = []
    x = LEFT
    for name, colour in {**colours, "for all": SHARED}.items():
        shapes.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{colour}"/>')
        shapes.append(_text(x + 16, 44, name))
        x += 34 + int(len(name) * LETTER)
    return shapes


def _axis(whole: float, scale: float, y: int) -> list[str]:
    step = next(one for one in (10, 30, 60, 120, 300, 600, 1800, 3600) if whole / one <= 12)
    return [
        shape
        for at in range(0, int(whole) + 1, step)
        for shape in (
            f'<line x1="{LEFT + at * scale:.1f}" y1="{y - 8}" x2="{LEFT + at * scale:.1f}" '
            f'y2="{y}" stroke="black"/>',
            _text(LEFT + at * scale - 4, y + 14, f"{at // 60}:{at % 60:02}"),
        )
    ]


def _text(x: float, y: float, words: str, *, size: int = 11, fill: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y}" font-size="{size}" fill="{fill}">{escape(words)}</text>'
